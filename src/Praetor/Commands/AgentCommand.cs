using Praetor.CommandLine;

namespace Praetor.Commands;

internal sealed class AgentCommand : Command
{
    /// <summary>The agent knows its flags itself: they are settings, of which its files have more.</summary>
    public override bool ReadsOwnLine => true;

    public override Candidates Offer => Candidates.Files;

    public override string About => """
        Runs the agent until it is interrupted or told to leave: as a server, as a client of servers
        elsewhere, or with -dev alone and in memory.

            $ praetor agent -dev
            $ praetor agent -server -bootstrap-expect=1 -data-dir=/var/lib/praetor
            $ praetor agent -retry-join=10.0.0.1 -data-dir=/var/lib/praetor -config-dir=/etc/praetor.d
        """;

    public override Task<int> RunAsync(Shell shell, IReadOnlyList<string> arguments, CancellationToken stop) =>
        StartAsync(shell, arguments, stop);

    /// <summary>The agent itself: reads its flags, runs until told to stop, and gives the exit code.</summary>
    private static Task<int> StartAsync(Shell shell, IReadOnlyList<string> line, CancellationToken stop)
    {
        _ = (shell, line, stop);
        throw new CommandException("==> this build has no agent");
    }
}
