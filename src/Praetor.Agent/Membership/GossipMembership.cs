using Gossip.Coordinates;
using System.Net;
using System.Net.Sockets;
using Gossip.Pool;
using Gossip.Serf;
using Microsoft.Extensions.Logging;
using Praetor.Agent.Events;
using Praetor.Agent.Forwarding;
using Praetor.Agent.Http.Endpoints;
using Praetor.Agent.Runtime;
using Praetor.Server.Coordinates;

namespace Praetor.Agent.Membership;

/// <summary>Membership by gossip: the agents of the datacenter, and for servers those of all datacenters.</summary>
internal sealed partial class GossipMembership
    : IMembership, INetworkCoordinates, IEventBroadcaster, IServerSource, IAsyncDisposable
{
    private const string NewLeaderEvent = "consul:new-leader";

    /// <summary>How often what may have been missed is looked at again: servers for the WAN, members for the
    /// file.</summary>
    private static readonly TimeSpan LookAgainEvery = TimeSpan.FromMinutes(1);

    /// <summary>Changes come in crowds; they are acted on once things are quiet for so long.</summary>
    private static readonly TimeSpan SettleTime = TimeSpan.FromMilliseconds(200);

    private readonly GossipSettings _settings;
    private readonly AgentFacts _facts;
    private readonly TimeProvider _time;
    private readonly Random _random;
    private readonly ILogger _log;
    private readonly CancellationTokenSource _stop = new();
    private readonly SemaphoreSlim _changed = new(0, 1);
    private readonly Lock _gate = new();
    private readonly List<Action<IReadOnlyCollection<ServerPeer>>> _followers = [];
    private PoolSeat _lan = null!;
    private PoolSeat? _wan;
    private Task _loops = Task.CompletedTask;
    private bool _hasLeft;

    public GossipMembership(
        GossipSettings settings, AgentFacts facts, TimeProvider time, Random random, ILogger log)
    {
        (_settings, _facts, _time, _log) = (settings, facts, time, log);
        _random = new Random(random.Next());
    }

    /// <summary>Somebody came, went or changed; on a thread of the pool, one call after the other.</summary>
    public event Action<MemberChange, AgentMember, bool>? Changed;

    /// <summary>Takes user events that come from others or from here; set before <see cref="Start"/>.</summary>
    public Action<string, ReadOnlyMemory<byte>, ulong>? Delivered { get; set; }

    /// <summary>The agent cannot go on; set before <see cref="Start"/>.</summary>
    public Action<string>? Failed { get; set; }

    /// <summary>How many agents the datacenter has that live.</summary>
    public int AgentCount => _lan.Pool.Members().Count(static member => member.Status == SerfStatus.Alive);

    /// <summary>Opens the ports and begins to join.</summary>
    /// <exception cref="IOException">A port is taken, or a key or its file is wrong.</exception>
    public void Start()
    {
        _lan = Open(_settings.Lan, _facts.Member());
        _wan = _settings.Wan is { } wan ? Open(wan, _facts.WanMember()) : null;
        _lan.Pool.Start();
        _wan?.Pool.Start();
        var loops = new List<Task> { ActOnChangesAsync(), JoinUntilDoneAsync(_lan) };
        if (_wan is not null)
        {
            loops.Add(JoinUntilDoneAsync(_wan));
        }

        _loops = Task.WhenAll(loops);
    }

    public AgentMember Self(bool wan)
    {
        var seat = Seat(wan) ?? _lan;
        return seat.Pool.Find(seat.Name) is { } self ? Shown(self) : wan ? _facts.WanMember() : _facts.Member();
    }

    public IReadOnlyList<AgentMember> Members(bool wan) => Seat(wan) is { } seat
        ? [.. seat.Pool.Members().Select(Shown)]
        : [];

    public bool IsEncrypted(bool wan) => Seat(wan)?.Pool.IsEncrypted ?? false;

    public PoolFigures? Figures(bool wan) => Seat(wan)?.Pool.Figures();

    /// <summary>The pool, for who asks it more; null: this agent is not in it.</summary>
    public GossipPool? Pool(bool wan) => Seat(wan)?.Pool;

    public async Task<JoinOutcome> JoinAsync(IReadOnlyList<string> addresses, bool wan, CancellationToken stop)
    {
        if (Seat(wan) is not { } seat)
        {
            return new JoinOutcome(0, "Must be a server to join WAN cluster");
        }

        var problems = new List<string>();
        var joined = 0;
        foreach (var written in addresses)
        {
            var (found, unresolved) = await SeedAddresses.ResolveAsync(written, seat.Settings.PortDefault, _time, stop);
            if (unresolved is not null)
            {
                problems.Add($"Failed to resolve {written}: {unresolved}");
                continue;
            }

            foreach (var result in await seat.Pool.JoinAsync(found, stop))
            {
                joined += result.Problem is null ? 1 : 0;
                if (result.Problem is { } why)
                {
                    problems.Add($"Failed to join {result.Seed}: {why}");
                }
            }
        }

        return new JoinOutcome(joined, joined > 0 || problems.Count == 0 ? null : Errors(problems));
    }

    public Task<string?> ForceLeaveAsync(string name, bool prune, bool wan, CancellationToken stop)
    {
        var isKnown = !wan && _lan.Pool.ForceLeave(name, prune);
        if (_wan is not null)
        {
            var full = name.EndsWith("." + _facts.Node.Datacenter, StringComparison.Ordinal) || wan
                ? name
                : $"{name}.{_facts.Node.Datacenter}";
            isKnown |= _wan.Pool.ForceLeave(full, prune);
        }

        return Task.FromResult(isKnown ? null : $"agent: No node found with name '{name}'");
    }

    public async Task LeaveAsync(CancellationToken stop)
    {
        _hasLeft = true;
        if (_wan is not null)
        {
            await _wan.Pool.LeaveAsync(stop);
        }

        await _lan.Pool.LeaveAsync(stop);
        Remember();
    }

    public Task<string?> BroadcastAsync(string name, ReadOnlyMemory<byte> payload, CancellationToken stop) =>
        Task.FromResult(_lan.Pool.FireEvent(name, payload, coalesces: false));

    /// <summary>Tells all agents that this server leads now, by the event that Consul's agents know.</summary>
    public void TellOfLeader() =>
        _lan.Pool.FireEvent(NewLeaderEvent, System.Text.Encoding.UTF8.GetBytes(_facts.Node.Name), coalesces: false);

    public Coordinate Own(bool wan) => Seat(wan)?.Pool.Coordinate ?? Coordinate.Origin;

    public Coordinate? Of(string member, bool wan) => Seat(wan)?.Pool.CoordinateOf(member);

    public IDisposable Follow(Action<IReadOnlyCollection<ServerPeer>> changed)
    {
        lock (_gate)
        {
            _followers.Add(changed);
        }

        changed(Servers());
        return new Following(this, changed);
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        if (_lan is not null)
        {
            Remember();
            await _lan.Pool.DisposeAsync();
        }

        if (_wan is not null)
        {
            await _wan.Pool.DisposeAsync();
        }

        try
        {
            await _loops;
        }
        catch (OperationCanceledException)
        {
            // The loops were told to stop.
        }

        _stop.Dispose();
    }

    /// <summary>A member as the API shows it.</summary>
    private static AgentMember Shown(SerfMember member) => new(
        member.Name, member.Address.Address.ToString(), member.Address.Port, member.Tags, (MemberStatus)member.Status)
    {
        ProtocolMin = member.Versions.ProtocolMin,
        ProtocolMax = member.Versions.ProtocolMax,
        ProtocolCurrent = member.Versions.ProtocolCurrent,
        DelegateMin = member.Versions.DelegateMin,
        DelegateMax = member.Versions.DelegateMax,
        DelegateCurrent = member.Versions.DelegateCurrent,
    };

    private static string Errors(List<string> problems)
    {
        var count = problems.Count == 1 ? "1 error" : $"{problems.Count} errors";
        return $"{count} occurred:\n{string.Concat(problems.Select(static problem => $"\t* {problem}\n"))}\n";
    }

    private PoolSeat? Seat(bool wan) => wan ? _wan : _lan;

    private PoolSeat Open(PoolSettings settings, AgentMember self)
    {
        var keys = PoolKeys.Load(_settings.Key, settings.KeyringPath, out var ignored);
        if (ignored)
        {
            Log.KeyIgnored(_log, settings.KeyringPath!);
        }

        var options = new GossipPoolOptions
        {
            Serf = settings.Serf with { Tags = self.Tags },
            Bind = settings.Bind,
            Wire = _settings.Wire with { DefaultPort = (ushort)settings.PortDefault },
            IsAllowed = settings.Allowed.Count == 0
                ? null
                : address => settings.Allowed.Any(network => network.Contains(address)),
        };
        try
        {
            var seat = new PoolSeat(settings, new KnownMembers(settings.KnownPath, settings.SnapshotPath));
            seat.Pool = new GossipPool(
                options, new Ear(this, settings.IsWan), keys.Ring, keys, _time, new Random(_random.Next()));
            return seat;
        }
        catch (ArgumentException e)
        {
            throw new IOException($"gossip_{settings.Word}: {e.Message}", e);
        }
        catch (SocketException e)
        {
            throw ListenFailure.Of("gossip", settings.Bind.ToString(), $"ports.serf_{settings.Word}", e);
        }
    }

    private IReadOnlyCollection<ServerPeer> Servers()
    {
        var members = _lan.Pool.Members().Concat(_wan?.Pool.Members() ?? []);
        var servers = new Dictionary<string, ServerPeer>(StringComparer.Ordinal);
        foreach (var member in members)
        {
            if (member.Status == SerfStatus.Alive && ServerOf(member) is { } server)
            {
                // The LAN comes first: its address is the nearer one.
                servers.TryAdd(server.Name + "." + server.Datacenter, server);
            }
        }

        return servers.Values;
    }

    private static ServerPeer? ServerOf(SerfMember member)
    {
        var tags = member.Tags;
        if (tags.GetValueOrDefault("role") != "consul" || !tags.TryGetValue("dc", out var datacenter)
            || !ushort.TryParse(tags.GetValueOrDefault("port"), out var port))
        {
            return null;
        }

        var suffix = "." + datacenter;
        var name = member.Name.EndsWith(suffix, StringComparison.Ordinal) ? member.Name[..^suffix.Length] : member.Name;
        return new ServerPeer(
            name, tags.GetValueOrDefault("id", ""), datacenter, new IPEndPoint(member.Address.Address, port));
    }

    private void Remember()
    {
        try
        {
            _lan.Known.Write(_lan.Pool.Members(), _lan.Name, _hasLeft);
            _wan?.Known.Write(_wan.Pool.Members(), _wan.Name, _hasLeft);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Log.NotRemembered(_log, e.Message);
        }
    }

    private sealed class PoolSeat(PoolSettings settings, KnownMembers known)
    {
        public PoolSettings Settings => settings;

        public KnownMembers Known => known;

        public string Name => settings.Serf.Swim.Name;

        public GossipPool Pool { get; set; } = null!;
    }

    private sealed class Following(GossipMembership membership, Action<IReadOnlyCollection<ServerPeer>> follower)
        : IDisposable
    {
        public void Dispose()
        {
            lock (membership._gate)
            {
                membership._followers.Remove(follower);
            }
        }
    }
}
