using Praetor.CommandLine;

namespace Praetor.Commands;

internal sealed class OperatorRaftListPeersCommand : Command
{
    private readonly HttpFlags _http;
    private readonly OutputFlags _output;

    public OperatorRaftListPeersCommand()
    {
        _http = new HttpFlags(Flags, HttpGroups.Server);
        _output = new OutputFlags(Flags);
    }

    public override string About => """
        Lists the servers that keep the state: who leads, who counts for a majority.

            $ praetor operator raft list-peers
        """;

    public override async Task<int> RunAsync(Shell shell, IReadOnlyList<string> arguments, CancellationToken stop)
    {
        using var client = _http.Connect(shell);
        var configuration = await client.RaftConfigurationAsync(_http.Query, stop)
            .OrFail("Error getting peers: Failed to retrieve raft configuration");
        var servers = configuration.Servers ?? [];
        if (_output.IsJson)
        {
            OutputFlags.Print(shell, servers, OutputJson.Default.RaftServerArray);
            return 0;
        }

        var table = new Columns("Node", "ID", "Address", "State", "Voter", "RaftProtocol");
        foreach (var server in servers)
        {
            table.Add(
                server.Node,
                server.ID,
                server.Address,
                server.Leader ? "leader" : "follower",
                server.Voter ? "true" : "false",
                server.ProtocolVersion is { Length: > 0 } version ? version : "<=1");
        }

        shell.Say(table);
        return 0;
    }
}
