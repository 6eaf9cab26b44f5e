using Praetor.Client;
using Praetor.CommandLine;

namespace Praetor.Commands;

internal sealed class MonitorCommand : Command
{
    private readonly HttpFlags _http;
    private readonly Flag<string> _level;
    private readonly Flag<bool> _json;

    public MonitorCommand()
    {
        _http = new HttpFlags(Flags, HttpGroups.Client);
        _level = Flags.String(
            "log-level", "The least important level to print: trace, debug, info, warn or err. Default info.",
            initial: "INFO", offer: Candidates.LogLevels);
        _json = Flags.Bool("log-json", "Print each entry as JSON.");
    }

    public override string About => """
        Prints the agent's log as it is written, until interrupted.

            $ praetor monitor -log-level=debug
        """;

    public override async Task<int> RunAsync(Shell shell, IReadOnlyList<string> arguments, CancellationToken stop)
    {
        using var signals = new ProcessSignals();
        using var both = CancellationTokenSource.CreateLinkedTokenSource(stop, signals.Stop);
        using var client = _http.Connect(shell);
        try
        {
            await foreach (var line in client.MonitorAsync(_level.Value, _json.Value, both.Token))
            {
                shell.Say(line);
                await shell.Out.FlushAsync(both.Token);
            }
        }
        catch (OperationCanceledException) when (both.IsCancellationRequested)
        {
            return 0;
        }
        catch (Exception failure) when (failure is ApiException or ConnectionException or TimeoutException)
        {
            throw AgentCalls.Failed(failure, "Error starting monitor");
        }
        catch (Exception ended) when (ended is IOException or HttpRequestException)
        {
            throw new CommandException(AgentCalls.Failed(ended, "Error reading the log").Message);
        }

        throw new CommandException(
            "Remote side ended the monitor! This usually means that the\nremote side has exited or crashed.");
    }
}
