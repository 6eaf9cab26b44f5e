using Praetor.Proxy.Balancing;
using Praetor.Proxy.Framing;
using Praetor.Proxy.Native;
using Praetor.Proxy.Net;

namespace Praetor.Proxy.Plane;

/// <summary>A connection from the local service to an upstream.</summary>
/// <remarks>
/// 1. An instance is chosen. If a kept connection to it is idle, that is taken and step 4 follows.
/// 2. Its proxy is connected.
/// 3. The TLS handshake; the instance must prove to be the service that was wanted.
/// 4. On a kept connection "open" is sent and "opened" awaited.
/// 5. Bytes flow; a kept connection is put back afterwards.
/// Whatever fails in 2 to 4 costs the application nothing, as none of its bytes were sent: another instance is tried.
/// </remarks>
internal sealed class OutboundLink(EventLoop loop, int fd, OutboundLane lane) : Link(loop, fd)
{
    private enum Step
    {
        Connect,
        Handshake,
        Open,
        Relay,
    }

    private readonly List<Instance> _tried = [];
    private FrameReader _frames;
    private Step _step;
    private Instance? _instance;
    private EpollIdentity? _identity;
    private long _expiry;
    private bool _isFramed;
    private bool _isFromKept;

    /// <summary>Begins with the first instance.</summary>
    public void Start()
    {
        lane.Add(this);
        Counters = lane.Edge.Counters;
        if (!Front.IsWatched)
        {
            Abort();
            return;
        }

        Next("no healthy instance is known");
    }

    /// <inheritdoc/>
    protected override void Advance()
    {
        if (Front.IsBroken)
        {
            Abort();
            return;
        }

        switch (_step)
        {
            case Step.Connect when Back is { HasHadEvent: true }:
                GoConnect();
                break;
            case Step.Handshake:
                GoHandshake();
                break;
            case Step.Open:
                GoOpen();
                break;
            default:
                break;
        }
    }

    /// <inheritdoc/>
    protected override void OnTooLate() => Fail(_step == Step.Handshake ? "the handshake took too long" : "no answer");

    /// <inheritdoc/>
    protected override void OnRelayed(ReadOnlySpan<byte> rest)
    {
        Front.Close();
        if (_isFramed && !lane.IsEnding && lane.Kept.Keep(Back!, _instance!, _identity!, _expiry))
        {
            Back = null;
        }

        Close();
    }

    /// <inheritdoc/>
    protected override void OnClosed()
    {
        _instance?.Leave();
        lane.Remove(this);
    }

    private void Next(string problem)
    {
        Instance? next = null;
        if (_tried.Count < Limits.ConnectAttempts)
        {
            next = lane.Edge.Instances.Pick(Loop.Random, _tried);
        }

        if (next is null)
        {
            lane.Edge.Warn($"{lane.Edge.Service} cannot reach {lane.Edge.Upstream}: {problem}");
            Abort();
            return;
        }

        _tried.Add(next);
        Use(next);
    }

    private void Use(Instance instance)
    {
        _instance?.Leave();
        _instance = instance;
        instance.Take();
        _identity = lane.Identity;
        if (lane.Kept.Take(instance, _identity, this, out var kept, out _expiry))
        {
            Back = kept;
            _isFromKept = true;
            SendOpen();
            return;
        }

        _isFromKept = false;
        Connect(instance);
    }

    private void Connect(Instance instance)
    {
        _step = Step.Connect;
        Loop.Due(this, lane.Edge.Settings.ConnectTimeout);
        var descriptor = Sockets.Connect(instance.Address);
        if (descriptor < 0)
        {
            Fail(LibC.ErrorText);
            return;
        }

        Back = new Wire(Loop, descriptor, this);
    }

    private void GoConnect()
    {
        var error = Sockets.ConnectError(Back!.Fd);
        if (error != 0)
        {
            Fail(System.Runtime.InteropServices.Marshal.GetPInvokeErrorMessage(error));
            return;
        }

        if (!Back.StartTls(_identity!.Context, isServer: false, !_instance!.IsPlainOnly))
        {
            Fail("no memory for a TLS session");
            return;
        }

        _step = Step.Handshake;
        Loop.Due(this, lane.Edge.Settings.HandshakeTimeout);
        GoHandshake();
    }

