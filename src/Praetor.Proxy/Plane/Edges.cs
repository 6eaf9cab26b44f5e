using System.Net;
using Praetor.Proxy.Balancing;
using Praetor.Proxy.Metrics;
using Praetor.Proxy.Net;
using Praetor.Proxy.Policy;

namespace Praetor.Proxy.Plane;

/// <summary>How a public listener treats connections.</summary>
internal sealed record InboundSettings
{
    /// <summary>Where the local service listens. Null: not known (yet), connections wait.</summary>
    public SocketAddress? LocalService { get; init; }

    /// <summary>How long a handshake may take. Default 10 s, as Consul's proxy.</summary>
    public TimeSpan HandshakeTimeout { get; init; } = Limits.HandshakeTimeout;

    /// <summary>How long the local service may take to accept. Default 1 s, as Consul's proxy.</summary>
    public TimeSpan LocalConnectTimeout { get; init; } = Limits.LocalConnectTimeout;

    /// <summary>Connections at a time; more are refused. Default 10,000.</summary>
    public int MaxConnections { get; init; } = Limits.ConnectionsPerListener;
}

/// <summary>What the control side says about connections from the mesh to a local service.</summary>
/// <remarks>The control side writes, the plane's threads read; every member is replaced whole.</remarks>
internal sealed class InboundEdge(string service, ProxyMetrics metrics, Action<string> warn)
{
    private volatile InboundSettings _settings = new();
    private volatile IReadyIdentity? _identity;
    private volatile IAuthorizer _authorizer = DenyAll.Instance;

    /// <summary>The local service's name in the mesh.</summary>
    public string Service => service;

    /// <summary>How connections are treated.</summary>
    public InboundSettings Settings { get => _settings; set => _settings = value; }

    /// <summary>The service's identity. Null: none yet, connections wait.</summary>
    public IReadyIdentity? Identity { get => _identity; set => _identity = value; }

    /// <summary>Who may connect. Nobody before policy is known.</summary>
    public IAuthorizer Authorizer { get => _authorizer; set => _authorizer = value; }

    /// <summary>The counts of connections from a source.</summary>
    public EdgeCounters Counters(string source) => metrics.Edge(source, service, EdgeDirection.Inbound);

    /// <summary>Tells the operator of a connection that failed.</summary>
    public void Warn(string message) => warn(message);
}

/// <summary>How an upstream listener treats connections.</summary>
internal sealed record OutboundSettings
{
    /// <summary>How long one instance may take to accept, and to open a carried connection. Default 10 s.</summary>
    public TimeSpan ConnectTimeout { get; init; } = Limits.ConnectTimeout;

    /// <summary>How long a handshake may take. Default 10 s.</summary>
    public TimeSpan HandshakeTimeout { get; init; } = Limits.HandshakeTimeout;

    /// <summary>Connections at a time; more are refused. Default 10,000.</summary>
    public int MaxConnections { get; init; } = Limits.ConnectionsPerListener;
}

/// <summary>What the control side says about connections from a local service to an upstream.</summary>
internal sealed class OutboundEdge(
    string service, string upstream, ProxyMetrics metrics, InstanceSet instances, Action<string> warn)
{
    private volatile OutboundSettings _settings = new();
    private volatile IReadyIdentity? _identity;

    /// <summary>The local service's name in the mesh.</summary>
    public string Service => service;

    /// <summary>The upstream's name.</summary>
    public string Upstream => upstream;

    /// <summary>The instances to choose from.</summary>
    public InstanceSet Instances => instances;

    /// <summary>How connections are treated.</summary>
    public OutboundSettings Settings { get => _settings; set => _settings = value; }

    /// <summary>The service's identity. Null: none yet, connections wait.</summary>
    public IReadyIdentity? Identity { get => _identity; set => _identity = value; }

    /// <summary>The counts of this edge.</summary>
    public EdgeCounters Counters { get; } = metrics.Edge(service, upstream, EdgeDirection.Outbound);

    /// <summary>Tells the operator of a connection that failed.</summary>
    public void Warn(string message) => warn(message);
}
