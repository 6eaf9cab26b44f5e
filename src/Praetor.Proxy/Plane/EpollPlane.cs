using System.Net;
using System.Threading;
using Praetor.Proxy.Identity;
using Praetor.Proxy.Net;

namespace Praetor.Proxy.Plane;

/// <summary>An identity with its TLS context.</summary>
internal sealed class EpollIdentity(MeshIdentity identity, TlsContext context) : IReadyIdentity
{
    /// <inheritdoc/>
    public MeshIdentity Identity => identity;

    /// <summary>What handshakes are made with.</summary>
    public TlsContext Context => context;
}

/// <summary>The data plane of Linux: event loops over epoll and OpenSSL, shared by all proxies of a host.</summary>
internal sealed class EpollPlane : IDataPlane
{
    private readonly EventLoop[] _loops;
    private readonly TimeProvider _time;
    private int _next;

    /// <summary>Starts the loops.</summary>
    public EpollPlane(TimeProvider time, Random random, Action<string> warn)
    {
        _time = time;

        // One thread moves more than Consul's proxy does with all; a second one on two cores only gets in the way of
        // the programs it serves (measured).
        var count = Math.Clamp(Environment.ProcessorCount / 4, 1, Limits.Loops);
        _loops = new EventLoop[count];
        for (var i = 0; i < count; i++)
        {
            _loops[i] = new EventLoop(
                $"mesh-{i}", time, new Random(random.Next()), bug => warn($"a connection was dropped: {bug}"));
        }
    }

    /// <inheritdoc/>
    public IReadyIdentity Prepare(MeshIdentity identity) => new EpollIdentity(identity, TlsContext.Create(identity));

    /// <inheritdoc/>
    public IPlaneListener Listen(InboundEdge edge, IPEndPoint at)
    {
        var lanes = _loops.Select(loop => new InboundLane(loop, edge, _time)).ToArray();
        return Open(at, lanes, lanes);
    }

    /// <inheritdoc/>
    public IPlaneListener Listen(OutboundEdge edge, IPEndPoint at)
    {
        var lanes = _loops.Select(loop => new OutboundLane(loop, edge, _time)).ToArray();
        return Open(at, lanes, []);
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        foreach (var loop in _loops)
        {
            loop.Dispose();
        }

        return ValueTask.CompletedTask;
    }

    private Listener Open(IPEndPoint at, Lane[] lanes, InboundLane[] inbound)
    {
        var home = lanes[(int)((uint)Interlocked.Increment(ref _next) % (uint)lanes.Length)];
        return new Listener(at, home, lanes, inbound);
    }
}
