using System.Net;
using Gossip.Wire;

namespace Gossip.Swim;

// Two members exchange everything they know over a stream: to join, and now and then so that what gossip lost is
// mended. A stream also serves as the last means of a probe.
public sealed partial class SwimCore
{
    /// <summary>How long after the driver should have reported an exchange it is given up here.</summary>
    private static readonly TimeSpan ReportGrace = TimeSpan.FromSeconds(1);

    private readonly Dictionary<long, StreamExchange> _exchanges = [];
    private long _exchangeNumber;
    private StreamExchange? _pushPull;

    private enum ExchangeKind
    {
        Ping,
        PushPull,
        Join,
    }

    /// <summary>Exchanges everything known with somebody, so that its pool and this member's become one.</summary>
    /// <returns>A number that <see cref="SwimDelegate.JoinCompleted"/> repeats.</returns>
    public long Join(IPEndPoint seed, TimeSpan now)
    {
        var exchange = new StreamExchange(ExchangeKind.Join, seed, LocalState(join: true), probe: null);
        Begin(exchange, _config.StreamTimeout, now);
        Arm(now);
        return exchange.Number;
    }

    /// <summary>Takes in the one message that somebody sent over a stream.</summary>
    /// <returns>The answer to write back; null: none, close the stream.</returns>
    public SwimMessage? AnswerStream(SwimMessage request, IPEndPoint from, TimeSpan now)
    {
        SwimMessage? answer = null;
        switch (request)
        {
            case PushPull remote:
                // The answer is what was known before, so that each side's news crosses the wire once.
                answer = LocalState(remote.Join);
                if (Merge(remote, now) is { } error)
                {
                    _upper.Note(SwimNote.PushPullFailed, $"from {from}: {error}");
                }
                break;
            case Ping ping when ping.Node.Length == 0 || ping.Node == Name:
                answer = new Ack(ping.SequenceNumber, ReadOnlyMemory<byte>.Empty);
                break;
            case UserMessage user:
                _upper.UserMessage(user.Payload, from);
                break;
            default:
                _upper.Note(SwimNote.Unexpected, request.GetType().Name);
                break;
        }
        Arm(now);
        return answer;
    }

    /// <summary>Reports the answer to <see cref="ISwimTransport.Exchange"/>.</summary>
    public void StreamAnswered(long number, SwimMessage answer, TimeSpan now)
    {
        if (!_exchanges.TryGetValue(number, out var exchange))
        {
            return;
        }
        switch (answer)
        {
            case Ack ack when exchange.Probe is { } probe && ack.SequenceNumber == probe.Sequence:
                // Counted when the probe ends: until then an answer by packet may show that UDP is well too.
                probe.IsStreamAnswered = true;
                End(exchange);
                break;
            case PushPull remote when exchange.Kind != ExchangeKind.Ping:
                ExchangeEnded(exchange, Merge(remote, now));
                break;
            case ErrorResponse refusal:
                ExchangeEnded(exchange, $"refused: {refusal.Error}");
                break;
            default:
                ExchangeEnded(exchange, $"unexpected answer: {answer.GetType().Name}");
                break;
        }
        Arm(now);
    }

    /// <summary>Reports that <see cref="ISwimTransport.Exchange"/> got no answer.</summary>
    public void StreamFailed(long number, string reason, TimeSpan now)
    {
        if (_exchanges.TryGetValue(number, out var exchange))
        {
            ExchangeEnded(exchange, reason);
            Arm(now);
        }
    }

    private void PushPullTicked(TimeSpan now)
    {
        _deadlines.Set(_pushPullTick, now + SwimScale.PushPullInterval(_config.PushPullInterval, _members.Count));
        if (_pushPull is not null)
        {
            return;
        }
        var chosen = new Member[1];
        if (_members.Choose(chosen, member => member.State == MemberState.Alive && member.Name != Name) == 0)
        {
            return;
        }
        _pushPull = new StreamExchange(ExchangeKind.PushPull, chosen[0].Address, LocalState(join: false), probe: null);
        Begin(_pushPull, _config.StreamTimeout, now);
    }

    private void Begin(StreamExchange exchange, TimeSpan timeout, TimeSpan now)
    {
        exchange.Number = ++_exchangeNumber;
        _exchanges[exchange.Number] = exchange;
        // Refused a moment later, not here: who called Join must have the number first.
        var isTooMany = _exchanges.Count > SwimLimits.ExchangesMax;
        _deadlines.Set(exchange, isTooMany ? now : now + timeout + ReportGrace);
        if (!isTooMany)
        {
            _transport.Exchange(exchange.Number, exchange.To, exchange.Request, timeout);
        }
    }


    private void ExchangeEnded(StreamExchange exchange, string? error)
    {
        End(exchange);
        if (exchange.Kind == ExchangeKind.Join)
        {
            _upper.JoinCompleted(exchange.Number, exchange.To, error);
        }
        else if (error is not null && exchange.Kind == ExchangeKind.PushPull)
        {
            _upper.Note(SwimNote.PushPullFailed, $"with {exchange.To}: {error}");
        }
    }

