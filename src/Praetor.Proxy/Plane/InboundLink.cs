using Praetor.Proxy.Framing;
using Praetor.Proxy.Net;
using Praetor.Proxy.Policy;

namespace Praetor.Proxy.Plane;

/// <summary>A connection from the mesh to the local service.</summary>
/// <remarks>
/// 1. The TLS handshake; the client must show a certificate of the mesh.
/// 2. Its identity is read and policy decides; where policy cannot be known here, the agent is asked.
/// 3. If both ends agreed on kept connections, the client's "open" is awaited, and each one is decided anew.
/// 4. The local service is connected.
/// 5. Bytes flow. A kept connection goes back to 3, any other is over.
/// </remarks>
internal sealed class InboundLink(EventLoop loop, int fd, InboundLane lane, ulong source) : Link(loop, fd)
{
    private enum Step
    {
        Handshake,
        Verdict,
        AwaitOpen,
        Connect,
        Relay,
    }

    private readonly EpollIdentity _identity = lane.Identity;
    private FrameReader _frames;
    private Step _step = Step.Handshake;
    private Peer? _peer;
    private long _peerExpiry;
    private bool _isFramed;

    // A framed wire's first verdict comes before any "open", the later ones are each for one.
    private bool _isOpening;

    /// <summary>The client, once it has proved who it is and is connected or about to be.</summary>
    public Peer? Peer => _peer;

    /// <summary>Whether a connection is established through it.</summary>
    public bool IsCarrying => IsRelaying;

    /// <summary>Where it comes from, see <see cref="Sockets.SourceOf"/>.</summary>
    public ulong Source => source;

    /// <summary>Whether the client has not sent a byte yet.</summary>
    public bool IsSilent => Front.HasHeardNothing;

    /// <summary>Begins the handshake.</summary>
    public void Start()
    {
        lane.Add(this);
        if (!Front.IsWatched || !Front.StartTls(_identity.Context, isServer: true))
        {
            Abort();
            return;
        }

        Loop.Due(this, lane.Edge.Settings.HandshakeTimeout);
        Advance();
    }

    /// <summary>Identity or policy changed: ends the link if it may not go on.</summary>
    public void Recheck()
    {
        if (IsClosed || _peer is null)
        {
            return;
        }

        if (lane.Edge.Authorizer.Decide(_peer) == Verdict.Deny)
        {
            Deny();
        }
        else if (_step == Step.AwaitOpen && _identity != lane.Edge.Identity)
        {
            // The client sees the end before it gets an answer to "open" and takes a fresh connection.
            Front.EndWrite();
            Close();
        }
    }

    /// <summary>Policy says no: counts and ends the link.</summary>
    public void Deny()
    {
        if (IsClosed)
        {
            return;
        }

        // An idle kept connection that ends denies nobody anything yet.
        if (IsRelaying || _step != Step.AwaitOpen)
        {
            lane.Edge.Counters(_peer!.Id.Service).Deny();
            lane.Edge.Warn($"{_peer.Id} may not connect to {lane.Edge.Service}: {lane.Edge.Authorizer.WhyNot(_peer)}");
        }

        if (_isFramed && !IsRelaying)
        {
            TrySendControl(FrameType.Denied);
            Front.EndWrite();
            Close();
            return;
        }

        Abort();
    }

    /// <inheritdoc/>
    protected override void Advance()
    {
        switch (_step)
        {
            case Step.Handshake:
                GoHandshake();
                break;
            case Step.AwaitOpen:
                GoAwaitOpen([]);
                break;
            case Step.Connect:
                GoConnect();
                break;
            default:
                if (Front.IsPeerDone && _step == Step.Verdict)
                {
                    Abort();
                }

                break;
        }
    }

    /// <inheritdoc/>
    protected override void OnTooLate()
    {
        switch (_step)
        {
            case Step.Handshake:
                lane.Edge.Counters("").FailHandshake();
                Abort();
                break;
            case Step.Connect:
                FailConnect("took too long to accept");
                break;
            case Step.AwaitOpen:
                Front.EndWrite();
                Close();
                break;
            default:
                Abort();
                break;
        }
    }

    /// <inheritdoc/>
    protected override void OnRelayed(ReadOnlySpan<byte> rest)
    {
        Back!.Close();
        Back = null;
        if (!_isFramed || _identity != lane.Edge.Identity || lane.IsEnding)
        {
            Close();
            return;
        }

        AwaitOpen(rest);
    }

    /// <inheritdoc/>
    protected override void OnClosed() => lane.Remove(this);

    private void GoHandshake()
    {
        switch (Front.Handshake())
        {
            case Io.Blocked:
                return;
            case Io.Failed:
                FailHandshake(PeerCertificate.Problem(Front.Ssl));
                return;
            default:
                break;
        }

        _peer = PeerCertificate.Read(Front.Ssl, _identity.Identity.TrustDomain, out var problem);
        if (_peer is null)
        {
            FailHandshake(problem);
            return;
        }

        lane.HandshakeDone(this);
        _peerExpiry = lane.After(_peer.Left);
        _isFramed = TlsContext.IsFramed(Front.Ssl);
        _step = Step.Verdict;
        Decide();
    }

