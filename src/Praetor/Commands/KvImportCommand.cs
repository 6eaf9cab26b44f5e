using System.Text.Json;
using Praetor.Client;
using Praetor.CommandLine;

namespace Praetor.Commands;

internal sealed class KvImportCommand : Command
{
    private readonly HttpFlags _http;
    private readonly Flag<string> _prefix;

    public KvImportCommand()
    {
        _http = new HttpFlags(Flags, HttpGroups.All);
        _prefix = Flags.String("prefix", "Text to put in front of every key.");
    }

    public override string Arguments => "[options] [DATA]";

    public override Candidates Offer => Candidates.Files;

    public override string About => """
        Stores the keys that "kv export" printed: from a file with @FILE, from standard input with -, or
        given as it is.

            $ praetor kv import @config.json
            $ praetor kv export config/ | praetor kv import -prefix=copy/ -http-addr=10.0.0.2:8500 -
        """;

    public override async Task<int> RunAsync(Shell shell, IReadOnlyList<string> arguments, CancellationToken stop)
    {
        var entries = Read(Data(shell, arguments));
        using var client = _http.Connect(shell);
        foreach (var entry in entries)
        {
            var key = _prefix.Value + entry.Key;
            var how = new KvWrite { Flags = entry.Flags };
            await client.PutKeyAsync(key, Decode(entry), how, stop: stop)
                .OrFail($"Error! Failed writing data for key {key}");
            shell.Say($"Imported: {key}");
        }

        return 0;
    }

    private static byte[] Data(Shell shell, IReadOnlyList<string> arguments)
    {
        if (arguments.Count == 0)
        {
            throw new CommandException("Error! Missing DATA argument");
        }

        RequireAtMost(1, arguments, "Error! ");
        return arguments[0].Length > 0
            ? ValueSource.Read(shell, arguments[0])
            : throw new CommandException("Error! Empty DATA argument");
    }

    private static KvExportEntry[] Read(byte[] data)
    {
        try
        {
            return JsonSerializer.Deserialize(data, KvExportJson.Default.KvExportEntryArray) ?? [];
        }
        catch (JsonException wrong)
        {
            var why = GoErrors.Json(data, wrong, KvExportJson.Default.KvExportEntryArray, "[]*impexp.Entry");
            throw new CommandException($"Cannot unmarshal data: {why}");
        }
    }

    private static byte[] Decode(KvExportEntry entry)
    {
        try
        {
            return Convert.FromBase64String(entry.Value ?? "");
        }
        catch (FormatException)
        {
            throw new CommandException(
                $"Error base 64 decoding value for key {entry.Key}: illegal base64 data at input byte 0");
        }
    }
}
