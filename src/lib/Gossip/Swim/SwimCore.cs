using System.Net;
using System.Runtime.InteropServices;
using Gossip.Wire;

namespace Gossip.Swim;

/// <summary>One member of a pool: SWIM with Lifeguard's extensions, as memberlist speaks it. Pure.</summary>
/// <remarks>
/// <para>The problem: everybody should know who is there, within seconds, at a cost for each member that does not grow
/// with the pool, though packets get lost and members stall.</para>
/// <para>The idea: each member pings one other at a time, in random order (SwimCore.Probing.cs). Who stays silent is
/// suspected, not dropped: it has time to hear of it and to refute (SwimCore.Claims.cs). All news rides on packets that
/// are sent anyway, each a logarithmic number of times (SwimCore.Spreading.cs), and now and then two members exchange
/// everything they know, so that nothing stays lost (SwimCore.Exchanging.cs). Who failed is asked again now and then,
/// so that a healed network becomes one pool again (SwimCore.Reconnecting.cs).</para>
/// <para>Why it agrees in the end: claims about a member are ordered by its incarnation, which only that member raises;
/// at the same incarnation dead beats suspect beats alive. So merging claims in any order gives the same, and a member
/// that lives can always overrule what is said of it.</para>
/// <para>Use: one loop owns it. It calls <see cref="Start"/>, then <see cref="Receive"/> for each message,
/// <see cref="AnswerStream"/> for each stream, and <see cref="Tick"/> when <see cref="NextDeadline"/> has come; packets
/// that already arrived should be received before a tick, since they may be the answers it waits for. Time is a
/// monotonic time since any start, never falling.</para>
/// </remarks>
public sealed partial class SwimCore
{
    private readonly SwimConfig _config;
    private readonly ISwimTransport _transport;
    private readonly SwimDelegate _upper;
    private readonly Random _random;
    private readonly MemberTable _members;
    private readonly DeadlineHeap _deadlines = new();
    private readonly BroadcastQueue _broadcasts;
    private readonly Awareness _awareness;
    private readonly Heartbeat _probeTick = new(TickKind.Probe);
    private readonly Heartbeat _gossipTick = new(TickKind.Gossip);
    private readonly Heartbeat _pushPullTick = new(TickKind.PushPull);
    private readonly Heartbeat _reconnectTick = new(TickKind.Reconnect);
    private readonly List<SwimMessage> _packet = [];
    private uint _incarnation;
    private bool _isLeaving;
    private bool _hasLeaveSpread;

    /// <param name="random">Belongs to this member alone; its seed decides what the member does.</param>
    /// <exception cref="ArgumentException">The configuration has problems; the text names them.</exception>
    public SwimCore(SwimConfig config, ISwimTransport transport, SwimDelegate upper, Random random)
    {
        var problems = string.Join("; ", config.Problems());
        if (problems.Length > 0)
        {
            throw new ArgumentException(problems, nameof(config));
        }
        (_config, _transport, _upper, _random) = (config, transport, upper, random);
        _members = new MemberTable(random);
        _broadcasts = new BroadcastQueue(config.RetransmitMultiplier, () => _members.Count);
        _awareness = new Awareness(config.Lifeguard ? config.AwarenessMaxMultiplier : 1);
        // Not from zero, so that who cannot see our packets cannot guess which answer we wait for.
        _sequence = (uint)random.NextInt64(uint.MaxValue);
    }

    private enum TickKind
    {
        Probe,
        Gossip,
        PushPull,
        Reconnect,
    }

    /// <summary>The member's name.</summary>
    public string Name => _config.Name;

    /// <summary>When <see cref="Tick"/> is wanted next. Null: never, until something else is called.</summary>
    public TimeSpan? NextDeadline => _deadlines.Next?.At;

    /// <summary>
    /// How badly this member seems to do itself: 0 is well; see <see cref="SwimConfig.AwarenessMaxMultiplier"/>.
    /// </summary>
    public int HealthScore => _awareness.Score;

    /// <summary>Members known, with this one, and with those that are gone but not yet forgotten.</summary>
    public int MemberCount => _members.Count;

    /// <summary>Membership news that is queued to be sent.</summary>
    public int QueuedBroadcasts => _broadcasts.Count;

    /// <summary>Whether <see cref="Leave"/> was called.</summary>
    public bool IsLeaving => _isLeaving;

    /// <summary>This member as others should see it.</summary>
    public Member Self => _members.Find(_config.Name)
        ?? throw new InvalidOperationException($"member {_config.Name} was not started: call Start first");

    /// <summary>Begins to take part, alone until <see cref="Join"/> or somebody else's join.</summary>
    /// <param name="meta">Meta data that others get; at most <see cref="SwimLimits.MetaBytesMax"/> bytes.</param>
    public void Start(ReadOnlyMemory<byte> meta, TimeSpan now)
    {
        ClaimOwnLife(CheckedMeta(meta), now);
        StartTimers(now);
    }

