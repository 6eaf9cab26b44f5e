using System.Net;
using Praetor.Proxy.Native;
using Praetor.Proxy.Net;

namespace Praetor.Proxy.Plane;

/// <summary>Accepts connections and deals them out to the loops.</summary>
/// <remarks>
/// The socket listens from the first moment, so that checks see it and clients can queue; but nothing is accepted
/// before identity and the other side are known. One loop accepts; each connection then lives in a loop of its own.
/// </remarks>
internal sealed class Listener : Pollable, IPlaneListener, IResumable, ITimed
{
    private readonly Lane _home;
    private readonly Lane[] _lanes;
    private readonly InboundLane[] _inbound;
    private readonly ConnectionCount _open = new();
    private int _next;
    private bool _isResuming;

    /// <summary>Listens.</summary>
    /// <exception cref="System.Net.Sockets.SocketException">The address cannot be listened on.</exception>
    public Listener(IPEndPoint at, Lane home, Lane[] lanes, InboundLane[] inbound)
    {
        _home = home;
        _lanes = lanes;
        _inbound = inbound;
        foreach (var lane in lanes)
        {
            lane.Open = _open;
        }

        Fd = Sockets.Listen(at, out var bound);
        Address = bound;
        home.Loop.Post(() =>
        {
            home.Loop.Add(this);
            Accept();
        });
    }

    /// <inheritdoc/>
    public IPEndPoint Address { get; }

    /// <inheritdoc/>
    public int Connections => _open.Value;

    /// <inheritdoc/>
    public long Deadline { get; set; }

    /// <inheritdoc/>
    public int DeadlineSlot { get; set; } = -1;

    /// <inheritdoc/>
    public void EdgeChanged()
    {
        foreach (var lane in _lanes)
        {
            lane.Loop.Post(lane.EdgeChanged);
        }

        _home.Loop.Post(Accept);
    }

    /// <inheritdoc/>
    public async Task<IReadOnlyList<Peer>> ActivePeersAsync()
    {
        var peers = new List<Peer>();
        foreach (var lane in _inbound)
        {
            await lane.Loop.PostAsync(() => peers.AddRange(lane.Links.Select(static l => l.Peer).OfType<Peer>()));
        }

        return [.. peers.DistinctBy(static p => p.Id)];
    }

    /// <inheritdoc/>
    public async Task DenyAsync(Peer peer)
    {
        foreach (var lane in _inbound)
        {
            await lane.Loop.PostAsync(() =>
            {
                foreach (var link in lane.Links.Where(l => l.Peer?.Id == peer.Id).ToList())
                {
                    link.Deny();
                }
            });
        }
    }

    /// <inheritdoc/>
    public async Task CloseAsync(bool endConnections)
    {
        await _home.Loop.PostAsync(() =>
        {
            if (Fd < 0)
            {
                return;
            }

            _home.Loop.NotDue(this);
            _home.Loop.Remove(this);
            _ = LibC.Close(Fd);
            Fd = -1;
        });
        foreach (var lane in _lanes)
        {
            await lane.Loop.PostAsync(() => lane.Finish(endConnections));
        }
    }

    /// <inheritdoc/>
    public override void OnReady(uint events) => Accept();

    /// <inheritdoc/>
    public void Resume()
    {
        _isResuming = false;
        Accept();
    }

    /// <inheritdoc/>
    public void OnDeadline() => Accept();

    private unsafe void Accept()
    {
        if (Fd < 0 || !_home.IsReady)
        {
            return;
        }

        for (var i = 0; i < Limits.AcceptsPerTurn; i++)
        {
            var fd = LibC.Accept(Fd, null, null, LibC.SocketNonBlocking | LibC.SocketCloseOnExec);
            if (fd >= 0)
            {
                Deal(fd);
                continue;
            }

            switch (LibC.Errno)
            {
                case LibC.ErrnoInterrupted or LibC.ErrnoConnectionAborted:
                    continue;
                case LibC.ErrnoTooManyFiles or LibC.ErrnoTooManyFilesSystem:
                    _home.Loop.Due(this, Limits.AcceptPause);
                    return;
                default:
                    return;
            }
        }

        if (!_isResuming)
        {
            _isResuming = true;
            _home.Loop.Again(this);
        }
    }

    private void Deal(int fd)
    {
        var lane = _lanes[_next++ % _lanes.Length];
        if (!lane.HasRoom(_open.Value))
        {
            Sockets.Refuse(fd);
            return;
        }

        Sockets.Configure(fd);
        if (lane == _home)
        {
            lane.Serve(fd);
        }
        else if (!lane.Loop.Post(() => lane.Serve(fd)))
        {
            _ = LibC.Close(fd);
        }
    }
}
