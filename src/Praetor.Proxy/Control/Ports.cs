using System.Net;
using System.Net.Sockets;
using Praetor.Proxy.Balancing;
using Praetor.Proxy.Metrics;
using Praetor.Proxy.Plane;

namespace Praetor.Proxy.Control;

/// <summary>The listener through which the mesh reaches the service.</summary>
internal sealed class PublicPort : MeshPort
{
    private readonly IDataPlane _plane;
    private readonly InboundEdge _edge;
    private readonly PolicyWatch _policy;
    private readonly PublicListenerConfig _config;

    /// <summary>Makes the port; nothing happens before <see cref="MeshPort.Start"/>.</summary>
    public PublicPort(
        ControlScope scope, IDataPlane plane, ProxyMetrics metrics, string service, PublicListenerConfig config)
        : base(scope, "public listener")
    {
        _plane = plane;
        _config = config;
        _edge = new InboundEdge(service, metrics, new QuietWarnings(scope).Warn);
        _policy = new PolicyWatch(scope, service, _edge, () => Listener);
    }

    /// <inheritdoc/>
    protected override IPlaneListener Listen(IPEndPoint at) => _plane.Listen(_edge, at);

    /// <inheritdoc/>
    protected override void SetIdentity(IReadyIdentity identity) => _edge.Identity = identity;

    /// <inheritdoc/>
    protected override Task WatchAsync(CancellationToken stop) =>
        Task.WhenAll(FindServiceAsync(stop), _policy.RunAsync(stop));

    private async Task FindServiceAsync(CancellationToken stop)
    {
        var backoff = Scope.NewBackoff();
        while (!stop.IsCancellationRequested)
        {
            try
            {
                var ip = await ResolveAsync(_config.LocalServiceAddress, Scope.Time, stop);
                _edge.Settings = new InboundSettings
                {
                    LocalService = new IPEndPoint(ip, _config.LocalServicePort).Serialize(),
                    LocalConnectTimeout = _config.LocalConnectTimeout,
                    HandshakeTimeout = _config.HandshakeTimeout,
                    MaxConnections = _config.MaxConnections,
                };
                Listener?.EdgeChanged();
                return;
            }
            catch (Exception problem) when (problem is SocketException or OperationCanceledException)
            {
                if (!stop.IsCancellationRequested)
                {
                    Scope.Log(ProxyLogLevel.Error, $"{_config.LocalServiceAddress}: {problem.Message}; trying again");
                    await backoff.PauseAsync(stop);
                }
            }
        }
    }
}

/// <summary>The listener through which the service reaches an upstream.</summary>
internal sealed class UpstreamPort : MeshPort
{
    private readonly IDataPlane _plane;
    private readonly OutboundEdge _edge;
    private readonly InstanceWatch _watch;

    /// <summary>Makes the port; nothing happens before <see cref="MeshPort.Start"/>.</summary>
    public UpstreamPort(
        ControlScope scope, IDataPlane plane, ProxyMetrics metrics, string service, UpstreamConfig config)
        : base(scope, config.Label)
    {
        _plane = plane;
        var instances = new InstanceSet(scope.Time);
        if (Balancers.Find(config.Balancer) is { } balancer)
        {
            instances.Balancer = balancer;
        }
        else
        {
            scope.Log(
                ProxyLogLevel.Warn,
                $"{config.Label}: no balancer is called {config.Balancer}; using {LeastConnections.Name}");
        }

        _edge = new OutboundEdge(
            service, config.Name, metrics, instances, new QuietWarnings(scope).Warn)
        {
            Settings = new OutboundSettings
            {
                ConnectTimeout = config.ConnectTimeout,
                HandshakeTimeout = config.HandshakeTimeout,
                MaxConnections = config.MaxConnections,
            },
        };
        _watch = new InstanceWatch(scope, config, instances, () => Listener?.EdgeChanged());
    }

    /// <inheritdoc/>
    protected override IPlaneListener Listen(IPEndPoint at) => _plane.Listen(_edge, at);

    /// <inheritdoc/>
    protected override void SetIdentity(IReadyIdentity identity) => _edge.Identity = identity;

    /// <inheritdoc/>
    protected override Task WatchAsync(CancellationToken stop) => _watch.RunAsync(stop);
}