    private void End(StreamExchange exchange)
    {
        _exchanges.Remove(exchange.Number);
        _deadlines.Remove(exchange);
        if (ReferenceEquals(_pushPull, exchange))
        {
            _pushPull = null;
        }
    }

    private PushPull LocalState(bool join)
    {
        var states = new PushNodeState[_members.Count];
        for (var i = 0; i < states.Length; i++)
        {
            states[i] = _members[i].Known;
        }
        return new PushPull(join, states, _upper.LocalState(join));
    }

    /// <summary>Takes in what the other side knows. Returns why not; null: it did.</summary>
    private string? Merge(PushPull remote, TimeSpan now)
    {
        var error = VersionConflict(remote.Nodes);
        if (error is null && remote.Join)
        {
            error = _upper.RefuseMerge(remote.Nodes);
        }
        if (error is not null)
        {
            return error;
        }
        foreach (var node in remote.Nodes)
        {
            Merge(node, now);
        }
        if (!remote.UserState.IsEmpty)
        {
            _upper.MergeRemoteState(remote.UserState, remote.Join);
        }
        return null;
    }

    private void Merge(PushNodeState node, TimeSpan now)
    {
        switch (node.State)
        {
            case MemberState.Alive:
                if (IsNews(node))
                {
                    BelieveAlive(
                        new Alive(node.Incarnation, node.Name, node.Address, node.Meta, node.Versions), now);
                }
                break;
            case MemberState.Left:
                BelieveDead(new Dead(node.Incarnation, node.Name, node.Name), now);
                break;
            case MemberState.Dead:
            case MemberState.Suspect:
                // What others hold dead is only suspected here: it can refute, if it is a mistake.
                BelieveSuspect(new Suspect(node.Incarnation, node.Name, Name), now);
                break;
            default:
                _upper.Note(SwimNote.ClaimDropped, $"state {(int)node.State} of {node.Name} is not known");
                break;
        }
    }

    /// <summary>Leaves out early what changes nothing, since that is nearly all of a push-pull.</summary>
    private bool IsNews(PushNodeState node) => _members.Find(node.Name) is not { } known
        || node.Incarnation > known.Incarnation || node.Name == Name || !node.Address.Equals(known.Address);

    /// <summary>Why not all members on both sides understand each other; null: they do.</summary>
    private string? VersionConflict(IReadOnlyList<PushNodeState> remote)
    {
        var range = new VersionRange();
        foreach (var node in remote)
        {
            range.Narrow(node);
        }
        foreach (var member in _members.All)
        {
            range.Narrow(member.Known);
        }
        foreach (var node in remote)
        {
            if (range.Conflict(node) is { } conflict)
            {
                return conflict;
            }
        }
        foreach (var member in _members.All)
        {
            if (range.Conflict(member.Known) is { } conflict)
            {
                return conflict;
            }
        }
        return null;
    }

    /// <summary>An exchange over a stream that this member began.</summary>
    private sealed class StreamExchange(ExchangeKind kind, IPEndPoint to, SwimMessage request, Probe? probe) : Deadline
    {
        public ExchangeKind Kind => kind;

        public IPEndPoint To => to;

        public SwimMessage Request => request;

        public Probe? Probe => probe;

        public long Number { get; set; }
    }

    /// <summary>The versions that all live members understand.</summary>
    private struct VersionRange
    {
        private byte _protocolMin;
        private byte _protocolMax = byte.MaxValue;
        private byte _delegateMin;
        private byte _delegateMax = byte.MaxValue;

        public VersionRange()
        {
        }

        public void Narrow(PushNodeState node)
        {
            if (node.State != MemberState.Alive || node.Versions == default)
            {
                return;
            }
            _protocolMin = Math.Max(_protocolMin, node.Versions.ProtocolMin);
            _protocolMax = Math.Min(_protocolMax, node.Versions.ProtocolMax);
            _delegateMin = Math.Max(_delegateMin, node.Versions.DelegateMin);
            _delegateMax = Math.Min(_delegateMax, node.Versions.DelegateMax);
        }

        public readonly string? Conflict(PushNodeState node)
        {
            if (node.State is MemberState.Dead or MemberState.Left)
            {
                return null;
            }
            var versions = node.Versions;
            if (versions.ProtocolCurrent < _protocolMin || versions.ProtocolCurrent > _protocolMax)
            {
                return $"member {node.Name} speaks protocol {versions.ProtocolCurrent}, all others "
                    + $"{_protocolMin} to {_protocolMax}";
            }
            return versions.DelegateCurrent < _delegateMin || versions.DelegateCurrent > _delegateMax
                ? $"member {node.Name} speaks the upper protocol {versions.DelegateCurrent}, all others "
                    + $"{_delegateMin} to {_delegateMax}"
                : null;
        }
    }
}