    private void Decide()
    {
        switch (lane.Edge.Authorizer.Decide(_peer!))
        {
            case Verdict.Allow:
                Allowed();
                break;
            case Verdict.Ask:
                Loop.Due(this, lane.Edge.Settings.HandshakeTimeout);
                _step = Step.Verdict;
                lane.Ask(this, _peer!);
                break;
            default:
                Deny();
                break;
        }
    }

    /// <summary>The agent's answer about this connection.</summary>
    public void Answered(bool isAllowed)
    {
        if (IsClosed || _step != Step.Verdict)
        {
            return;
        }

        if (isAllowed)
        {
            Allowed();
        }
        else
        {
            Deny();
        }
    }

    private void Allowed()
    {
        if (_isFramed && !_isOpening)
        {
            AwaitOpen([]);
        }
        else
        {
            Connect();
        }
    }

    private void AwaitOpen(ReadOnlySpan<byte> rest)
    {
        _step = Step.AwaitOpen;
        _isOpening = false;
        _frames = default;

        // The client lets go first; this end only guards against a client that never does.
        Loop.Due(this, 2 * Limits.KeptIdle);
        if (rest.IsEmpty)
        {
            // Never from here: a client that asks without end would make this call itself without end.
            Loop.Again(this);
            return;
        }

        GoAwaitOpen(rest);
    }

    private unsafe void GoAwaitOpen(ReadOnlySpan<byte> bytes)
    {
        if (bytes.IsEmpty)
        {
            if (!Front.IsReadable)
            {
                return;
            }

            switch (Front.Read(Loop.Scratch, Limits.ScratchBytes, out var count))
            {
                case Io.Blocked:
                    return;
                case Io.Done:
                    bytes = new ReadOnlySpan<byte>(Loop.Scratch, count);
                    break;
                default:
                    Close();
                    return;
            }
        }

        var step = _frames.Next(bytes, out var taken, out _);
        if (step == FrameStep.More)
        {
            Loop.Again(this);
            return;
        }

        // A client sends nothing after "open" before it hears "opened".
        if (step != FrameStep.Control || _frames.Type != FrameType.Open || taken < bytes.Length)
        {
            Abort();
            return;
        }

        _isOpening = true;
        if (lane.Now >= _peerExpiry)
        {
            Front.EndWrite();
            Close();
            return;
        }

        Decide();
    }

    private void Connect()
    {
        var settings = lane.Edge.Settings;
        _step = Step.Connect;
        Loop.Due(this, settings.LocalConnectTimeout);
        var descriptor = settings.LocalService is { } address ? Sockets.Connect(address) : -1;
        if (descriptor < 0)
        {
            FailConnect(Native.LibC.ErrorText);
            return;
        }

        Back = new Wire(Loop, descriptor, this);
    }

    private void GoConnect()
    {
        // Until the socket says it can be written, nothing is known; a first event for the other wire means nothing.
        if (Back is null || !Back.HasHadEvent)
        {
            return;
        }

        var error = Sockets.ConnectError(Back.Fd);
        if (error != 0)
        {
            FailConnect(System.Runtime.InteropServices.Marshal.GetPInvokeErrorMessage(error));
            return;
        }

        _step = Step.Relay;
        Counters = lane.Edge.Counters(_peer!.Id.Service);
        if (_isFramed && !TrySendControl(FrameType.Opened))
        {
            Abort();
            return;
        }

        StartRelay(_isFramed, isBackFramed: false, [], []);
    }

    private void FailConnect(string why)
    {
        lane.Edge.Counters(_peer!.Id.Service).FailConnect();
        lane.Edge.Warn($"the local service {lane.Edge.Service} does not accept connections: {why}");
        if (!_isFramed)
        {
            Abort();
            return;
        }

        Back?.Close();
        Back = null;
        if (TrySendControl(FrameType.Unreachable))
        {
            AwaitOpen([]);
        }
        else
        {
            Abort();
        }
    }

    private void FailHandshake(string problem)
    {
        if (Front.HasHeardNothing)
        {
            Abort();
            return;
        }

        lane.Edge.Counters("").FailHandshake();
        lane.Edge.Warn($"a handshake with {lane.Edge.Service} failed: {problem}");
        Abort();
    }

    private unsafe bool TrySendControl(FrameType type)
    {
        var head = stackalloc byte[FrameCodec.HeadBytes];
        FrameCodec.WriteHead(new Span<byte>(head, FrameCodec.HeadBytes), type, 0);
        return Front.Write(head, FrameCodec.HeadBytes, out var count) == Io.Done && count == FrameCodec.HeadBytes;
    }
}
