using Praetor.Proxy.Control;

namespace Praetor.Proxy;

/// <summary>What the flags of <c>connect proxy</c> say.</summary>
public sealed record ProxyOptions
{
    /// <summary><c>-sidecar-for</c>: the service instance to be the sidecar of. Null: not given.</summary>
    public string? SidecarFor { get; init; }

    /// <summary><c>-proxy-id</c>: the proxy's own id at the agent. Null: not given.</summary>
    public string? ProxyId { get; init; }

    /// <summary><c>-service</c>: the service to stand for. Null: not given.</summary>
    public string? Service { get; init; }

    /// <summary><c>-service-addr</c>: where that service listens, as <c>host:port</c>. Null: not given.</summary>
    public string? ServiceAddress { get; init; }

    /// <summary><c>-listen</c>: where the mesh reaches it, as <c>host:port</c>. Null: not given.</summary>
    public string? Listen { get; init; }

    /// <summary><c>-upstream</c>, repeated: <c>name:port</c> or <c>name:host:port</c>.</summary>
    public IReadOnlyList<string> Upstreams { get; init; } = [];

    /// <summary><c>-register</c>: whether the proxy registers itself at the agent.</summary>
    public bool IsRegistering { get; init; }

    /// <summary><c>-register-id</c>: what tells its registration from others of the same service. Empty:
    /// nothing.</summary>
    public string RegisterId { get; init; } = "";

    /// <summary><c>-metrics-addr</c>: where metrics are shown to Prometheus, as <c>host:port</c>. Null:
    /// nowhere.</summary>
    public string? MetricsAddress { get; init; }

    /// <summary>The configuration that the flags describe by themselves.</summary>
    /// <exception cref="ProxyOptionsException">They contradict each other or are not complete.</exception>
    internal ProxyConfig ToConfig() => new()
    {
        Service = Service!,
        Upstreams = [.. Upstreams.Select(ReadUpstream)],
        PublicListener = ReadListener(),
        MetricsAddress = MetricsAddress,
    };

    internal static UpstreamConfig ReadUpstream(string text)
    {
        var colon = text.IndexOf(':');
        var address = colon < 0 ? "" : text[(colon + 1)..];
        var split = Settings.SplitAddress(address.Contains(':') ? address : ":" + address);
        if (colon <= 0 || split is not { } found)
        {
            throw new ProxyOptionsException($"Upstream value should be name:addr in \"{text}\"");
        }

        // Names may carry Consul Enterprise's namespace in front; there is one namespace here.
        var name = text[..colon];
        return new UpstreamConfig
        {
            Name = name[(name.LastIndexOf('/') + 1)..],
            BindAddress = found.Host.Length == 0 ? "127.0.0.1" : found.Host,
            BindPort = found.Port,
        };
    }

    private PublicListenerConfig? ReadListener()
    {
        if (Listen is not { Length: > 0 })
        {
            return null;
        }

        var at = Settings.SplitAddress(Listen)
            ?? throw new ProxyOptionsException($"address {Listen}: missing port in address");
        if (ServiceAddress is not { Length: > 0 })
        {
            throw new ProxyOptionsException(
                "-service-addr must be specified with -listen so the proxy knows the backend service address.");
        }

        var service = Settings.SplitAddress(ServiceAddress)
            ?? throw new ProxyOptionsException($"address {ServiceAddress}: missing port in address");
        return new PublicListenerConfig
        {
            BindAddress = at.Host.Length == 0 ? "0.0.0.0" : at.Host,
            BindPort = at.Port,
            LocalServiceAddress = service.Host.Length == 0 ? "127.0.0.1" : service.Host,
            LocalServicePort = service.Port,
        };
    }
}

/// <summary>The flags of <c>connect proxy</c> cannot be followed; the message reads as Consul says it.</summary>
public sealed class ProxyOptionsException(string message) : Exception(message);
