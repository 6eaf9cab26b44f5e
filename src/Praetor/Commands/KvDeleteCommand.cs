using Praetor.CommandLine;

namespace Praetor.Commands;

internal sealed class KvDeleteCommand : Command
{
    private readonly HttpFlags _http;
    private readonly Flag<bool> _cas;
    private readonly Flag<bool> _recurse;
    private readonly Flag<ulong> _modifyIndex;

    public KvDeleteCommand()
    {
        _http = new HttpFlags(Flags, HttpGroups.All);
        _cas = Flags.Bool("cas", "Delete only if the key's index still is the one given with -modify-index.");
        _modifyIndex = Flags.UInt("modify-index", "The ModifyIndex that the key must have.");
        _recurse = Flags.Bool("recurse", "Delete every key that begins with the prefix.");
    }

    public override string Arguments => "[options] KEY_OR_PREFIX";

    public override Candidates Offer => Candidates.Keys;

    public override string About => """
        Removes a key, or with -recurse all keys that begin with a prefix. It is no error when there is none.

            $ praetor kv delete config/pool/size
            $ praetor kv delete -recurse config/
        """;

    public override async Task<int> RunAsync(Shell shell, IReadOnlyList<string> arguments, CancellationToken stop)
    {
        RequireAtMost(1, arguments);
        var named = arguments.Count == 0 ? "" : arguments[0];
        var key = named.StartsWith('/') ? named[1..] : named;
        RequireSense(arguments.Count > 0, key);
        using var client = _http.Connect(shell);
        if (_recurse.Value)
        {
            await client.DeleteTreeAsync(key, stop: stop).OrFail($"Error! Did not delete prefix {key}");
            shell.Say($"Success! Deleted keys with prefix: {key}");
            return 0;
        }

        ulong? cas = _cas.Value ? _modifyIndex.Value : null;
        if (!await client.DeleteKeyAsync(key, cas, stop: stop).OrFail($"Error deleting key {key}"))
        {
            throw new CommandException($"Error! Did not delete key {key}: CAS failed");
        }

        shell.Say($"Success! Deleted key: {key}");
        return 0;
    }

    private void RequireSense(bool given, string key)
    {
        if (key.Length == 0 && !(given && _recurse.Value))
        {
            throw new CommandException("Error! Missing KEY argument");
        }

        if (_cas.Value && _modifyIndex.Value == 0)
        {
            throw new CommandException("Must specify -modify-index with -cas!");
        }

        if (!_cas.Value && _modifyIndex.Value != 0)
        {
            throw new CommandException("Cannot specify -modify-index without -cas!");
        }

        if (_cas.Value && _recurse.Value)
        {
            throw new CommandException("Cannot specify both -cas and -recurse!");
        }
    }
}
