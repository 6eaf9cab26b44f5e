using Praetor.CommandLine;

namespace Praetor.Commands;

internal sealed class ConfigDeleteCommand : Command
{
    private readonly HttpFlags _http;
    private readonly ConfigEntryFlags _entry;
    private readonly Flag<bool> _cas;
    private readonly Flag<ulong> _modifyIndex;

    public ConfigDeleteCommand()
    {
        _http = new HttpFlags(Flags, HttpGroups.All);
        _entry = new ConfigEntryFlags(Flags);
        _cas = Flags.Bool("cas", "Delete only if the entry's index still is the one given with -modify-index.");
        _modifyIndex = Flags.UInt("modify-index", "The ModifyIndex that the entry must have.");
    }

    public override string About => """
        Removes a config entry. It is no error when there is none.

            $ praetor config delete -kind service-defaults -name web
        """;

    public override async Task<int> RunAsync(Shell shell, IReadOnlyList<string> arguments, CancellationToken stop)
    {
        _entry.Require();
        RequireSense();
        var named = $"{_entry.Kind}/{_entry.Name}";
        using var client = _http.Connect(shell);
        ulong? cas = _cas.Value ? _modifyIndex.Value : null;
        var answer = await client.DeleteConfigEntryAsync(_entry.Kind, _entry.Name, cas, stop: stop)
            .OrFail($"Error deleting config entry {named}");
        if (_cas.Value && answer.AsSpan().Trim().SequenceEqual("false"))
        {
            throw new CommandException($"Config entry not deleted: {named}");
        }

        shell.Say($"Config entry deleted: {named}");
        return 0;
    }

    private void RequireSense()
    {
        if (_cas.Value && _modifyIndex.Value == 0)
        {
            throw new CommandException("Must specify a -modify-index greater than 0 with -cas");
        }

        if (!_cas.Value && _modifyIndex.Value != 0)
        {
            throw new CommandException("Cannot specify -modify-index without -cas");
        }
    }
}
