using System.Net;
using Gossip.Wire;

namespace Gossip.Swim;

// One member at a time is probed: a direct ping first; without an answer within ProbeTimeout several others are asked
// to ping it, and a stream to it is tried; without any answer until the end of the (stretched) probe interval it is
// suspected. Each round goes through all members in another random order, which bounds the time to the first probe.
public sealed partial class SwimCore
{
    private readonly Dictionary<uint, Deadline> _awaited = [];
    private uint _sequence;
    private int _probeIndex;
    private int _relays;
    private Probe? _probe;
    private bool _isProbeOverdue;
    private string? _probeFirst;
    private bool _wasProbedFirst;

    // A random start keeps members that were started together from acting together.
    private void ArmProbing(TimeSpan now)
    {
        if (_probeTick.Index < 0 && _members.Count > 1)
        {
            _deadlines.Set(_probeTick, now + (_config.ProbeInterval * _random.NextDouble()));
        }
    }

    private void ProbeTicked(TimeSpan now)
    {
        if (_members.Count <= 1)
        {
            // Alone there is nobody to probe; whoever comes sets the timer again.
            return;
        }

        var next = _probeTick.At + _config.ProbeInterval;
        // After a pause the missed ticks are left out: they would only come all at once.
        _deadlines.Set(_probeTick, next > now ? next : now + _config.ProbeInterval);
        if (_probe is not null)
        {
            _isProbeOverdue = true;
            return;
        }
        StartProbe(now);
    }

    private void StartProbe(TimeSpan now)
    {
        _isProbeOverdue = false;
        if (NextTarget(now) is not { } target)
        {
            return;
        }
        var probe = new Probe(target, ++_sequence, now, now + _awareness.Scale(_config.ProbeInterval));
        _probe = probe;
        _awaited[probe.Sequence] = probe;
        _deadlines.Set(probe, now + _config.ProbeTimeout);
        var ping = new Ping(probe.Sequence, target.Name, _config.Address, Name);
        if (target.State == MemberState.Suspect && _config.Lifeguard)
        {
            PingSuspect(target, ping);
            return;
        }
        Send(target.Address, ping);
    }

    /// <summary>Pings a suspect and tells it before that it is one: then its refutation rides on the answer.</summary>
    private void PingSuspect(Member target, Ping ping) =>
        Send(target.Address, new Suspect(target.Incarnation, target.Name, Name), ping);

    /// <summary>The next member in this round that may live; null: there is none but this one.</summary>
    private Member? NextTarget(TimeSpan now)
    {
        if (TakeProbeFirst() is { } preferred)
        {
            return preferred;
        }
        for (var seen = 0; seen <= _members.Count; seen++)
        {
            if (_probeIndex >= _members.Count)
            {
                StartRound(now);
            }
            var member = _members[_probeIndex++];
            if (!member.IsGone && member.Name != Name)
            {
                return member;
            }
        }
        return null;
    }

    /// <summary>
    /// Whose name is claimed by another is looked at soon; never twice running, so that it cannot block others.
    /// </summary>
    private Member? TakeProbeFirst()
    {
        var name = _probeFirst;
        _probeFirst = null;
        if (name is null || _wasProbedFirst)
        {
            _wasProbedFirst = false;
            return null;
        }
        _wasProbedFirst = _members.Find(name) is { IsGone: false };
        return _wasProbedFirst ? _members.Find(name) : null;
    }

    private void StartRound(TimeSpan now)
    {
        _probeIndex = 0;
        _members.ForgetAndShuffle(
            member => member.IsGone && member.Name != Name && now - member.ChangedAt > _config.GossipToTheDeadTime);
    }

    private void ProbeWaited(Probe probe, TimeSpan now)
    {
        if (probe.AskedOthers)
        {
            ProbeEnded(probe, now);
            return;
        }
        probe.AskedOthers = true;
        // If this member itself was stopped meanwhile, the answers get their time all the same.
        probe.Ends = probe.Ends > now ? probe.Ends : now + _config.ProbeTimeout;
        _deadlines.Set(probe, probe.Ends);
        AskOthers(probe);
        if (_config.StreamPings && probe.Target.Versions.ProtocolMax >= 3)
        {
            var ping = new Ping(probe.Sequence, probe.Target.Name, _config.Address, Name);
            Begin(new StreamExchange(ExchangeKind.Ping, probe.Target.Address, ping, probe), probe.Ends - now, now);
        }
    }

    private void AskOthers(Probe probe)
    {
        var helpers = new Member[_config.IndirectChecks];
        var target = probe.Target.Name;
        var count = _members.Choose(
            helpers, member => member.State == MemberState.Alive && member.Name != Name && member.Name != target);
        foreach (var helper in helpers.AsSpan(0, count))
        {
            var wantsNack = _config.Lifeguard && helper.Versions.ProtocolMax >= 4;
            probe.NacksExpected += wantsNack ? 1 : 0;
            Send(helper.Address, new IndirectPing(
                probe.Sequence, probe.Target.Address, target, wantsNack, _config.Address, Name));
        }
    }

