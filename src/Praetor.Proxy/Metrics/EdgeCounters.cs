namespace Praetor.Proxy.Metrics;

/// <summary>Which way an edge's connections go, seen from the proxied service.</summary>
public enum EdgeDirection
{
    /// <summary>From the mesh to the service.</summary>
    Inbound,

    /// <summary>From the service to an upstream.</summary>
    Outbound,
}

/// <summary>The counts of one edge of the service graph, as they grow. Thread-safe.</summary>
internal sealed class EdgeCounters(string source, string destination, EdgeDirection direction)
{
    private long _opened;
    private long _active;
    private long _denied;
    private long _bytesFromSource;
    private long _bytesToSource;
    private long _handshakeFailures;
    private long _connectFailures;

    /// <summary>A connection of the edge is established.</summary>
    public void Open()
    {
        Interlocked.Increment(ref _opened);
        Interlocked.Increment(ref _active);
    }

    /// <summary>An established connection is over.</summary>
    public void Close() => Interlocked.Decrement(ref _active);

    /// <summary>Policy refused or ended a connection.</summary>
    public void Deny() => Interlocked.Increment(ref _denied);

    /// <summary>A handshake or the identity shown in it failed.</summary>
    public void FailHandshake() => Interlocked.Increment(ref _handshakeFailures);

    /// <summary>The other side could not be reached.</summary>
    public void FailConnect() => Interlocked.Increment(ref _connectFailures);

    /// <summary>Bytes were delivered.</summary>
    public void Move(long fromSource, long toSource)
    {
        if (fromSource > 0)
        {
            Interlocked.Add(ref _bytesFromSource, fromSource);
        }

        if (toSource > 0)
        {
            Interlocked.Add(ref _bytesToSource, toSource);
        }
    }

    /// <summary>The counts now.</summary>
    public EdgeMetrics Read() => new(
        source,
        destination,
        direction,
        Interlocked.Read(ref _opened),
        Interlocked.Read(ref _active),
        Interlocked.Read(ref _denied),
        Interlocked.Read(ref _bytesFromSource),
        Interlocked.Read(ref _bytesToSource),
        Interlocked.Read(ref _handshakeFailures),
        Interlocked.Read(ref _connectFailures));
}
