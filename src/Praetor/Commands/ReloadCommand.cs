using Praetor.CommandLine;

namespace Praetor.Commands;

internal sealed class ReloadCommand : Command
{
    private readonly HttpFlags _http;

    public ReloadCommand() => _http = new HttpFlags(Flags, HttpGroups.Client);

    public override string About => """
        Makes the agent read its configuration files again. When one is not valid, nothing changes and this
        fails.

            $ praetor reload
        """;

    public override async Task<int> RunAsync(Shell shell, IReadOnlyList<string> arguments, CancellationToken stop)
    {
        using var client = _http.Connect(shell);
        await client.ReloadAsync(stop).OrFail("Error reloading");
        shell.Say("Configuration reload triggered");
        return 0;
    }
}
