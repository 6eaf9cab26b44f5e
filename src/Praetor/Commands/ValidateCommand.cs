using Praetor.Agent.Config;
using Praetor.CommandLine;

namespace Praetor.Commands;

internal sealed class ValidateCommand : Command
{
    private readonly Flag<bool> _quiet;
    private readonly Flag<string> _format;

    public ValidateCommand()
    {
        _quiet = Flags.Bool("quiet", "Print nothing when all is well.");
        _format = Flags.Add(new Flag<string>(
            "config-format", "string", "Read all files as hcl or json, whatever they are called.", "", ReadFormat)
        {
            Choices = ["hcl", "json"],
        });
    }

    public override string Arguments => "[options] FILE_OR_FOLDER...";

    public override Candidates Offer => Candidates.Files;

    public override string About => """
        Checks agent configuration without starting an agent. All problems are told, each with its file and
        place.

            $ praetor validate /etc/praetor.d
        """;

    public override Task<int> RunAsync(Shell shell, IReadOnlyList<string> arguments, CancellationToken stop)
    {
        if (arguments.Count == 0)
        {
            throw new CommandException("Must specify at least one config file or directory");
        }

        var format = _format.Value.Length > 0 ? _format.Value : null;
        if (Problem(arguments, format) is { } problem)
        {
            throw new CommandException($"Config validation failed: {problem}");
        }

        if (!_quiet.Value)
        {
            shell.Say("Configuration is valid!");
        }

        return Task.FromResult(0);
    }

    /// <summary>What is wrong with the configuration in these files and folders. Null: nothing.</summary>
    /// <param name="paths">Files and folders, in order.</param>
    /// <param name="format"><c>hcl</c> or <c>json</c> for all of them. Null: by the files' names.</param>
    private static string? Problem(IReadOnlyList<string> paths, string? format)
    {
        var result = ConfigLoader.Validate(paths, format);
        return result.Problems.Count == 0 ? null : result.ProblemText;
    }

    private static string? ReadFormat(string text, ref string value)
    {
        value = text;
        return text is "hcl" or "json" ? null : "must be hcl or json";
    }
}
