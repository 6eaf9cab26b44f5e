using Praetor.Proxy.Net;

namespace Praetor.Proxy.Plane;

/// <summary>The part of a listener's connections that lives in one loop. Used on that loop's thread only.</summary>
internal abstract class Lane(EventLoop loop, TimeProvider time)
{
    /// <summary>The loop.</summary>
    public EventLoop Loop => loop;

    /// <summary>The running batch's time stamp.</summary>
    public long Now => loop.Now;

    /// <summary>Whether the listener was closed, so that nothing is kept any more.</summary>
    public bool IsEnding { get; private set; }

    /// <summary>Whether connections can be served at all by now.</summary>
    public abstract bool IsReady { get; }

    /// <summary>Whether one more connection fits.</summary>
    public abstract bool HasRoom(int open);

    /// <summary>The time stamp after a span from now.</summary>
    public long After(TimeSpan span) => loop.Now + (long)(span.TotalSeconds * time.TimestampFrequency);

    /// <summary>How many connections there are over all loops; shared with the listener.</summary>
    public ConnectionCount Open { get; set; } = new();

    /// <summary>Serves an accepted descriptor.</summary>
    public abstract void Serve(int fd);

    /// <summary>The edge changed.</summary>
    public abstract void EdgeChanged();

    /// <summary>The listener was closed.</summary>
    public virtual void Finish(bool endConnections) => IsEnding = true;
}

/// <summary>Connections of a listener over all loops.</summary>
internal sealed class ConnectionCount
{
    private int _count;

    /// <summary>The count now.</summary>
    public int Value => Volatile.Read(ref _count);

    /// <summary>One more.</summary>
    public void Add() => Interlocked.Increment(ref _count);

    /// <summary>One less.</summary>
    public void Remove() => Interlocked.Decrement(ref _count);
}

/// <summary>The connections from the mesh to a local service in one loop.</summary>
internal sealed class InboundLane(EventLoop loop, InboundEdge edge, TimeProvider time) : Lane(loop, time)
{
    private readonly HashSet<InboundLink> _links = [];
    private readonly CancellationTokenSource _ending = new();
    private readonly Handshakes<InboundLink> _handshakes = new(
        Limits.HandshakesPerListener, Limits.HandshakesPerSource, static link => link.IsSilent);

    /// <summary>What the control side says.</summary>
    public InboundEdge Edge => edge;

    /// <summary>The identity for new connections; asked for only while <see cref="IsReady"/>.</summary>
    public EpollIdentity Identity => (EpollIdentity)edge.Identity!;

    /// <inheritdoc/>
    public override bool IsReady => edge.Identity is not null && edge.Settings.LocalService is not null;

    /// <inheritdoc/>
    public override bool HasRoom(int open) => open < edge.Settings.MaxConnections;

    /// <inheritdoc/>
    public override void Serve(int fd)
    {
        var source = Sockets.SourceOf(fd);
        if (_handshakes.MakeRoom(source) is { } least)
        {
            least.Abort();
        }

        if (!_handshakes.HasRoom(source))
        {
            Sockets.Refuse(fd);
            return;
        }

        var link = new InboundLink(Loop, fd, this, source);
        Loop.Guard(link, link.Start);
    }

    /// <inheritdoc/>
    public override void EdgeChanged()
    {
        foreach (var link in _links.ToList())
        {
            Loop.Guard(link, link.Recheck);
        }
    }

    /// <inheritdoc/>
    public override void Finish(bool endConnections)
    {
        base.Finish(endConnections);
        _ending.Cancel();
        foreach (var link in _links.Where(link => endConnections || !link.IsCarrying).ToList())
        {
            link.Abort();
        }
    }

    /// <summary>A link begins its handshake.</summary>
    public void Add(InboundLink link)
    {
        _links.Add(link);
        _handshakes.Add(link, link.Source);
        Open.Add();
    }

    /// <summary>A link's handshake is over.</summary>
    public void HandshakeDone(InboundLink link) => _handshakes.Remove(link);

    /// <summary>A link is over.</summary>
    public void Remove(InboundLink link)
    {
        if (_links.Remove(link))
        {
            Open.Remove();
            _handshakes.Remove(link);
        }
    }

    /// <summary>Asks the agent about a link, which hears of the answer on this loop's thread.</summary>
    public void Ask(InboundLink link, Peer peer) => _ = AskAsync(link, peer);

    private async Task AskAsync(InboundLink link, Peer peer)
    {
        var isAllowed = false;
        try
        {
            isAllowed = await edge.Authorizer.AskAsync(peer, _ending.Token);
        }
        catch (Exception problem)
        {
            // The supervisor of this question: whatever went wrong with it, the link must hear an answer.
            edge.Warn($"whether {peer.Id} may connect to {edge.Service} could not be found out: {problem.Message}");
        }

        Loop.Post(() => Loop.Guard(link, () => link.Answered(isAllowed)));
    }

    /// <summary>Who is connected.</summary>
    public IEnumerable<InboundLink> Links => _links;
}

/// <summary>The connections from a local service to an upstream in one loop.</summary>
internal sealed class OutboundLane(EventLoop loop, OutboundEdge edge, TimeProvider time) : Lane(loop, time)
{
    private readonly HashSet<OutboundLink> _links = [];

    /// <summary>What the control side says.</summary>
    public OutboundEdge Edge => edge;

    /// <summary>Idle connections to other proxies of ours.</summary>
    public KeptWires Kept { get; } = new(loop);

    /// <summary>The identity for new connections; asked for only while <see cref="IsReady"/>.</summary>
    public EpollIdentity Identity => (EpollIdentity)edge.Identity!;

    /// <inheritdoc/>
    public override bool IsReady => edge.Identity is not null && edge.Instances.IsKnown;

    /// <inheritdoc/>
    public override bool HasRoom(int open) => open < edge.Settings.MaxConnections;

    /// <inheritdoc/>
    public override void Serve(int fd)
    {
        var link = new OutboundLink(Loop, fd, this);
        Loop.Guard(link, link.Start);
    }

    /// <inheritdoc/>
    public override void EdgeChanged() => Kept.Retire(edge.Identity as EpollIdentity);

    /// <inheritdoc/>
    public override void Finish(bool endConnections)
    {
        base.Finish(endConnections);
        Kept.Retire(null);
        foreach (var link in endConnections ? _links.ToList() : [])
        {
            link.Abort();
        }
    }

    /// <summary>A link begins.</summary>
    public void Add(OutboundLink link)
    {
        _links.Add(link);
        Open.Add();
    }

    /// <summary>A link is over.</summary>
    public void Remove(OutboundLink link)
    {
        if (_links.Remove(link))
        {
            Open.Remove();
        }
    }
}
