using Praetor.CommandLine;

namespace Praetor.Commands;

internal sealed class OperatorRaftTransferLeaderCommand : Command
{
    private readonly HttpFlags _http;
    private readonly Flag<string> _id;

    public OperatorRaftTransferLeaderCommand()
    {
        _http = new HttpFlags(Flags, HttpGroups.Server);
        _id = Flags.String("id", "Id of the server that is to lead. Default: the one that is best.");
    }

    public override string About => """
        Makes another server lead, and ends when it does. Good before the leader's machine is stopped.

            $ praetor operator raft transfer-leader
            $ praetor operator raft transfer-leader -id=2c0f1a2e-…
        """;

    public override async Task<int> RunAsync(Shell shell, IReadOnlyList<string> arguments, CancellationToken stop)
    {
        using var client = _http.Connect(shell);
        if (!await client.TransferLeaderAsync(_id.Value, stop: stop).OrFail("Error transferring leadership"))
        {
            throw new CommandException("Error transferring leadership: no other server took it");
        }

        shell.Say("Success");
        return 0;
    }
}
