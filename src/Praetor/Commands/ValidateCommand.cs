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
        var result = ConfigLoader.Validate(arguments, format);
        if (result.Problems.Count > 0)
        {
            var what = shell.IsConsul ? GoConfigErrors.Of(result.Problems) : result.ProblemText;
            throw new CommandException($"Config validation failed: {what}");
        }

        if (!_quiet.Value)
        {
            shell.Say("Configuration is valid!");
        }

        return Task.FromResult(0);
    }

    private static string? ReadFormat(string text, ref string value)
    {
        value = text;
        return text is "hcl" or "json" ? null : "must be hcl or json";
    }
}
