using System.Collections.Concurrent;
using System.Net;
using Praetor.Proxy.Balancing;
using Praetor.Proxy.Identity;
using Praetor.Proxy.Metrics;
using Praetor.Proxy.Plane;
using Praetor.Proxy.Policy;

namespace Integration.Proxy;

/// <summary>The data plane with policy and certificates of the test's making, and no agent.</summary>
internal sealed class PlaneHarness : IAsyncDisposable
{
    private readonly List<IPlaneListener> _open = [];

    public PlaneHarness() => Plane = new EpollPlane(TimeProvider.System, new Random(1), Warnings.Add);

    public EpollPlane Plane { get; }

    public ProxyMetrics Metrics { get; } = new();

    public BlockingCollection<string> Warnings { get; } = [];

    public (InboundEdge Edge, IPlaneListener Listener) Serve(string service, MeshIdentity identity, IPEndPoint local)
    {
        var edge = new InboundEdge(service, Metrics, Warnings.Add)
        {
            Identity = Plane.Prepare(identity),
            Authorizer = new IntentionPolicy(service, [], isDefaultAllow: true),
            Settings = new InboundSettings { LocalService = local.Serialize() },
        };
        var listener = Plane.Listen(edge, new IPEndPoint(IPAddress.Loopback, 0));
        _open.Add(listener);
        return (edge, listener);
    }

    public (OutboundEdge Edge, IPlaneListener Listener) Reach(
        string service, MeshIdentity identity, string upstream, params IPEndPoint[] at)
    {
        var instances = new InstanceSet(TimeProvider.System);
        instances.Update(at.Select(a => new Instance(a, upstream, "dc1")));
        var edge = new OutboundEdge(service, upstream, Metrics, instances, Warnings.Add)
        {
            Identity = Plane.Prepare(identity),
            Settings = new OutboundSettings { ConnectTimeout = TimeSpan.FromSeconds(2) },
        };
        var listener = Plane.Listen(edge, new IPEndPoint(IPAddress.Loopback, 0));
        _open.Add(listener);
        return (edge, listener);
    }

    public EdgeMetrics Count(string source, string destination, EdgeDirection direction) => Metrics.Snapshot()
        .Single(e => e.Source == source && e.Destination == destination && e.Direction == direction);

    public async ValueTask DisposeAsync()
    {
        foreach (var listener in _open)
        {
            await listener.CloseAsync(endConnections: true);
        }

        await Plane.DisposeAsync();
        Warnings.Dispose();
    }
}
