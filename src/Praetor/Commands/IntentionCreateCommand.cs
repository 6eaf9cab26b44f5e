using System.Text.Json;
using Languages;
using Praetor.Client;
using Praetor.CommandLine;

namespace Praetor.Commands;

internal sealed class IntentionCreateCommand : Command
{
    private readonly HttpFlags _http;
    private readonly Flag<bool> _allow;
    private readonly Flag<bool> _deny;
    private readonly Flag<bool> _file;
    private readonly Flag<bool> _replace;
    private readonly Flag<SortedDictionary<string, string>> _meta;

    public IntentionCreateCommand()
    {
        _http = new HttpFlags(Flags, HttpGroups.All);
        _allow = Flags.Bool("allow", "Let connections through. This is the default.");
        _deny = Flags.Bool("deny", "Refuse connections.");
        _file = Flags.Bool("file", "The arguments are files, each with one intention as JSON.");
        _replace = Flags.Bool("replace", "Replace an intention between the same two services.");
        _meta = Flags.Pairs("meta", "Metadata as key=value. May be given again and again.");
    }

    public override string Arguments =>
        "[options] SOURCE DESTINATION\n       … intention create [options] -file FILE...";

    public override Candidates Offer => Candidates.Services;

    public override string About => """
        Says whether a service may connect to another; * stands for any. The more exact intention decides.

            $ praetor intention create -deny '*' db
            $ praetor intention create -allow web db
        """;

    public override async Task<int> RunAsync(Shell shell, IReadOnlyList<string> arguments, CancellationToken stop)
    {
        if (_allow.Value && _deny.Value)
        {
            throw new CommandException("Only one of -allow or -deny may be specified.");
        }

        var wanted = _file.Value ? FromFiles(arguments) : [FromArguments(arguments)];
        using var client = _http.Connect(shell);
        foreach (var intention in wanted)
        {
            await WriteAsync(shell, client, intention, stop);
        }

        return 0;
    }

    private async Task WriteAsync(Shell shell, PraetorClient client, Intention intention, CancellationToken stop)
    {
        if (_replace.Value && await TryReplaceAsync(client, intention, stop))
        {
            if (!shell.IsConsul)
            {
                shell.Say($"Replaced: {intention}");
            }

            return;
        }

        await client.CreateIntentionAsync(intention, stop: stop).OrFail($"Error creating intention \"{intention}\"");
        shell.Say($"Created: {intention}");
    }

    private static async Task<bool> TryReplaceAsync(PraetorClient client, Intention intention, CancellationToken stop)
    {
        var doing = $"Error replacing intention with source \"{intention.Source}\" "
            + $"and destination \"{intention.Destination}\"";
        var old = await IntentionLookup.FindAsync(client, intention.Source, intention.Destination, stop).OrFail(doing);
        if (old is null)
        {
            return false;
        }

        var write = string.IsNullOrEmpty(old.ID)
            ? client.SetIntentionAsync(intention, stop: stop)
            : client.UpdateIntentionAsync(intention with { ID = old.ID }, stop: stop);
        await write.OrFail(doing);
        return true;
    }

    private Intention FromArguments(IReadOnlyList<string> arguments)
    {
        if (arguments.Count != 2)
        {
            throw new CommandException("Error: Must specify two arguments: source and destination");
        }

        var (sourceSpace, source) = Split(arguments[0]);
        var (destinationSpace, destination) = Split(arguments[1]);
        return new Intention
        {
            SourceNS = sourceSpace,
            SourceName = source,
            DestinationNS = destinationSpace,
            DestinationName = destination,
            SourceType = "consul",
            Action = _deny.Value ? "deny" : "allow",
            Meta = _meta.Value.Count > 0 ? new(_meta.Value, StringComparer.Ordinal) : null,
        };
    }

    private static (string? Space, string Name) Split(string text)
    {
        var slash = text.IndexOf('/', StringComparison.Ordinal);
        return slash < 0 ? (null, text) : (text[..slash], text[(slash + 1)..]);
    }

    private static List<Intention> FromFiles(IReadOnlyList<string> paths)
    {
        var found = new List<Intention>();
        foreach (var path in paths)
        {
            var text = ValueSource.ReadFile(path, "Error");
            try
            {
                found.Add(JsonSerializer.Deserialize(text, OutputJson.Default.Intention)
                    ?? throw new CommandException($"Error: {path} holds no intention"));
            }
            catch (JsonException wrong)
            {
                var why = text.Length == 0 ? "EOF"
                    : GoErrors.Json(text, wrong, OutputJson.Default.Intention, "api.Intention");
                throw new CommandException($"Error: {JsonErrors.Streamed(why)}");
            }
        }

        return found;
    }
}
