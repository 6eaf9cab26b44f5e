using Praetor.CommandLine;

namespace Praetor.Commands;

internal sealed class LeaveCommand : Command
{
    private readonly HttpFlags _http;

    public LeaveCommand() => _http = new HttpFlags(Flags, HttpGroups.Client);

    public override string About => """
        Makes the agent leave its cluster and end. The others then know that it went on purpose.

            $ praetor leave
        """;

    public override async Task<int> RunAsync(Shell shell, IReadOnlyList<string> arguments, CancellationToken stop)
    {
        if (arguments.Count > 0)
        {
            throw new CommandException($"Error found unexpected args: [{string.Join(' ', arguments)}]")
            {
                ShowHelp = true,
            };
        }

        using var client = _http.Connect(shell);
        await client.LeaveAsync(stop).OrFail("Error leaving");
        shell.Say("Graceful leave complete");
        return 0;
    }
}
