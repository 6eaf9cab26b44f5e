using Praetor.Client;
using Praetor.CommandLine;

namespace Praetor.Commands;

internal sealed class KeyringCommand : Command
{
    private const int RelayFactorMax = 5;

    private readonly HttpFlags _http;
    private readonly Flag<bool> _list;
    private readonly Flag<bool> _listPrimary;
    private readonly Flag<string> _install;
    private readonly Flag<string> _use;
    private readonly Flag<string> _remove;
    private readonly Flag<int> _relay;
    private readonly Flag<bool> _local;

    public KeyringCommand()
    {
        _http = new HttpFlags(Flags, HttpGroups.Client);
        _list = Flags.Bool("list", "List all keys, and how many members have each.");
        _listPrimary = Flags.Bool("list-primary", "List the keys that members encrypt with.");
        _install = Flags.String("install", "Give every member this key. It is used after -use only.");
        _use = Flags.String("use", "Make every member encrypt with this key; it must be installed.");
        _remove = Flags.String("remove", "Take this key away from every member; it must not be in use.");
        _relay = Flags.Int("relay-factor", "Let each answer come through so many other members as well, at most 5.");
        _local = Flags.Bool("local-only", "List the keys of this datacenter only.");
    }

    public override string About => """
        Looks after the keys that gossip is encrypted with, on all members of all datacenters at once. To
        change the key, install a new one, use it, and remove the old one.

            $ praetor keyring -list
            $ praetor keyring -install="$(praetor keygen)"
            $ praetor keyring -use=KEY
            $ praetor keyring -remove=OLD
        """;

    public override async Task<int> RunAsync(Shell shell, IReadOnlyList<string> arguments, CancellationToken stop)
    {
        var actions = Actions();
        if (actions.Count == 0)
        {
            throw new CommandException("") { ShowHelp = true };
        }

        if (actions.Count > 1)
        {
            throw new CommandException("Only a single action is allowed");
        }

        if (_relay.Value is < 0 or > RelayFactorMax)
        {
            throw new CommandException(
                $"Error parsing relay factor: Relay factor must be in range: [0, {RelayFactorMax}]");
        }

        if (_local.Value && !_list.Value && !_listPrimary.Value)
        {
            throw new CommandException(
                "Error validating local-only: local-only can only be set for list requests");
        }

        using var client = _http.Connect(shell);
        await actions[0](shell, client, stop);
        return 0;
    }

    private List<Func<Shell, PraetorClient, CancellationToken, Task>> Actions()
    {
        var actions = new List<Func<Shell, PraetorClient, CancellationToken, Task>>();
        if (_listPrimary.Value)
        {
            actions.Add((shell, client, stop) => ListAsync(
                shell, client, "Gathering installed primary encryption keys...", static p => p.PrimaryKeys, stop));
        }

        if (_list.Value)
        {
            actions.Add((shell, client, stop) => ListAsync(
                shell, client, "Gathering installed encryption keys...", static p => p.Keys, stop));
        }

        Add(_install, "Installing new gossip encryption key...",
            (client, key, stop) => client.KeyringInstallAsync(key, _relay.Value, stop));
        Add(_use, "Changing primary gossip encryption key...",
            (client, key, stop) => client.KeyringUseAsync(key, _relay.Value, stop));
        Add(_remove, "Removing gossip encryption key...",
            (client, key, stop) => client.KeyringRemoveAsync(key, _relay.Value, stop));
        return actions;

        void Add(Flag<string> flag, string doing, Func<PraetorClient, string, CancellationToken, Task> act)
        {
            if (flag.Value.Length > 0)
            {
                actions.Add((shell, client, stop) =>
                {
                    shell.Say($"==> {doing}");
                    return act(client, flag.Value, stop).OrFail("error");
                });
            }
        }
    }

    private async Task ListAsync(
        Shell shell, PraetorClient client, string doing, Func<KeyringPool, Dictionary<string, int>?> keysOf,
        CancellationToken stop)
    {
        shell.Say($"==> {doing}");
        foreach (var pool in await client.KeyringListAsync(_relay.Value, _local.Value, stop).OrFail("error"))
        {
            var segment = pool.Segment is { Length: > 0 } named ? $" [{named}]" : "";
            shell.Say("");
            shell.Say(pool.WAN ? "WAN:" : $"{pool.Datacenter} (LAN){segment}:");
            foreach (var (key, count) in (keysOf(pool) ?? []).OrderBy(static k => k.Key, StringComparer.Ordinal))
            {
                shell.Say($"  {key} [{count}/{pool.NumNodes}]");
            }
        }
    }
}
