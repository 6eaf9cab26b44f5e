using System.Globalization;
using System.Net;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using Praetor.Agent.Config;
using Praetor.Agent.Forwarding;
using Praetor.Agent.Http;
using Praetor.Agent.Http.Endpoints;
using Praetor.Agent.Local;
using Praetor.Agent.Membership;
using Praetor.Agent.Runtime;
using Praetor.Server.Replication;
using Praetor.Server.State;
using Praetor.Server.Storage.Etcd;

namespace Praetor.Agent.Cluster;

/// <summary>This server as one of several: its etcd, its replica, and who else takes part.</summary>
internal sealed partial class ClusterNode : ILeadership, IAsyncDisposable
{
    private const int AstrayRounds = 5;
    private const int LogPartOfQuota = 8;
    private const int LogPartOfQuotaMax = 4;

    private static readonly TimeSpan ReadyLimit = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan UpkeepEvery = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan CallTime = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan TroubleTime = TimeSpan.FromSeconds(10);

    private readonly AgentConfig _config;
    private readonly NodeIdentity _node;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly LateEtcd _etcd = new();
    private readonly LeaderPulse _pulse;
    private readonly Replica _replica;
    private readonly CancellationTokenSource _stop = new();
    private readonly ClusterMember _self;
    private readonly Founding? _founding;
    private readonly IMembership _membership;
    private readonly EtcdCare _care;
    private readonly EtcdPeerTls? _tls;
    private EtcdChild? _child;
    private Task _loop = Task.CompletedTask;
    private LeaderRecord? _astrayFrom;
    private int _astrayRounds;
    private long _childEnded;
    private volatile bool _isAlone;
    private volatile bool _hasLed;
    private volatile TaskCompletionSource _leadEnds = Ended();
    private volatile IReadOnlyList<EtcdMember> _members = [];

    /// <param name="config">The configuration.</param>
    /// <param name="node">Who this server is.</param>
    /// <param name="links">The ways to other servers.</param>
    /// <param name="membership">Who is there.</param>
    /// <param name="time">The clock.</param>
    /// <param name="random">Spreads.</param>
    /// <param name="log">Where to log.</param>
    public ClusterNode(
        AgentConfig config, NodeIdentity node, AgentLinks links, IMembership membership, TimeProvider time,
        Random random, ILogger log)
    {
        (_config, _node, _membership, _time, _log) = (config, node, membership, time, log);
        _pulse = new LeaderPulse(time);
        _tls = EtcdPeerTls.Of(config, out var whyNot);
        if (whyNot is not null && !config.Store.IsOutside)
        {
            Log.NoTls(log, whyNot);
        }

        _self = new ClusterMember(
            node.Id, node.Name,
            Founding.UrlOf(config.Addresses.Advertise.ToString(), config.Ports.StorePeer, _tls is not null));
        _replica = new Replica(
            _etcd, config.Datacenter, _pulse,
            config.Store.IsOutside ? OutsideEtcd.Replication : Replication(config.Store), time,
            new Random(random.Next()), Tell) { Trouble = Trouble };
        _care = new EtcdCare(_etcd, config.Datacenter, config.Store.QuotaBytes, time, log);
        _replica.Led += Lead;
        _replica.Failed += why => Failed?.Invoke(why);
        links.Forwarder.Leader = LeaderPeer;
        if (!config.Store.IsOutside)
        {
            _founding = new Founding(
                _self, config.IsBootstrap ? 1 : config.BootstrapExpect, config.Datacenter,
                Path.Combine(config.DataDir, StoreMark.PlanFile), membership, links.Servers, links.Forwarder, time,
                log);
        }
    }

    /// <summary>Told when this server begins to lead, with a token that ends when it ceases.</summary>
    public event Action<CancellationToken>? Led;

    /// <summary>Told, once, when the process must end.</summary>
    public event Action<string>? Failed;

