using System.Net;
using Gossip.Coordinates;
using Gossip.Serf.Wire;
using Gossip.Swim;
using Gossip.Wire;

namespace Gossip.Serf;

/// <summary>serf's layer over SWIM: tags, leaving by intent, user events, queries, keyring and coordinates.
/// Pure.</summary>
/// <remarks>
/// <para>SWIM knows who answers. This layer adds why somebody is gone: a member that leaves says so first, by an intent
/// with a Lamport time that orders it among its other intents, so that its silence is "left" and not "failed". Events
/// and queries ride on the same packets; each carries a Lamport time by which repetitions are recognized.</para>
/// <para>Use as <see cref="SwimCore"/>: one owner at a time, monotonic time passed in.</para>
/// </remarks>
public sealed partial class SerfCore
{
    private readonly SerfConfig _config;
    private readonly ISwimTransport _transport;
    private readonly ISerfListener _listener;
    private readonly ISerfKeyring? _keyring;
    private readonly Random _random;
    private readonly SwimCore _swim;
    private readonly LamportClock _clock = new();
    private readonly BroadcastQueue _intents;
    private readonly BroadcastQueue _queries;
    private readonly BroadcastQueue _events;
    private readonly List<Action<TimeSpan>> _later = [];
    private readonly PriorityQueue<Action<TimeSpan>, (TimeSpan At, long Order)> _timers = new();
    private long _timerOrders;
    private TimeSpan _now;
    private readonly CoordinateClient _places;
    private IReadOnlyDictionary<string, string> _tags;

    /// <param name="keyring">Null: gossip is not encrypted and keys cannot be changed.</param>
    /// <param name="random">Belongs to this member alone.</param>
    /// <exception cref="ArgumentException">The configuration has problems; the text names them.</exception>
    public SerfCore(
        SerfConfig config, ISwimTransport transport, ISerfListener listener, ISerfKeyring? keyring, Random random)
    {
        (_config, _transport, _listener, _keyring, _random) = (config, transport, listener, keyring, random);
        _tags = config.Tags;
        _places = new CoordinateClient(new Random(random.Next()));
        _swim = new SwimCore(config.Swim, transport, new Upper(this), random);
        _intents = new BroadcastQueue(config.Swim.RetransmitMultiplier, () => _swim.MemberCount);
        _queries = new BroadcastQueue(config.Swim.RetransmitMultiplier, () => _swim.MemberCount);
        _events = new BroadcastQueue(config.Swim.RetransmitMultiplier, () => _swim.MemberCount);
    }

    public string Name => _config.Swim.Name;

    /// <summary>0 is well; see <see cref="SwimCore.HealthScore"/>.</summary>
    public int HealthScore => _swim.HealthScore;

    /// <summary>How often this member's place came out as nonsense, and began at the origin again.</summary>
    public int CoordinateResets => _places.Resets;

    /// <summary>Lamport times of members' intents, of events and of queries.</summary>
    public (ulong Members, ulong Events, ulong Queries) Clocks => (_clock.Time, _eventClock.Time, _queryClock.Time);

    /// <summary>Messages that wait to be sent: intents, events, queries.</summary>
    public (int Intents, int Events, int Queries) Queued => (_intents.Count, _events.Count, _queries.Count);

    /// <summary>When <see cref="Tick"/> is wanted next. Null: never, until something else is called.</summary>
    public TimeSpan? NextDeadline
    {
        get
        {
            var swim = _swim.NextDeadline;
            var own = _timers.TryPeek(out _, out var due) ? due.At : (TimeSpan?)null;
            return swim is null || own < swim ? own : swim;
        }
    }

    /// <summary>Begins to take part, alone until <see cref="Join"/> or somebody else's join.</summary>
    /// <exception cref="ArgumentException">The tags are too large.</exception>
    public void Start(TimeSpan now)
    {
        _now = now;
        _swim.Start(Encoded(_tags), now);
        Later(_config.ReapInterval, Reap);
        Later(_config.ReconnectInterval, Reconnect);
        Flush(now);
    }

    /// <summary>Takes in one message from a packet; see <see cref="SwimCore.Receive"/>.</summary>
    public void Receive(SwimMessage message, IPEndPoint from, TimeSpan now)
    {
        _now = now;
        _swim.Receive(message, from, now);
        Flush(now);
    }

    /// <summary>Takes in the one message of a stream; see <see cref="SwimCore.AnswerStream"/>.</summary>
    public SwimMessage? AnswerStream(SwimMessage request, IPEndPoint from, TimeSpan now)
    {
        _now = now;
        var answer = _swim.AnswerStream(request, from, now);
        Flush(now);
        return answer;
    }

    /// <summary>See <see cref="SwimCore.StreamAnswered"/>.</summary>
    public void StreamAnswered(long exchange, SwimMessage answer, TimeSpan now)
    {
        _now = now;
        _swim.StreamAnswered(exchange, answer, now);
        Flush(now);
    }

    /// <summary>See <see cref="SwimCore.StreamFailed"/>.</summary>
    public void StreamFailed(long exchange, string reason, TimeSpan now)
    {
        _now = now;
        _swim.StreamFailed(exchange, reason, now);
        Flush(now);
    }

