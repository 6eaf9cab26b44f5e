using System.Net;
using Gossip;
using Gossip.Serf;
using Gossip.Serf.Wire;
using Gossip.Swim;
using Gossip.Wire;

namespace Simulation.Serf;

/// <summary>Members of a pool in one process: a network without loss, a clock that jumps from event to event.</summary>
internal sealed class SerfWorld : IDisposable
{
    private static readonly TimeSpan Delay = TimeSpan.FromMilliseconds(1);

    private readonly PriorityQueue<Action, (TimeSpan At, long Order)> _events = new();
    private readonly Dictionary<IPEndPoint, SerfPeer> _peers = [];
    private readonly PacketCodec _codec = new(new WireOptions(), new Keyring());
    private long _order;

    public TimeSpan Now { get; private set; }

    /// <summary>Where packets went that is nobody of this network.</summary>
    public List<IPEndPoint> Strays { get; } = [];

    public SerfPeer Add(string name, Func<SerfConfig, SerfConfig>? change = null, ISerfKeyring? keys = null)
    {
        var address = new IPEndPoint(IPAddress.Parse("10.0.0.1"), 1000 + _peers.Count);
        var config = new SerfConfig
        {
            Swim = SwimConfig.Lan(name, address),
            Tags = new Dictionary<string, string>(StringComparer.Ordinal) { ["role"] = "node", ["name"] = name },
        };
        var peer = new SerfPeer(this, change?.Invoke(config) ?? config, keys, new Random(_peers.Count + 1));
        _peers.Add(address, peer);
        peer.Core.Start(Now);
        Arm(peer);
        return peer;
    }

    /// <summary>Lets time pass.</summary>
    public void Run(TimeSpan time)
    {
        var end = Now + time;
        while (_events.TryPeek(out var action, out var due) && due.At <= end)
        {
            _events.Dequeue();
            Now = due.At;
            action();
        }

        Now = end;
    }

    public void At(TimeSpan wait, Action action) => _events.Enqueue(action, (Now + wait, _order++));

    public void Arm(SerfPeer peer)
    {
        if (peer.Core.NextDeadline is not { } due || peer.IsDown || peer.ArmedFor <= due && peer.ArmedFor > Now)
        {
            return;
        }

        peer.ArmedFor = due > Now ? due : Now + TimeSpan.FromTicks(1);
        At(peer.ArmedFor - Now, () =>
        {
            if (!peer.IsDown)
            {
                peer.Core.Tick(Now);
                Arm(peer);
            }
        });
    }

    public int SizeOf(SwimMessage message) => _codec.Encode(message).Length;

    public void Deliver(SerfPeer from, IPEndPoint to, SwimMessage message) => At(Delay, () =>
    {
        if (!_peers.TryGetValue(to, out var peer))
        {
            Strays.Add(to);
        }
        else if (!peer.IsDown && !from.IsDown)
        {
            peer.Core.Receive(message, from.Address, Now);
            Arm(peer);
        }
    });

    public void Exchange(SerfPeer from, long exchange, IPEndPoint to, SwimMessage request) => At(Delay, () =>
    {
        if (!_peers.TryGetValue(to, out var peer) || peer.IsDown)
        {
            from.Core.StreamFailed(exchange, "connection refused", Now);
        }
        else if (peer.Core.AnswerStream(request, from.Address, Now) is { } answer)
        {
            Arm(peer);
            from.Core.StreamAnswered(exchange, answer, Now);
        }

        Arm(from);
    });

    public void Dispose() => _codec.Dispose();
}

/// <summary>One member, with what it was told.</summary>
internal sealed class SerfPeer : ISwimTransport, ISerfListener
{
    private readonly SerfWorld _world;

    public SerfPeer(SerfWorld world, SerfConfig config, ISerfKeyring? keys, Random random)
    {
        _world = world;
        Address = config.Swim.Address;
        Core = new SerfCore(config, this, this, keys, random);
    }

    public SerfCore Core { get; }

    public IPEndPoint Address { get; }

    /// <summary>Its machine has failed: nothing comes and nothing goes.</summary>
    public bool IsDown { get; set; }

    public bool HasLeft { get; private set; }

    public TimeSpan ArmedFor { get; set; }

    public List<string> Changes { get; } = [];

    public List<string> Events { get; } = [];

    public List<ReceivedQuery> Queries { get; } = [];

    /// <summary>Answers every query with its own name.</summary>
    public bool AnswersQueries { get; set; }

    public int PacketBytesMax => 1300;

    public SerfStatus StatusOf(string name) => Core.Find(name)?.Status ?? SerfStatus.None;

    public void Join(SerfPeer seed)
    {
        Core.Join(seed.Address, _world.Now);
        _world.Arm(this);
    }

    public void Leave()
    {
        Core.Leave(_world.Now);
        _world.Arm(this);
    }

    public string? Fire(string name, string payload = "")
    {
        var problem = Core.FireEvent(name, System.Text.Encoding.UTF8.GetBytes(payload), coalesces: false, _world.Now);
        _world.Arm(this);
        return problem;
    }

    public QueryEar Ask(QueryRequest request)
    {
        var ear = new QueryEar();
        ear.Problem = Core.Ask(request, ear, _world.Now);
        _world.Arm(this);
        return ear;
    }

    public int EncodedSize(SwimMessage message) => _world.SizeOf(message);

    public void SendPacket(IPEndPoint to, ReadOnlySpan<SwimMessage> messages)
    {
        foreach (var message in messages)
        {
            _world.Deliver(this, to, message);
        }
    }

    public void Exchange(long exchange, IPEndPoint to, SwimMessage request, TimeSpan timeout) =>
        _world.Exchange(this, exchange, to, request);

    public void MemberChanged(MemberChange change, SerfMember member) => Changes.Add($"{change} {member.Name}");

    public void UserEventReceived(UserEvent happened) => Events.Add(happened.Name);

    public void QueryReceived(ReceivedQuery query)
    {
        Queries.Add(query);
        if (AnswersQueries)
        {
            _world.At(TimeSpan.Zero, () =>
                Core.Answer(query, System.Text.Encoding.UTF8.GetBytes(Core.Name), _world.Now));
        }
    }

    public string? RefuseMerge(IReadOnlyList<SerfMember> members) => null;

    public void NameConflict(SerfMember existing, IPEndPoint claimant) => Changes.Add($"Conflict {existing.Name}");

    public void JoinCompleted(long join, IPEndPoint seed, string? error) => Changes.Add(error ?? "joined");

    public void LeaveCompleted() => HasLeft = true;

    public void Note(SwimNote note, string detail)
    {
    }
}

/// <summary>Hears the answers to a query.</summary>
internal sealed class QueryEar : IQueryListener
{
    public string? Problem { get; set; }

    public List<string> Acks { get; } = [];

    public List<string> Answers { get; } = [];

    public bool HasEnded { get; private set; }

    public void Acked(string from) => Acks.Add(from);

    public void Answered(string from, ReadOnlyMemory<byte> payload) => Answers.Add(from);

    public void Ended() => HasEnded = true;
}
