using System.Net;

namespace Praetor.Proxy.Balancing;

/// <summary>An instance of an upstream: where its proxy listens and who it must prove to be.</summary>
internal sealed class Instance(IPEndPoint at, string service, string datacenter)
{
    private int _active;
    private long _failedAt = long.MinValue;
    private volatile bool _isPlainOnly;

    /// <summary>Where its proxy listens.</summary>
    public IPEndPoint EndPoint => at;

    /// <summary>The same, as the system wants it.</summary>
    public SocketAddress Address { get; } = at.Serialize();

    /// <summary>The service it must prove to be.</summary>
    public string Service => service;

    /// <summary>The datacenter it must prove to be of.</summary>
    public string Datacenter => datacenter;

    /// <summary>Connections to it now.</summary>
    public int Active => Volatile.Read(ref _active);

    /// <summary>Whether its proxy refused the offer of kept connections; it is not made again.</summary>
    public bool IsPlainOnly { get => _isPlainOnly; set => _isPlainOnly = value; }

    /// <summary>A connection is for it now.</summary>
    public void Take() => Interlocked.Increment(ref _active);

    /// <summary>A connection to it is over.</summary>
    public void Leave() => Interlocked.Decrement(ref _active);

    /// <summary>It could not be reached.</summary>
    public void Fail(long now) => Volatile.Write(ref _failedAt, now);

    /// <summary>It was reached.</summary>
    public void Succeed() => Volatile.Write(ref _failedAt, long.MinValue);

    /// <summary>Whether it failed after a moment.</summary>
    public bool HasFailedSince(long moment) => Volatile.Read(ref _failedAt) > moment;

    /// <summary>Whether both describe the same thing.</summary>
    public bool IsSameAs(Instance other) =>
        at.Equals(other.EndPoint) && service == other.Service && datacenter == other.Datacenter;
}
