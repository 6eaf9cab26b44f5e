using System.Text.Json;
using Praetor.CommandLine;

namespace Praetor.Commands;

internal sealed class ConfigWriteCommand : Command
{
    private const string Doing = "Failed to decode config entry input";

    private readonly HttpFlags _http;
    private readonly Flag<bool> _cas;
    private readonly Flag<ulong> _modifyIndex;

    public ConfigWriteCommand()
    {
        _http = new HttpFlags(Flags, HttpGroups.All);
        _cas = Flags.Bool("cas", "Write only if the entry's index still is the one given with -modify-index.");
        _modifyIndex = Flags.UInt(
            "modify-index", "The ModifyIndex that the entry must have. 0: there must be no such entry.");
    }

    public override string Arguments => "[options] FILE";

    public override Candidates Offer => Candidates.Files;

    public override string About => """
        Writes a config entry from a file in HCL or JSON; - reads it from standard input.

            $ praetor config write web-defaults.hcl
        """;

    public override async Task<int> RunAsync(Shell shell, IReadOnlyList<string> arguments, CancellationToken stop)
    {
        if (arguments.Count != 1)
        {
            throw new CommandException(
                "Must provide exactly one positional argument to specify the config entry to write");
        }

        var entry = Read(shell, arguments[0]);
        var kind = RequireKind(entry);
        var named = $"{kind}/{DefinitionText.Text(entry, "Name")}";
        using var client = _http.Connect(shell);
        ulong? cas = _cas.Value ? _modifyIndex.Value : null;
        if (!await client.SetConfigEntryAsync(entry, cas, stop: stop).OrFail($"Error writing config entry {named}"))
        {
            throw new CommandException($"Config entry not updated: {named}");
        }

        shell.Say($"Config entry written: {named}");
        return 0;
    }

    private static JsonElement Read(Shell shell, string path)
    {
        var text = ValueSource.ReadPath(shell, path, "Failed to load data: Failed to read file");
        return DefinitionText.Read(shell, text, path == "-" ? "stdin" : path, Doing);
    }

    private static string RequireKind(JsonElement entry)
    {
        var kind = DefinitionText.Text(entry, "Kind");
        if (kind.Length == 0)
        {
            throw new CommandException($"{Doing}: Payload does not contain a kind/Kind key at the top level");
        }

        if (ConfigEntryKinds.All.Contains(kind, StringComparer.Ordinal))
        {
            return kind;
        }

        var meant = Spelling.Nearest(kind, ConfigEntryKinds.All);
        throw new CommandException($"{Doing}: invalid config entry kind: {kind}")
        {
            Hint = meant is null ? $"there are {string.Join(", ", ConfigEntryKinds.All)}" : $"did you mean {meant}?",
        };
    }
}
