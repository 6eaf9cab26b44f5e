using Praetor.Client;
using Praetor.Client.Connect;
using Praetor.Proxy.Control;
using Praetor.Proxy.Metrics;
using Praetor.Proxy.Native;

namespace Praetor.Proxy;

/// <summary>Runs one proxy in the foreground: the inside of <c>connect proxy</c>.</summary>
public static class ProxyRunner
{
    /// <summary>What the client it is given should call itself: by this an agent of ours knows that a proxy asks, and
    /// makes room for it.</summary>
    public const string UserAgent = "praetor-proxy";

    /// <summary>Runs until stopped.</summary>
    /// <param name="options">What the flags say.</param>
    /// <param name="client">The agent.</param>
    /// <param name="print">Takes what the command prints before its log, line by line.</param>
    /// <param name="log">Takes the log.</param>
    /// <param name="time">The clock.</param>
    /// <param name="random">Chance for jitter and balancing.</param>
    /// <param name="stop">Ends the proxy in good order.</param>
    /// <exception cref="ProxyOptionsException">The flags cannot be followed.</exception>
    /// <exception cref="ApiException">The agent refused to say which proxy is meant.</exception>
    /// <exception cref="HttpRequestException">The agent could not be asked which proxy is meant.</exception>
    public static async Task RunAsync(
        ProxyOptions options,
        PraetorClient client,
        Action<string> print,
        ProxyLog log,
        TimeProvider time,
        Random random,
        CancellationToken stop)
    {
        var scope = new ControlScope(client, log, time, new Chance(new Random(random.Next())));
        var (source, config) = await SourceOfAsync(options, scope, print, random, stop);
        print("");
        print("==> Log data will now stream in as it occurs:");
        print("");

        await using var host = new ProxyHost(client, log, time, new Random(random.Next()));
        var metrics = new MetricsEndpoint(host.Metrics, log, time);
        var watched = new ObservedSource(source, seen => metrics.Use(options.MetricsAddress ?? seen.MetricsAddress));
        host.Add("command", watched);
        var registration = options.IsRegistering && config?.PublicListener is { } listener
            ? new Registration(scope, config.Service, options.RegisterId, listener).RunAsync(stop)
            : Task.CompletedTask;
        var workingSet = new WorkingSet(time).RunAsync(stop);
        await Watches.PauseAsync(Timeout.InfiniteTimeSpan, time, stop);
        await workingSet;
        await registration;
        await metrics.DisposeAsync();
    }

    private static async Task<(IProxyConfigSource Source, ProxyConfig? Config)> SourceOfAsync(
        ProxyOptions options, ControlScope scope, Action<string> print, Random random, CancellationToken stop)
    {
        var proxyId = options.ProxyId;
        if (options.SidecarFor is { Length: > 0 } sidecarFor)
        {
            proxyId = await SidecarOfAsync(sidecarFor, scope.Client, stop);
        }

        if (proxyId is { Length: > 0 })
        {
            print("    Configuration mode: Agent API");
            if (options.SidecarFor is { Length: > 0 })
            {
                print($"        Sidecar for ID: {options.SidecarFor}");
            }

            print($"              Proxy ID: {proxyId}");
            var chance = new Random(random.Next());
            return (new AgentConfigSource(scope.Client, proxyId, scope.Log, scope.Time, chance), null);
        }

        if (options.Service is not { Length: > 0 })
        {
            throw new ProxyOptionsException(
                "-service or -proxy-id must be specified so that proxy can configure itself.");
        }

        print("    Configuration mode: Flags");
        print($"               Service: {options.Service}");
        var config = options.ToConfig();
        Describe(options, config, print);
        return (new FixedConfigSource(config), config);
    }

    private static void Describe(ProxyOptions options, ProxyConfig config, Action<string> print)
    {
        foreach (var (upstream, text) in config.Upstreams.Zip(options.Upstreams))
        {
            var address = text[(text.IndexOf(':') + 1)..];
            print($"              Upstream: {upstream.Name} => {(address.Contains(':') ? address : ":" + address)}");
        }

        print(config.PublicListener is null
            ? "       Public listener: Disabled"
            : $"       Public listener: {options.Listen} => {options.ServiceAddress}");
    }

    private static async Task<string> SidecarOfAsync(string serviceId, PraetorClient client, CancellationToken stop)
    {
        var services = (await client.ConnectServicesAsync(stop)).Value ?? [];
        var proxies = services
            .Where(s => s.Value.Kind == "connect-proxy" && s.Value.Proxy?.DestinationServiceID == serviceId)
            .Select(static s => s.Key)
            .ToList();
        return proxies.Count switch
        {
            1 => proxies[0],
            0 => throw new ProxyOptionsException($"No sidecar proxy registered for {serviceId}"),
            _ => throw new ProxyOptionsException(
                $"More than one sidecar proxy registered for {serviceId}.\n"
                + $"    Start proxy with -proxy-id and one of the following IDs: {string.Join(", ", proxies)}"),
        };
    }

    private sealed class ObservedSource(IProxyConfigSource inner, Action<ProxyConfig> seen) : IProxyConfigSource
    {
        public async IAsyncEnumerable<ProxyConfig> ReadAsync(
            [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken stop)
        {
            await foreach (var config in inner.ReadAsync(stop))
            {
                seen(config);
                yield return config;
            }
        }
    }
}