    /// <summary>The state.</summary>
    public StateStore Store => _replica.Store;

    public bool Leads => _replica.Leads || HoldsAlone;

    public bool HasLeader => _replica.Leader is not null || HoldsAlone;

    /// <summary>Who leads. Null: nobody, as far as this server knows.</summary>
    public LeaderRecord? Leader => _replica.Leader;

    /// <summary>The servers that take part, as far as this one knows: the members of their etcds, or, with an etcd
    /// that somebody else runs, those that gossip tells of.</summary>
    public IReadOnlyList<ClusterServer> Servers()
    {
        if (_config.Store.IsOutside)
        {
            return OfGossip();
        }

        var known = _membership.Members(wan: false)
            .GroupBy(static m => m.Tags.GetValueOrDefault("id", ""), StringComparer.Ordinal)
            .ToDictionary(static same => same.Key, static same => same.First(), StringComparer.Ordinal);
        var leader = Leader;
        return
        [
            .. _members.Where(static m => m.Name.Length > 0).Select(m => new ClusterServer(
                m.Name,
                known.GetValueOrDefault(m.Name)?.Name ?? "(unknown)",
                AddressOf(known.GetValueOrDefault(m.Name)),
                m.Id,
                IsVoter: !m.IsLearner,
                Leads: leader?.Id == m.Name)),
        ];
    }

    private IReadOnlyList<ClusterServer> OfGossip() =>
    [
        .. _membership.Members(wan: false)
            .Where(m => m.Status is not MemberStatus.Left && m.Tags.GetValueOrDefault("role") == "consul"
                && _config.Datacenter.Equals(m.Tags.GetValueOrDefault("dc"), StringComparison.OrdinalIgnoreCase))
            .Select(m => (Member: m, Id: m.Tags.GetValueOrDefault("id", "")))
            .Select(s => new ClusterServer(
                s.Id, s.Member.Name, AddressOf(s.Member), MemberId: 0, IsVoter: true, Leads: Leader?.Id == s.Id)),
    ];

    public ValueTask<bool> IsNewestAsync(bool isStrict, CancellationToken stop) =>
        HoldsAlone ? ValueTask.FromResult(true) : _replica.IsNewestAsync(isStrict, stop);

    // The only member of etcd is this agent's child, so nobody else can have written: what was read once stays the
    // newest, also while the child is away (on a full disk, say). Once another was to come, this is over.
    private bool HoldsAlone => _isAlone && _hasLed;

    // Also while it is tried again and again.
    private string? Trouble() => _child?.Status is { Ends: > 0 } status
        && _time.GetElapsedTime(Interlocked.Read(ref _childEnded)) < TroubleTime
        ? $"etcd ended with {status.LastEnd}" : null;

    private string? Absence() => _child?.Status is { Phase: EtcdChildPhase.Waiting } status
        ? $"etcd does not run, it ended with {status.LastEnd}" : null;

    // The log and two snapshots of its size must fit.
    private static ReplicationOptions Replication(StoreConfig store)
    {
        var usual = new ReplicationOptions();
        return usual with
        {
            LogBytes = Math.Min(usual.LogBytes, store.QuotaBytes / LogPartOfQuota),
            LogBytesMax = store.QuotaBytes / LogPartOfQuotaMax,
        };
    }

    /// <summary>Asks etcd anew who takes part.</summary>
    /// <exception cref="EtcdUnknownException">It did not answer.</exception>
    public async Task RefreshAsync(CancellationToken stop) =>
        _members = _founding is null ? [] : await _etcd.MembersAsync(stop);

    /// <summary>Gives the lead to another server; false: this one did not lead.</summary>
    public bool Resign(string successor) => _replica.Resign(successor);

    /// <summary>Ends when this server does not lead.</summary>
    public Task LeadEndsAsync(CancellationToken stop) => _leadEnds.Task.WaitAsync(stop);

