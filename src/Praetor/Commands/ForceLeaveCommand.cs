using Praetor.CommandLine;

namespace Praetor.Commands;

internal sealed class ForceLeaveCommand : Command
{
    private readonly HttpFlags _http;
    private readonly Flag<bool> _prune;
    private readonly Flag<bool> _wan;

    public ForceLeaveCommand()
    {
        _http = new HttpFlags(Flags, HttpGroups.Client);
        _prune = Flags.Bool("prune", "Forget the member altogether, instead of listing it as left.");
        _wan = Flags.Bool("wan", "A server of another datacenter, named node.datacenter.");
    }

    public override string Arguments => "[options] NODE";

    public override Candidates Offer => Candidates.Nodes;

    public override string About => """
        Declares a member that failed as left, so that nobody tries to reach it any more. A member that
        still runs comes back by itself.

            $ praetor force-leave worker-07
        """;

    public override async Task<int> RunAsync(Shell shell, IReadOnlyList<string> arguments, CancellationToken stop)
    {
        if (arguments.Count != 1)
        {
            throw new CommandException("A single node name must be specified to force leave.") { ShowHelp = true };
        }

        using var client = _http.Connect(shell);
        await client.ForceLeaveAsync(arguments[0], _prune.Value, _wan.Value, stop).OrFail("Error force leaving");
        return 0;
    }
}
