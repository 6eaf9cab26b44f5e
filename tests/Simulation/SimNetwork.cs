using System.Net;
using Gossip.Swim;
using Gossip.Wire;

namespace Simulation;

/// <summary>What the simulated network does to packets.</summary>
internal sealed record SimFaults
{
    /// <summary>The share of packets that get lost, each way.</summary>
    public double Loss { get; init; }

    /// <summary>The share of packets that arrive twice.</summary>
    public double Duplicates { get; init; }

    /// <summary>The shortest way of a packet.</summary>
    public TimeSpan DelayMin { get; init; } = TimeSpan.FromMilliseconds(0.2);

    /// <summary>The longest; packets overtake each other within the difference.</summary>
    public TimeSpan DelayMax { get; init; } = TimeSpan.FromMilliseconds(1);

    /// <summary>Whether packets and streams from one member (index) reach another. Null: all do.</summary>
    public Func<int, int, bool>? IsCut { get; init; }
}

/// <summary>
/// A pool of members on one virtual clock: the same seed gives the same run, event by event. Nothing waits, nothing
/// runs beside anything else.
/// </summary>
internal sealed class SimNetwork
{
    private const ulong HashPrime = 1_099_511_628_211;

    /// <summary>A stream that lost a packet gets it again after about this long.</summary>
    private static readonly TimeSpan Retransmission = TimeSpan.FromMilliseconds(200);

    private readonly PriorityQueue<SimEvent, (long At, long Order)> _events = new();
    private readonly Dictionary<IPEndPoint, SimMember> _addresses = [];
    private readonly List<SimMember> _members = [];
    private readonly Random _random;
    private long _orders;

    public SimNetwork(int seed, SimFaults? faults = null)
    {
        Seed = seed;
        _random = new Random(seed);
        Faults = faults ?? new SimFaults();
    }

    public int Seed { get; }

    public SimFaults Faults { get; set; }

    public TimeSpan Now { get; private set; }

    /// <summary>Changed by everything that happens: two runs with the same value were the same.</summary>
    public ulong TraceHash { get; private set; } = 14_695_981_039_346_656_037;

    public long Steps { get; private set; }

    public IReadOnlyList<SimMember> Members => _members;

    public IEnumerable<SimMember> Running => _members.Where(member => member.IsRunning);

    /// <summary>Called after each event with the member that it happened to.</summary>
    public Action<SimMember>? AfterStep { get; set; }

    /// <summary>Called when a member's belief of another becomes dead: observer, subject.</summary>
    public Action<SimMember, Member>? OnDead { get; set; }

    public SimMember this[string name] => _members.Last(member => member.Name == name);

    /// <summary>A pool of members that have known each other for long.</summary>
    public static SimNetwork Settled(
        int seed, int members, SimFaults? faults = null, Func<SwimConfig, SwimConfig>? configure = null)
    {
        var network = new SimNetwork(seed, faults);
        for (var i = 0; i < members; i++)
        {
            network.Add($"m{i}", configure);
        }
        var known = network._members
            .Select(member => new Member(
                new PushNodeState(
                    member.Name, member.Address, default, 1, MemberState.Alive, ProtocolVersions.Default), default))
            .ToArray();
        foreach (var member in network._members)
        {
            member.StartAmong(known);
        }
        return network;
    }

    /// <summary>Adds a machine; it does nothing until it is started.</summary>
    public SimMember Add(string name, Func<SwimConfig, SwimConfig>? configure = null)
    {
        var index = _members.Count;
        var address = new IPEndPoint(new IPAddress([10, (byte)(index >> 16), (byte)(index >> 8), (byte)index]), 8301);
        var config = SwimConfig.Lan(name, address);
        var member = new SimMember(this, index, configure?.Invoke(config) ?? config);
        _members.Add(member);
        _addresses[address] = member;
        return member;
    }

    public Random NewRandom() => new(_random.Next());

    public void Advance(TimeSpan time) => RunUntil(Now + time, static () => false);

    /// <summary>
    /// Runs until the condition holds, looked at in steps of 50 ms. Null: it did not within the time.
    /// </summary>
    public TimeSpan? Until(Func<bool> condition, TimeSpan atMost)
    {
        var start = Now;
        while (!condition())
        {
            if (Now - start >= atMost)
            {
                return null;
            }
            Advance(TimeSpan.FromMilliseconds(50));
        }
        return Now - start;
    }