    private void GoHandshake()
    {
        switch (Back!.Handshake())
        {
            case Io.Blocked:
                return;
            case Io.Failed:
                FailHandshake(PeerCertificate.Problem(Back.Ssl));
                return;
            default:
                break;
        }

        var peer = PeerCertificate.Read(Back.Ssl, _identity!.Identity.TrustDomain, out var problem);
        if (peer is null || !IsWanted(peer))
        {
            FailHandshake(peer is null ? problem : $"it proved to be {peer.Id}");
            return;
        }

        _instance!.Succeed();
        _isFramed = TlsContext.IsFramed(Back.Ssl);
        _expiry = lane.After(peer.Left);
        if (_isFramed)
        {
            SendOpen();
        }
        else
        {
            Established([]);
        }
    }

    // A valid certificate of another service is not enough (CVE-2021-32574).
    private bool IsWanted(Peer peer) =>
        peer.Id.Service == _instance!.Service
        && peer.Id.Datacenter == _instance.Datacenter
        && peer.Id.Namespace == Identity.SpiffeId.DefaultNamespace;

    private unsafe void SendOpen()
    {
        _step = Step.Open;
        _isFramed = true;
        _frames = default;
        Loop.Due(this, lane.Edge.Settings.ConnectTimeout);
        var head = stackalloc byte[FrameCodec.HeadBytes];
        FrameCodec.WriteHead(new Span<byte>(head, FrameCodec.HeadBytes), FrameType.Open, 0);
        if (Back!.Write(head, FrameCodec.HeadBytes, out var count) != Io.Done || count != FrameCodec.HeadBytes)
        {
            Fail("the connection broke");
        }
    }

    private unsafe void GoOpen()
    {
        if (!Back!.IsReadable)
        {
            return;
        }

        switch (Back.Read(Loop.Scratch, Limits.ScratchBytes, out var count))
        {
            case Io.Blocked:
                return;
            case Io.Done:
                break;
            default:
                Fail("the other proxy closed the connection");
                return;
        }

        var bytes = new ReadOnlySpan<byte>(Loop.Scratch, count);
        switch (_frames.Next(bytes, out var taken, out _))
        {
            case FrameStep.More:
                Loop.Again(this);
                break;
            case FrameStep.Control when _frames.Type == FrameType.Opened:
                Established(bytes[taken..]);
                break;
            case FrameStep.Control when _frames.Type == FrameType.Denied:
                lane.Edge.Counters.Deny();
                Abort();
                break;
            case FrameStep.Control when _frames.Type == FrameType.Unreachable:
                Fail("the service behind the other proxy does not accept connections");
                break;
            default:
                Fail("the other proxy does not keep to the protocol");
                break;
        }
    }

    private void Established(ReadOnlySpan<byte> early)
    {
        _step = Step.Relay;
        StartRelay(isFrontFramed: false, _isFramed, [], early.ToArray());
    }

    private void FailHandshake(string problem)
    {
        lane.Edge.Counters.FailHandshake();
        if (!_instance!.IsPlainOnly && problem.Contains("no application protocol", StringComparison.Ordinal))
        {
            // Some other proxy that insists on protocols of its own: the same again without ours.
            _instance.IsPlainOnly = true;
            DropBack();
            Connect(_instance);
            return;
        }

        Fail(problem);
    }

    private void Fail(string problem)
    {
        DropBack();
        if (_isFromKept)
        {
            // The kept connection had died; that says nothing about the instance.
            _isFromKept = false;
            Connect(_instance!);
            return;
        }

        lane.Edge.Counters.FailConnect();
        _instance!.Fail(lane.Now);
        Next($"{_instance.EndPoint}: {problem}");
    }

    private void DropBack()
    {
        Back?.Abort();
        Back = null;
        _isFramed = false;
    }
}