    /// <summary>Begins: founds or joins a cluster, runs etcd, takes part.</summary>
    public void Start() => _loop = RunAsync();

    /// <summary>Answers what other servers ask.</summary>
    public void AddTo(RouteTable routes)
    {
        if (_founding is null)
        {
            return;
        }

        _founding.AddTo(routes);
        routes.Add(new Route
        {
            Method = "PUT",
            Pattern = RpcRoutes.ClusterJoin,
            Acl = RouteRows.NodeWrite,
            TakesBytes = true,
            Handle = JoinAsync,
            Description = "Lets a server take part.",
        });
    }

    /// <summary>Takes a member out.</summary>
    /// <returns>Why not. Null: it is out.</returns>
    public async Task<string?> RemoveAsync(ulong id, CancellationToken stop)
    {
        if (_founding is null)
        {
            return "the servers share an etcd that somebody else runs, and none of them is a member of it: stop the "
                + "server, and 'force-leave' it when it did not leave";
        }

        try
        {
            await _etcd.ChangeMembersAsync(new EtcdMemberChange.Remove(id), stop);
            await RefreshAsync(stop);
            return null;
        }
        catch (Exception e) when (e is EtcdUnknownException or EtcdRefusedException)
        {
            return e.Message;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _loop;
        await _replica.DisposeAsync();
        if (_child is not null)
        {
            await _child.DisposeAsync();
        }

        _etcd.Dispose();
        _pulse.Dispose();
        _stop.Dispose();
    }

    private static TaskCompletionSource Ended()
    {
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        ended.SetResult();
        return ended;
    }

    private void Tell(bool isWarning, string text)
    {
        if (isWarning)
        {
            Log.Warned(_log, text);
        }
        else
        {
            Log.Said(_log, text);
        }
    }

    private void Lead(CancellationToken ended)
    {
        var end = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        ended.Register(() => end.TrySetResult());
        _leadEnds = end;
        _hasLed = true;
        Led?.Invoke(ended);
    }

    private string AddressOf(AgentMember? member) => member is not null
        && int.TryParse(member.Tags.GetValueOrDefault("port"), CultureInfo.InvariantCulture, out var port)
        ? new IPEndPoint(IPAddress.Parse(member.Address), port).ToString() : "";

    private ServerPeer? LeaderPeer() => _replica.Leader is { } leader && IPEndPoint.TryParse(leader.Rpc, out var rpc)
        ? new ServerPeer(leader.Name, leader.Id, _config.Datacenter, rpc)
        : null;

    private async Task RunAsync()
    {
        try
        {
            var (etcd, member) = _founding is null
                ? (await OutsideEtcd.OpenAsync(_config.Store, _config.Datacenter, _time, _log, _stop.Token), 0UL)
                : await OwnEtcdAsync(_founding);
            _etcd.Arrive(etcd, Absence);
            await RefreshAsync(_stop.Token);
            _isAlone = _members is [{ IsLearner: false } only] && only.Id == member;
            var rpc = new IPEndPoint(_config.Addresses.Advertise, _config.Ports.Server);
            _replica.Start(new ReplicaIdentity(_node.Id, _node.Name, rpc.ToString(), member));
            if (_founding is not null)
            {
                await UpkeepAsync(member);
            }
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            // The agent ends.
        }
        catch (Exception e) // supervisor: without its part in the cluster this server is of no use
        {
            Failed?.Invoke(e.Message);
        }
    }

    private async Task<(EtcdClient Etcd, ulong Member)> OwnEtcdAsync(Founding founding)
    {
        // Who has no etcd is not to found anything.
        await EtcdProgram.FindAsync(EtcdPath, _time, _stop.Token);
        var plan = await founding.RunAsync(_stop.Token);
        _child = await EtcdChild.StartAsync(OptionsOf(plan), _time, _log, _stop.Token);
        _child.Changed += status =>
        {
            if (status.Phase == EtcdChildPhase.Waiting)
            {
                Interlocked.Exchange(ref _childEnded, _time.GetTimestamp());
            }
        };
        await _child.WaitReadyAsync(ReadyLimit, _stop.Token);
        var etcd = new EtcdClient(_child.ClientOptions, _time);
        return (etcd, (await etcd.StatusAsync(_stop.Token)).MemberId);
    }

    private string? EtcdPath => _config.Store.EtcdPath is { Length: > 0 } path ? path : null;

    private EtcdChildOptions OptionsOf(ClusterPlan plan)
    {
        // As it was founded: a member cannot change its address by itself.
        var own = plan.Members.FirstOrDefault(m => m.Id == _self.Id) ?? _self;
        if (own.HasTls && _tls is null)
        {
            throw new EtcdStartException(
                "the servers' etcds speak TLS with each other, and this one has no certificate for it: set ca_file, "
                + "cert_file, key_file and verify_outgoing as they were when the cluster was founded");
        }

        var bind = _config.Addresses.Bind;
        return new EtcdChildOptions
        {
            Folder = Path.Combine(_config.DataDir, StoreMark.EtcdFolderName),
            Program = EtcdPath,
            SpaceBytesMax = _config.Store.QuotaBytes,
            NodeId = _node.Id,
            ClusterToken = plan.Token,
            Name = _self.Id,
            PeerListenUrl = Founding.UrlOf(bind.ToString(), _config.Ports.StorePeer, own.HasTls),
            PeerUrl = own.PeerUrl,
            PeerTls = own.HasTls ? _tls : null,
            InitialCluster = [.. plan.Members.Select(static m => new EtcdInitialMember(m.Id, m.PeerUrl))],
            IsNewCluster = plan.IsNew,
        };
    }

    // A server that comes later: first without a vote.
    private async ValueTask<Reply> JoinAsync(ApiRequest request)
    {
        try
        {
            var member = RpcJson.Read(request.Body.Span, ClusterJson.Default.ClusterMember);
            if (!member.IsSound)
            {
                return Reply.BadRequest("the member lacks its id, its name, or the address of its etcd");
            }

            var members = await _etcd.MembersAsync(request.Aborted);
            if (members.Any(m => m.PeerUrls is [var url, ..] && !url.StartsWith(
                new Uri(member.PeerUrl).Scheme + ":", StringComparison.Ordinal)))
            {
                Log.OtherTls(_log, member.Name);
                return Reply.BadRequest("the etcds of this cluster's servers are to speak TLS all, or none");
            }

            if (!members.Any(m => m.PeerUrls.Contains(member.PeerUrl)))
            {
                _isAlone = false;
                await _etcd.ChangeMembersAsync(new EtcdMemberChange.AddLearner(member.PeerUrl), request.Aborted);
                members = await _etcd.MembersAsync(request.Aborted);
                Log.Added(_log, member.Name);
            }

            var all = members.Select(m => m.PeerUrls.Contains(member.PeerUrl) ? member
                : new ClusterMember(m.Name, m.Name, m.PeerUrls[0])).ToList();
            var plan = new ClusterPlan(_founding!.Plan!.Token, all, IsNew: false, HasBegun: true);
            return Founding.Answer(new ClusterReply(plan, IsAgreed: true));
        }
        catch (JsonException e)
        {
            return Reply.BadRequest($"the member cannot be read: {e.Message}");
        }
        catch (Exception e) when (e is EtcdUnknownException or EtcdRefusedException)
        {
            return Reply.Text(503, e.Message);
        }
    }

    // The etcd that leads should be the leader's own: one hop less for every write. New members get their votes, those
    // that left go.
    private async Task UpkeepAsync(ulong own)
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                await Task.Delay(UpkeepEvery, _time, _stop.Token);
                using var limit = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
                limit.CancelAfter(CallTime);
                await RefreshAsync(limit.Token);
                var status = await _etcd.StatusAsync(limit.Token);
                if (IsAstray(status, own) is { } leader)
                {
                    await _etcd.ChangeMembersAsync(new EtcdMemberChange.MoveLeader(leader.MemberId), limit.Token);
                }

                if (_replica.Leads)
                {
                    await TendAsync(limit.Token);
                }

                await _care.TendAsync(status, _replica.Leads, _stop.Token);
            }
            catch (OperationCanceledException) when (_stop.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e) // supervisor: the next round mends it
            {
                Log.NotTended(_log, e.Message);
            }
        }
    }

    // Who leads, when etcd's own lead has stood here beside it for a while: while a leader's end is not known yet, etcd
    // would wait in vain for the dead one to take it.
    private LeaderRecord? IsAstray(EtcdStatus status, ulong own)
    {
        var leader = Leader;
        if (status.LeaderId != own || leader is null || leader.MemberId == own || leader != _astrayFrom
            || !_members.Any(m => m.Id == leader.MemberId && !m.IsLearner))
        {
            (_astrayFrom, _astrayRounds) = (leader, 0);
            return null;
        }

        return ++_astrayRounds % AstrayRounds == 0 ? leader : null;
    }

    private async Task TendAsync(CancellationToken stop)
    {
        foreach (var learner in _members.Where(static m => m is { IsLearner: true, Name.Length: > 0 }))
        {
            try
            {
                await _etcd.ChangeMembersAsync(new EtcdMemberChange.Promote(learner.Id), stop);
                Log.Promoted(_log, learner.Name);
            }
            catch (EtcdRefusedException)
            {
                // It has not caught up yet.
            }
        }

        var left = _membership.Members(wan: false)
            .Where(static m => m.Status == MemberStatus.Left)
            .Select(static m => m.Tags.GetValueOrDefault("id", "")).ToHashSet(StringComparer.Ordinal);
        foreach (var gone in _members.Where(m => left.Contains(m.Name) && m.Name != _self.Id))
        {
            await _etcd.ChangeMembersAsync(new EtcdMemberChange.Remove(gone.Id), stop);
            Log.Removed(_log, gone.Name);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Information, "{Text}")]
        public static partial void Said(ILogger log, string text);

        [LoggerMessage(2, LogLevel.Warning, "{Text}")]
        public static partial void Warned(ILogger log, string text);

        [LoggerMessage(3, LogLevel.Information, "a server is added, without a vote yet: server={Server}")]
        public static partial void Added(ILogger log, string server);

        [LoggerMessage(4, LogLevel.Information, "a server got its vote: server={Server}")]
        public static partial void Promoted(ILogger log, string server);

        [LoggerMessage(5, LogLevel.Information, "a server that left is out of the cluster: server={Server}")]
        public static partial void Removed(ILogger log, string server);

        [LoggerMessage(7, LogLevel.Warning,
            "the etcds of the servers speak without TLS, although it is asked for between agents: {Why}")]
        public static partial void NoTls(ILogger log, string why);

        [LoggerMessage(8, LogLevel.Warning,
            "a server cannot take part: of its etcd and those here only one side speaks TLS: server={Server}")]
        public static partial void OtherTls(ILogger log, string server);

        [LoggerMessage(6, LogLevel.Debug, "looking after the cluster failed, trying again: {Why}")]
        public static partial void NotTended(ILogger log, string why);
    }
}

/// <summary>A server that takes part in replication.</summary>
/// <param name="Id">Its node id.</param>
/// <param name="Name">Its node name.</param>
/// <param name="Address">Where it takes calls of other agents. Empty: not known.</param>
/// <param name="MemberId">Its member of etcd.</param>
/// <param name="IsVoter">Whether it has a vote.</param>
/// <param name="Leads">Whether it leads.</param>
internal sealed record ClusterServer(
    string Id, string Name, string Address, ulong MemberId, bool IsVoter, bool Leads);
