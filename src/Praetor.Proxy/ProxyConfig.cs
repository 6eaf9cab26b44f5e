namespace Praetor.Proxy;

/// <summary>What one proxy is to do.</summary>
public sealed record ProxyConfig
{
    /// <summary>The service it stands for.</summary>
    public required string Service { get; init; }

    /// <summary>Where the mesh reaches the service. Null: not through this proxy.</summary>
    public PublicListenerConfig? PublicListener { get; init; }

    /// <summary>The services it reaches on behalf of its own.</summary>
    public IReadOnlyList<UpstreamConfig> Upstreams { get; init; } = [];

    /// <summary>Where it shows its metrics to Prometheus, as <c>host:port</c>. Null: nowhere.</summary>
    public string? MetricsAddress { get; init; }
}

/// <summary>How the mesh reaches a service through its proxy.</summary>
public sealed record PublicListenerConfig
{
    /// <summary>The address listened on. Default: all (<c>bind_address</c>).</summary>
    public string BindAddress { get; init; } = "0.0.0.0";

    /// <summary>The port listened on; 0 takes a free one.</summary>
    public required int BindPort { get; init; }

    /// <summary>Where the service itself listens (<c>local_service_address</c>).</summary>
    public required string LocalServiceAddress { get; init; }

    /// <summary>Where the service itself listens.</summary>
    public required int LocalServicePort { get; init; }

    /// <summary>How long the service may take to accept. Default 1 s (<c>local_connect_timeout_ms</c>).</summary>
    public TimeSpan LocalConnectTimeout { get; init; } = Limits.LocalConnectTimeout;

    /// <summary>How long a handshake may take. Default 10 s (<c>handshake_timeout_ms</c>).</summary>
    public TimeSpan HandshakeTimeout { get; init; } = Limits.HandshakeTimeout;

    /// <summary>Connections at a time. Default 10,000 (<c>max_connections</c>).</summary>
    public int MaxConnections { get; init; } = Limits.ConnectionsPerListener;
}

/// <summary>How a service reaches another through its proxy.</summary>
public sealed record UpstreamConfig
{
    /// <summary>The other service's name, or the prepared query's.</summary>
    public required string Name { get; init; }

    /// <summary>Whether <see cref="Name"/> is a prepared query's.</summary>
    public bool IsPreparedQuery { get; init; }

    /// <summary>The other service's datacenter. Null: the agent's own.</summary>
    public string? Datacenter { get; init; }

    /// <summary>The address listened on for it. Default 127.0.0.1: whoever reaches it speaks as the service.</summary>
    public string BindAddress { get; init; } = "127.0.0.1";

    /// <summary>The port listened on for it; 0 takes a free one.</summary>
    public required int BindPort { get; init; }

    /// <summary>How long an instance may take to accept. Default 10 s (<c>connect_timeout_ms</c>).</summary>
    public TimeSpan ConnectTimeout { get; init; } = Limits.ConnectTimeout;

    /// <summary>How long a handshake may take. Default 10 s (<c>handshake_timeout_ms</c>).</summary>
    public TimeSpan HandshakeTimeout { get; init; } = Limits.HandshakeTimeout;

    /// <summary>Connections at a time. Default 10,000 (<c>max_connections</c>).</summary>
    public int MaxConnections { get; init; } = Limits.ConnectionsPerListener;

    /// <summary>How an instance is chosen: <c>least_connections</c> (default) or <c>random_two</c>
    /// (<c>balancer</c>).</summary>
    public string Balancer { get; init; } = Balancing.LeastConnections.Name;

    internal string Label => $"{BindAddress}:{BindPort}->{(IsPreparedQuery ? "prepared_query" : "service")}:{Name}";
}

/// <summary>Where a proxy's configuration comes from.</summary>
public interface IProxyConfigSource
{
    /// <summary>The configuration, and again each time it changes. Ends when there is no such proxy any more.</summary>
    IAsyncEnumerable<ProxyConfig> ReadAsync(CancellationToken stop);
}