    /// <summary>Whether each running member believes that exactly the running ones live.</summary>
    public bool IsConverged()
    {
        var running = Running.ToArray();
        return running.All(observer => running.All(
            subject => observer.Core.Find(subject.Name) is { State: MemberState.Alive } known
                && known.Address.Equals(subject.Address))
            && observer.Core.Members().Count(member => !member.IsGone) == running.Length);
    }

    public void Schedule(TimeSpan at, SimEvent what) =>
        _events.Enqueue(what, (Math.Max(at.Ticks, Now.Ticks), _orders++));

    public void Send(SimMember from, IPEndPoint to, SwimMessage[] messages)
    {
        if (!_addresses.TryGetValue(to, out var target) || IsCut(from, target) || IsLost())
        {
            return;
        }
        Schedule(Now + Delay(), new SimEvent(SimEventKind.Packet, target, from, messages));
        if (Faults.Duplicates > 0 && _random.NextDouble() < Faults.Duplicates)
        {
            Schedule(Now + Delay(), new SimEvent(SimEventKind.Packet, target, from, messages));
        }
    }

    /// <summary>Carries a request over a stream and the answer back; a cut or a dead peer shows as a timeout.</summary>
    public void OpenStream(SimMember from, long number, IPEndPoint to, SwimMessage request, TimeSpan timeout)
    {
        var stream = new SimStream(number, request, Now + timeout);
        if (!_addresses.TryGetValue(to, out var target) || !target.IsRunning || IsCut(from, target)
            || IsCut(target, from))
        {
            Schedule(stream.Ends, new SimEvent(SimEventKind.StreamFailed, from, from, [], stream));
            return;
        }
        var leaves = from.IsSlow ? from.SlowUntil : Now;
        Schedule(leaves + StreamDelay(), new SimEvent(SimEventKind.StreamRequest, target, from, [], stream));
    }

    public void AnswerStream(SimMember from, SimMember to, SimStream stream, SwimMessage? answer)
    {
        var arrives = Now + StreamDelay();
        var isAnswered = answer is not null && arrives <= stream.Ends && !IsCut(from, to);
        Schedule(
            isAnswered ? arrives : stream.Ends,
            new SimEvent(
                isAnswered ? SimEventKind.StreamAnswer : SimEventKind.StreamFailed,
                to,
                from,
                isAnswered ? [answer!] : [],
                stream));
    }

    public void Trace(long first, long second, long third)
    {
        TraceHash = (TraceHash ^ (ulong)first) * HashPrime;
        TraceHash = (TraceHash ^ (ulong)second) * HashPrime;
        TraceHash = (TraceHash ^ (ulong)third) * HashPrime;
    }

    private void RunUntil(TimeSpan end, Func<bool> isEnough)
    {
        while (!isEnough() && _events.TryPeek(out var next, out var key) && key.At <= end.Ticks)
        {
            _events.Dequeue();
            Now = TimeSpan.FromTicks(key.At);
            if (next.To.Take(next))
            {
                Steps++;
                AfterStep?.Invoke(next.To);
            }
        }
        Now = end;
    }

    private bool IsCut(SimMember from, SimMember to) => Faults.IsCut?.Invoke(from.Index, to.Index) ?? false;

    private bool IsLost() => Faults.Loss > 0 && _random.NextDouble() < Faults.Loss;

    private TimeSpan Delay() => Faults.DelayMin + ((Faults.DelayMax - Faults.DelayMin) * _random.NextDouble());

    private TimeSpan StreamDelay()
    {
        var delay = Delay() * 3;
        while (IsLost())
        {
            delay += Retransmission;
        }
        return delay;
    }
}

internal enum SimEventKind
{
    Wake,
    Packet,
    StreamRequest,
    StreamAnswer,
    StreamFailed,
    SlowEnds,
}

/// <summary>A stream under way.</summary>
internal sealed record SimStream(long Number, SwimMessage Request, TimeSpan Ends);

/// <summary>Something that happens to a member at a time.</summary>
internal readonly record struct SimEvent(
    SimEventKind Kind, SimMember To, SimMember From, SwimMessage[] Messages, SimStream? Stream = null);
