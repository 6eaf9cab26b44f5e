using Praetor.Client.Connect;

namespace Praetor.Proxy.Control;

/// <summary>Keeps a proxy registered at the agent, with a check that its heartbeat keeps passing
/// (<c>-register</c>).</summary>
internal sealed class Registration(ControlScope scope, string service, string suffix, PublicListenerConfig listener)
{
    private const string TimeToLive = "30s";

    // Three heartbeats within one time to live, so that a lost one makes no noise.
    private static readonly TimeSpan Heartbeat = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan GoodbyeTimeout = TimeSpan.FromSeconds(2);

    private readonly string _id = suffix.Length == 0 ? $"{service}-proxy" : $"{service}-proxy-{suffix}";

    private string CheckId => $"{_id}-ttl";

    /// <summary>Registers, keeps up the registration, and takes it back when stopped.</summary>
    public async Task RunAsync(CancellationToken stop)
    {
        var backoff = scope.NewBackoff();
        var isRegistered = false;
        while (!stop.IsCancellationRequested)
        {
            try
            {
                if (!isRegistered)
                {
                    await RegisterAsync(stop);
                    isRegistered = true;
                }

                await scope.Client.ConnectPassAsync(CheckId, stop);
                backoff.Reset();
                await Watches.PauseAsync(Heartbeat, scope.Time, stop);
            }
            catch (Exception problem) when (Watches.IsOutage(problem))
            {
                if (!stop.IsCancellationRequested)
                {
                    // Whatever the agent lost, registering again brings it back.
                    isRegistered = false;
                    scope.Log(ProxyLogLevel.Warn, $"cannot register {_id}, trying again: {problem.Message}");
                    await backoff.PauseAsync(stop);
                }
            }
        }

        await DeregisterAsync();
    }

    private async Task RegisterAsync(CancellationToken stop)
    {
        await scope.Client.ConnectRegisterAsync(
            new SelfRegistration
            {
                ID = _id,
                Name = $"{service}-proxy",
                Address = listener.BindAddress == "0.0.0.0" ? "" : listener.BindAddress,
                Port = listener.BindPort,
                Proxy = new SelfProxy { DestinationServiceName = service },
                Check = new SelfCheck
                {
                    CheckID = CheckId,
                    Name = "proxy heartbeat",
                    TTL = TimeToLive,
                    Notes = "Built-in proxy will heartbeat this check.",
                },
            },
            stop);
        scope.Log(ProxyLogLevel.Info, $"registered Consul service: service={_id}");
    }

    private async Task DeregisterAsync()
    {
        scope.Log(ProxyLogLevel.Info, "stop request received, deregistering");
        using var limit = new CancellationTokenSource(GoodbyeTimeout, scope.Time);
        try
        {
            await scope.Client.ConnectDeregisterAsync(_id, limit.Token);
        }
        catch (Exception problem) when (Watches.IsOutage(problem))
        {
            scope.Log(ProxyLogLevel.Warn, $"cannot take back the registration of {_id}: {problem.Message}");
        }
    }
}
