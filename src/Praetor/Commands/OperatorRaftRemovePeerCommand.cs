using Praetor.CommandLine;

namespace Praetor.Commands;

internal sealed class OperatorRaftRemovePeerCommand : Command
{
    private readonly HttpFlags _http;
    private readonly Flag<string> _address;
    private readonly Flag<string> _id;

    public OperatorRaftRemovePeerCommand()
    {
        _http = new HttpFlags(Flags, HttpGroups.Server);
        _address = Flags.String("address", "RPC address of the server, ip:port.");
        _id = Flags.String("id", "Id of the server.");
    }

    public override string About => """
        Takes a server out of those that keep the state. It is meant for one that is gone for good and that
        the leader did not take out by itself; one that still runs comes back as a new server.

            $ praetor operator raft remove-peer -id=2c0f1a2e-…
            $ praetor operator raft remove-peer -address=10.0.0.3:8300
        """;

    public override async Task<int> RunAsync(Shell shell, IReadOnlyList<string> arguments, CancellationToken stop)
    {
        var (id, address) = (_id.Value, _address.Value);
        if (id.Length == 0 && address.Length == 0)
        {
            throw new CommandException("Error removing peer: an address or id is required for the peer to remove");
        }

        if (id.Length > 0 && address.Length > 0)
        {
            throw new CommandException("Error removing peer: cannot give both an address and id");
        }

        using var client = _http.Connect(shell);
        await client.RemovePeerAsync(id, address, stop: stop).OrFail("Error removing peer");
        shell.Say(address.Length > 0 ? $"Removed peer with address \"{address}\"" : $"Removed peer with id \"{id}\"");
        return 0;
    }
}