    /// <summary>Does what is due.</summary>
    public void Tick(TimeSpan now)
    {
        _now = now;
        _swim.Tick(now);
        while (_timers.TryPeek(out var action, out var due) && due.At <= now)
        {
            _timers.Dequeue();
            action(now);
        }

        Flush(now);
    }

    /// <summary>Says other things about this member from now on.</summary>
    /// <exception cref="ArgumentException">They are too large.</exception>
    public void SetTags(IReadOnlyDictionary<string, string> tags, TimeSpan now)
    {
        _now = now;
        _swim.UpdateMeta(Encoded(tags), now);
        _tags = tags;
        Flush(now);
    }

    private static byte[] Encoded(IReadOnlyDictionary<string, string> tags) => TagsCodec.TryEncode(tags, out var meta)
        ? meta
        : throw new ArgumentException(
            $"the tags have more than the {WireLimits.MetaBytesMax} bytes that a member may say of itself",
            nameof(tags));

    private static IReadOnlyDictionary<string, string> Decoded(ReadOnlyMemory<byte> meta) =>
        TagsCodec.TryDecode(meta.Span, out var tags) ? tags : new Dictionary<string, string>(StringComparer.Ordinal);

    private void Later(TimeSpan wait, Action<TimeSpan> action) =>
        _timers.Enqueue(action, (_now + wait, _timerOrders++));

    // What delegates want of the core waits until the core is done with what called them.
    private void Flush(TimeSpan now)
    {
        for (var i = 0; i < _later.Count; i++)
        {
            _later[i](now);
        }

        _later.Clear();
        if (_intents.Count + _queries.Count + _events.Count > 0)
        {
            _swim.BroadcastsQueued(now);
        }
    }

    private void Spread(
        BroadcastQueue queue, ReadOnlyMemory<byte> encoded, string? name = null, Action? finished = null)
    {
        SwimMessage message = new UserMessage(encoded);
        queue.Enqueue(name, message, _transport.EncodedSize(message), finished);
    }

    private void Spread(BroadcastQueue queue, SerfMessage message, Action? finished = null) =>
        Spread(queue, SerfCodec.Encode(message), name: null, finished);

    private void Take(ReadOnlyMemory<byte> payload, IPEndPoint from)
    {
        if (payload.Length > SerfLimits.MessageBytesMax || !SerfCodec.TryDecode(payload.Span, out var message))
        {
            _listener.Note(SwimNote.Unexpected, $"a message from {from} that is none of serf's, or too large for one");
            return;
        }

        switch (message)
        {
            case LeaveIntent leave when HearLeave(leave):
            case JoinIntent join when HearJoin(join):
                Spread(_intents, payload);
                break;
            case UserEvent happened when HearEvent(happened):
                Spread(_events, payload);
                break;
            case Query query when HearQuery(query) && !query.Flags.HasFlag(QueryFlags.NoBroadcast):
                Spread(_queries, payload);
                break;
            case QueryResponse answer:
                HearAnswer(answer);
                break;
            case Relay relay when MaySendTo(relay.Destination, relay.DestinationNode):
                _swim.SendUser(relay.Destination, relay.Message);
                break;
        }
    }

    /// <summary>What SWIM tells this layer.</summary>
    private sealed class Upper(SerfCore serf) : SwimDelegate
    {
        public override bool HasBroadcasts => serf._intents.Count + serf._queries.Count + serf._events.Count > 0;

        public override void MemberJoined(Member member) => serf.Joined(member);

        public override void MemberUpdated(Member member) => serf.Updated(member);

        public override void MemberGone(Member member) => serf.Gone(member);

        public override void NameConflict(Member existing, Alive claim) =>
            serf._listener.NameConflict(serf.Seen(existing, SerfStatus.Alive), claim.Address);

        public override void UserMessage(ReadOnlyMemory<byte> payload, IPEndPoint from) => serf.Take(payload, from);

        public override ReadOnlyMemory<byte> AckPayload() => serf.AckPayload();

        public override void PingCompleted(Member member, TimeSpan roundTrip, ReadOnlyMemory<byte> payload) =>
            serf.PingCompleted(member, roundTrip, payload);

        public override string? RefuseMerge(IReadOnlyList<PushNodeState> remote) => serf.RefuseMerge(remote);

        public override ReadOnlyMemory<byte> LocalState(bool join) => serf.LocalState();

        public override void MergeRemoteState(ReadOnlyMemory<byte> state, bool join) => serf.MergeState(state, join);

        public override void CollectBroadcasts(int overhead, int bytesMax, List<SwimMessage> packet)
        {
            // Intents first: they decide how a silence is read. Queries wait for answers, events for nobody.
            bytesMax -= serf._intents.Collect(overhead, bytesMax, packet);
            bytesMax -= serf._queries.Collect(overhead, bytesMax, packet);
            serf._events.Collect(overhead, bytesMax, packet);
        }

        public override void JoinCompleted(long join, IPEndPoint seed, string? error) =>
            serf.JoinCompleted(join, seed, error);

        public override void LeaveSpread() => serf._later.Add(serf.LeaveWasSpread);

        public override void Note(SwimNote note, string detail) => serf._listener.Note(note, detail);
    }
}
