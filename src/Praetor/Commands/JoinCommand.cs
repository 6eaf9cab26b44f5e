using Praetor.Client;
using Praetor.CommandLine;

namespace Praetor.Commands;

internal sealed class JoinCommand : Command
{
    private readonly HttpFlags _http;
    private readonly Flag<bool> _wan;

    public JoinCommand()
    {
        _http = new HttpFlags(Flags, HttpGroups.Client);
        _wan = Flags.Bool("wan", "Join servers of other datacenters.");
    }

    public override string Arguments => "[options] ADDRESS ...";

    public override string About => """
        Makes the agent join the cluster of other agents. One that answers is enough.

            $ praetor join 10.0.0.1 10.0.0.2
        """;

    public override async Task<int> RunAsync(Shell shell, IReadOnlyList<string> arguments, CancellationToken stop)
    {
        if (arguments.Count == 0)
        {
            throw new CommandException("At least one address to join must be specified.") { ShowHelp = true };
        }

        using var client = _http.Connect(shell);
        var joined = 0;
        foreach (var address in arguments)
        {
            joined += await TryJoinAsync(shell, client, address, stop) ? 1 : 0;
        }

        if (joined == 0)
        {
            throw new CommandException("Failed to join any nodes.");
        }

        shell.Say($"Successfully joined cluster by contacting {joined} nodes.");
        return 0;
    }

    private async Task<bool> TryJoinAsync(Shell shell, PraetorClient client, string address, CancellationToken stop)
    {
        try
        {
            await client.JoinAsync(address, _wan.Value, stop);
            return true;
        }
        catch (Exception failure) when (AgentCalls.IsOfAgent(failure))
        {
            shell.Error.WriteLine($"Error joining address '{address}': {failure.Message}");
            return false;
        }
    }
}