    /// <summary>Takes in one message from a packet.</summary>
    /// <param name="now">When the packet arrived: the round-trip time is measured by it.</param>
    public void Receive(SwimMessage message, IPEndPoint from, TimeSpan now)
    {
        switch (message)
        {
            case Ping ping:
                AnswerPing(ping, from);
                break;
            case Ack ack:
                TakeAck(ack, now);
                break;
            case Nack nack:
                TakeNack(nack);
                break;
            case IndirectPing request:
                PingForAnother(request, from, now);
                break;
            case Alive alive:
                BelieveAlive(alive, now);
                break;
            case Suspect suspect:
                BelieveSuspect(suspect, now);
                break;
            case Dead dead:
                BelieveDead(dead, now);
                break;
            case UserMessage user:
                _upper.UserMessage(user.Payload, from);
                break;
            default:
                _upper.Note(SwimNote.Unexpected, message.GetType().Name);
                break;
        }
        Arm(now);
    }

    /// <summary>Does what is due.</summary>
    public void Tick(TimeSpan now)
    {
        while (_deadlines.Next is { } due && due.At <= now)
        {
            _deadlines.Remove(due);
            Fire(due, now);
        }
        Arm(now);
    }

    /// <summary>Tells everybody of other meta data.</summary>
    public void UpdateMeta(ReadOnlyMemory<byte> meta, TimeSpan now)
    {
        if (_isLeaving)
        {
            return;
        }
        ClaimOwnLife(CheckedMeta(meta), now);
        Arm(now);
    }

    /// <summary>
    /// Says that this member leaves. It goes on answering until the driver stops it, which it should do when
    /// <see cref="SwimDelegate.LeaveSpread"/> was called, or after a while.
    /// </summary>
    public void Leave(TimeSpan now)
    {
        if (_isLeaving)
        {
            return;
        }
        _isLeaving = true;
        BelieveDead(new Dead(Self.Incarnation, Name, Name), now);
        if (!AnyOtherLives())
        {
            TellLeaveSpread();
        }
        Arm(now);
    }

    /// <summary>Says that the layer above has queued broadcasts outside a call of the core.</summary>
    public void BroadcastsQueued(TimeSpan now) => ArmGossip(now);

    /// <summary>Sends bytes of the layer above to one member, in one packet that may get lost.</summary>
    public void SendUser(IPEndPoint to, ReadOnlyMemory<byte> payload)
    {
        SwimMessage message = new UserMessage(payload);
        _transport.SendPacket(to, MemoryMarshal.CreateReadOnlySpan(ref message, 1));
    }

    /// <summary>What is believed of a member; null: it is not known, or was forgotten.</summary>
    public Member? Find(string name) => _members.Find(name);

    /// <summary>All known members, with this one and those that are gone but not yet forgotten, in no order.</summary>
    public Member[] Members() => _members.All.ToArray();

    /// <summary>Starts as if it had been part of a pool for long; for simulations.</summary>
    internal void StartAmong(IReadOnlyList<Member> members, TimeSpan now)
    {
        _members.Load(members);
        _incarnation = Self.Incarnation;
        StartTimers(now);
    }

    private static ReadOnlyMemory<byte> CheckedMeta(ReadOnlyMemory<byte> meta) =>
        meta.Length <= SwimLimits.MetaBytesMax
            ? meta
            : throw new ArgumentException(
                $"meta data of {meta.Length} bytes: the protocol carries at most {SwimLimits.MetaBytesMax}",
                nameof(meta));

    private void StartTimers(TimeSpan now)
    {
        ArmProbing(now);
        _gossipPhase = now + (_config.GossipInterval * _random.NextDouble());
        _deadlines.Set(_pushPullTick, now + (_config.PushPullInterval * (1 + _random.NextDouble())));
        Arm(now);
    }

    private void Fire(Deadline due, TimeSpan now)
    {
        switch (due)
        {
            case Heartbeat { Kind: TickKind.Probe }:
                ProbeTicked(now);
                break;
            case Heartbeat { Kind: TickKind.Gossip }:
                Gossip(now);
                break;
            case Heartbeat { Kind: TickKind.PushPull }:
                PushPullTicked(now);
                break;
            case Heartbeat:
                ReconnectTicked(now);
                break;
            case Probe probe:
                ProbeWaited(probe, now);
                break;
            case Relay relay:
                RelayWaited(relay);
                break;
            case Reconnect reconnect:
                EndReconnect(reconnect);
                break;
            case Suspicion suspicion:
                SuspicionDue(suspicion, now);
                break;
            case NameClaim claim:
                NameClaimDue(claim, now);
                break;
            case StreamExchange exchange:
                ExchangeEnded(exchange, "no answer within the time allowed");
                break;
        }
    }

    private void Arm(TimeSpan now)
    {
        ArmProbing(now);
        ArmGossip(now);
        ArmReconnect(now);
    }

    private void TellLeaveSpread()
    {
        if (!_hasLeaveSpread)
        {
            _hasLeaveSpread = true;
            _upper.LeaveSpread();
        }
    }

    private bool AnyOtherLives()
    {
        foreach (var member in _members.All)
        {
            if (!member.IsGone && member.Name != Name)
            {
                return true;
            }
        }
        return false;
    }

    private sealed class Heartbeat(TickKind kind) : Deadline
    {
        public TickKind Kind => kind;
    }
}
