using Microsoft.Extensions.Logging;

namespace Praetor.Agent.Forwarding;

/// <summary>Draws the server to ask anew now and then, and takes only one that answers.</summary>
/// <param name="servers">The order that is drawn.</param>
/// <param name="forwarder">Probes.</param>
/// <param name="datacenter">This agent's datacenter; others are few calls, and their order follows failures.</param>
/// <param name="agentCount">How many agents the datacenter has.</param>
/// <param name="time">The clock.</param>
/// <param name="log">Where moves go.</param>
internal sealed partial class ServerRebalancer(
    ServerDirectory servers, Forwarder forwarder, string datacenter, Func<int> agentCount, TimeProvider time,
    ILogger log) : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private Task _loop = Task.CompletedTask;

    public void Start() => _loop = Task.Run(RunAsync);

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _loop;
        _stop.Dispose();
    }

    /// <summary>Draws an order and puts the first server that answers to the front; false: none does.</summary>
    public async Task<bool> RebalanceAsync(CancellationToken stop)
    {
        foreach (var server in servers.Draw(datacenter))
        {
            if (await forwarder.IdentifyAsync(server, stop) is not null)
            {
                servers.Prefer(server);
                Log.Chosen(log, server.Name);
                return true;
            }
        }

        return false;
    }

    private async Task RunAsync()
    {
        try
        {
            while (true)
            {
                var known = servers.In(datacenter).Count;
                await Task.Delay(servers.RebalanceAfter(agentCount(), known), time, _stop.Token);

                // Looked at anew: who starts knows none yet.
                if (servers.In(datacenter).Count > 1)
                {
                    await RebalanceAsync(_stop.Token);
                }
            }
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            // The agent stops.
        }
    }

    private static partial class Log
    {
        [LoggerMessage(6211, LogLevel.Debug, "the server to ask was drawn anew: server={Server}")]
        public static partial void Chosen(ILogger log, string server);
    }
}
