using System.Net;
using Gossip.Swim;
using Gossip.Wire;

namespace Simulation;

/// <summary>One simulated machine: a core, its way to the network, and what the layer above heard.</summary>
internal sealed class SimMember : SwimDelegate, ISwimTransport
{
    /// <summary>Packets that wait for a slow member, as in a socket's buffer; more are lost.</summary>
    private const int InboxMax = 512;

    private readonly SimNetwork _network;
    private readonly SwimConfig _config;
    private readonly Queue<SimEvent> _inbox = new();
    private readonly Queue<(IPEndPoint To, SwimMessage[] Messages)> _outbox = new();
    private TimeSpan? _wakeAt;

    public SimMember(SimNetwork network, int index, SwimConfig config)
    {
        (_network, Index, _config) = (network, index, config);
        Core = NewCore();
    }

    public int Index { get; }

    public string Name => _config.Name;

    public IPEndPoint Address => _config.Address;

    public SwimCore Core { get; private set; }

    public bool IsRunning { get; private set; }

    /// <summary>Until when this member neither gets nor sends packets, though its timers run.</summary>
    public TimeSpan SlowUntil { get; private set; }

    public bool IsSlow => SlowUntil > _network.Now;

    public long PacketsSent { get; private set; }

    public long BytesSent { get; private set; }

    /// <summary>How often its timer woke it.</summary>
    public int Wakes { get; private set; }

    public int Suspicions { get; private set; }

    public int Refutations { get; private set; }

    public int Conflicts { get; private set; }

    public bool HasLeaveSpread { get; private set; }

    public List<string?> Joins { get; } = [];

    public List<string> Gone { get; } = [];

    /// <summary>Who came, as new or back, since somebody looked.</summary>
    public HashSet<string> Came { get; } = [];

    public int PacketBytesMax => 1400 - PacketSizes.PerPacket;

    public void Start()
    {
        Core = NewCore();
        Core.Start(ReadOnlyMemory<byte>.Empty, _network.Now);
        IsRunning = true;
        Rearm();
    }

    public void StartAmong(IReadOnlyList<Member> known)
    {
        Core.StartAmong(known, _network.Now);
        IsRunning = true;
        Rearm();
    }

    public void Join(SimMember seed) => Do(core => core.Join(seed.Address, _network.Now));

    /// <summary>Calls the core from outside, as the layer above or the driver does.</summary>
    public void Do(Action<SwimCore> action)
    {
        action(Core);
        Rearm();
    }

    /// <summary>Pulls the plug.</summary>
    public void Kill()
    {
        IsRunning = false;
        _wakeAt = null;
        _inbox.Clear();
        _outbox.Clear();
        SlowUntil = default;
    }

    public void SlowDown(TimeSpan time)
    {
        SlowUntil = _network.Now + time;
        _network.Schedule(SlowUntil, new SimEvent(SimEventKind.SlowEnds, this, this, []));
    }

    /// <summary>Takes an event; false when it is out of date.</summary>
    public bool Take(SimEvent what)
    {
        if (!IsRunning || (what.Kind == SimEventKind.Wake && _wakeAt != _network.Now))
        {
            return false;
        }
        if (IsSlow && what.Kind != SimEventKind.Wake)
        {
            if (_inbox.Count < InboxMax || what.Stream is not null)
            {
                _inbox.Enqueue(what);
            }
            return false;
        }
        _network.Trace(_network.Now.Ticks, (Index << 8) | (int)what.Kind, what.From.Index);
        Handle(what);
        Rearm();
        return true;
    }

    public int EncodedSize(SwimMessage message) => PacketSizes.Of(message);

    public void SendPacket(IPEndPoint to, ReadOnlySpan<SwimMessage> messages)
    {
        PacketsSent++;
        BytesSent += PacketSizes.OfPacket(messages);
        var copy = messages.ToArray();
        if (IsSlow)
        {
            _outbox.Enqueue((to, copy));
            return;
        }
        _network.Send(this, to, copy);
    }

    public void Exchange(long exchange, IPEndPoint to, SwimMessage request, TimeSpan timeout)
    {
        BytesSent += request is PushPull ? PacketSizes.Of(request) : 0;
        _network.OpenStream(this, exchange, to, request, timeout);
    }

    public override void MemberJoined(Member member) => Came.Add(member.Name);

    public override void MemberGone(Member member)
    {
        Gone.Add(member.Name);
        _network.Trace(_network.Now.Ticks, Index, (int)member.State);
        if (member.State == MemberState.Dead)
        {
            _network.OnDead?.Invoke(this, member);
        }
    }

    public override void NameConflict(Member existing, Alive claim) => Conflicts++;

    public override void LeaveSpread() => HasLeaveSpread = true;

    public override void JoinCompleted(long join, IPEndPoint seed, string? error) => Joins.Add(error);

    public override void Note(SwimNote note, string detail)
    {
        Suspicions += note == SwimNote.ProbeFailed ? 1 : 0;
        Refutations += note == SwimNote.Refuted ? 1 : 0;
    }

    private SwimCore NewCore() => new(_config, this, this, _network.NewRandom());

    private void Handle(SimEvent what)
    {
        var now = _network.Now;
        switch (what.Kind)
        {
            case SimEventKind.Wake:
                _wakeAt = null;
                Wakes++;
                Core.Tick(now);
                break;
            case SimEventKind.Packet:
                foreach (var message in what.Messages)
                {
                    Core.Receive(message, what.From.Address, now);
                }
                break;
            case SimEventKind.StreamRequest:
                _network.AnswerStream(
                    this, what.From, what.Stream!, Core.AnswerStream(what.Stream!.Request, what.From.Address, now));
                break;
            case SimEventKind.StreamAnswer:
                Core.StreamAnswered(what.Stream!.Number, what.Messages[0], now);
                break;
            case SimEventKind.StreamFailed:
                Core.StreamFailed(what.Stream!.Number, "timed out", now);
                break;
            case SimEventKind.SlowEnds:
                WakeUp();
                break;
        }
    }

    private void WakeUp()
    {
        while (_outbox.TryDequeue(out var packet))
        {
            _network.Send(this, packet.To, packet.Messages);
        }
        while (_inbox.TryDequeue(out var waiting))
        {
            Handle(waiting);
        }
    }

    private void Rearm()
    {
        if (Core.NextDeadline is not { } next)
        {
            return;
        }
        next = next < _network.Now ? _network.Now : next;
        if (_wakeAt is { } at && at <= next)
        {
            return;
        }
        _wakeAt = next;
        _network.Schedule(next, new SimEvent(SimEventKind.Wake, this, this, []));
    }
}