    private void ProbeEnded(Probe probe, TimeSpan now)
    {
        if (probe.IsStreamAnswered)
        {
            _upper.Note(SwimNote.OnlyStreamsReach, probe.Target.Name);
            ProbeSucceeded(probe, now);
            return;
        }
        // Helpers that say nothing at all, not even that they failed, point at ourselves.
        _awareness.Add(probe.NacksExpected == 0 ? 1 : Math.Max(0, probe.NacksExpected - probe.Nacks));
        _upper.Note(SwimNote.ProbeFailed, probe.Target.Name);
        EndProbe(probe);
        BelieveSuspect(new Suspect(probe.Target.Incarnation, probe.Target.Name, Name), now);
        StartIfOverdue(now);
    }

    private void ProbeSucceeded(Probe probe, TimeSpan now)
    {
        _awareness.Add(-1);
        EndProbe(probe);
        StartIfOverdue(now);
    }

    private void EndProbe(Probe probe)
    {
        _awaited.Remove(probe.Sequence);
        _deadlines.Remove(probe);
        _probe = null;
    }

    private void StartIfOverdue(TimeSpan now)
    {
        if (_isProbeOverdue)
        {
            StartProbe(now);
        }
    }

    private void AnswerPing(Ping ping, IPEndPoint from)
    {
        // A ping for somebody else is for who had this address before.
        if (ping.Node.Length == 0 || ping.Node == Name)
        {
            Send(ping.Source ?? from, new Ack(ping.SequenceNumber, _upper.AckPayload()));
        }
    }

    private void TakeAck(Ack ack, TimeSpan now)
    {
        if (!_awaited.TryGetValue(ack.SequenceNumber, out var waiting))
        {
            return;
        }
        if (waiting is Reconnect reconnect)
        {
            LostAnswered(reconnect, now);
            return;
        }
        if (waiting is Relay relay)
        {
            EndRelay(relay);
            Send(relay.Asker, new Ack(relay.AskerSequence, ReadOnlyMemory<byte>.Empty));
            return;
        }
        var probe = (Probe)waiting;
        // Later answers may have gone through others: their time says nothing of the distance.
        if (!probe.AskedOthers)
        {
            _upper.PingCompleted(_members.Find(probe.Target.Name) ?? probe.Target, now - probe.Sent, ack.Payload);
        }
        ProbeSucceeded(probe, now);
    }

    private void TakeNack(Nack nack)
    {
        if (_awaited.TryGetValue(nack.SequenceNumber, out var waiting) && waiting is Probe probe)
        {
            probe.Nacks++;
        }
    }

    private void PingForAnother(IndirectPing request, IPEndPoint from, TimeSpan now)
    {
        if (_relays >= SwimLimits.RelaysMax)
        {
            _upper.Note(
                SwimNote.ClaimDropped, $"indirect ping for {request.Node}: {SwimLimits.RelaysMax} are under way");
            return;
        }
        var relay = new Relay(++_sequence, request.Source ?? from, request.SequenceNumber, request.WantsNack);
        _relays++;
        _awaited[relay.Sequence] = relay;
        _deadlines.Set(relay, now + _config.ProbeTimeout);
        var target = request.Target.Port == 0
            ? new IPEndPoint(request.Target.Address, _config.Address.Port)
            : request.Target;
        Send(target, new Ping(relay.Sequence, request.Node, _config.Address, Name));
    }

    private void RelayWaited(Relay relay)
    {
        EndRelay(relay);
        if (relay.WantsNack)
        {
            Send(relay.Asker, new Nack(relay.AskerSequence));
        }
    }

    private void EndRelay(Relay relay)
    {
        _relays--;
        _awaited.Remove(relay.Sequence);
        _deadlines.Remove(relay);
    }

    /// <summary>A probe under way. Its deadline is first the direct answer's, then the whole probe's.</summary>
    private sealed class Probe(Member target, uint sequence, TimeSpan sent, TimeSpan ends) : Deadline
    {
        public Member Target => target;

        public uint Sequence => sequence;

        public TimeSpan Sent => sent;

        public TimeSpan Ends { get; set; } = ends;

        public bool AskedOthers { get; set; }

        public bool IsStreamAnswered { get; set; }

        public int NacksExpected { get; set; }

        public int Nacks { get; set; }
    }

    /// <summary>A ping carried out for another member.</summary>
    private sealed class Relay(uint sequence, IPEndPoint asker, uint askerSequence, bool wantsNack) : Deadline
    {
        public uint Sequence => sequence;

        public IPEndPoint Asker => asker;

        public uint AskerSequence => askerSequence;

        public bool WantsNack => wantsNack;
    }
}
