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
    private const int LogPartOfQuota = 8;
    private const int LogPartOfQuotaMax = 4;
    private const int RequestPart = 2;

    // Three in a row, so that a leader that is a moment behind does not make a server throw its data away.
    private const int StrangerRounds = 3;

    // Up to here raft_multiplier changes nothing: Consul's default of 5 is our fastest.
    private const int UsualMultiplier = 5;

    private static readonly TimeSpan UpkeepEvery = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan CallTime = TimeSpan.FromSeconds(5);

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
    private readonly ServerCare _care;
    private readonly UpkeepPeers _peers;
    private readonly EtcdCare _space;
    private readonly EtcdPeerTls? _tls;
    private EtcdChild? _child;
    private Task _loop = Task.CompletedTask;
    private int _strangerRounds;
    private bool _isStarted;
    private long _childEnded;
    private volatile bool _isAlone;
    private volatile bool _hasLed;
    private volatile bool _isLeaving;
    private volatile bool _isGuest = true;
    private volatile LeaderRecord? _toldLeader;
    private volatile TaskCompletionSource _leadEnds = Ended();

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
        var options = Replication(config.Store).With(Patience);
        _replica = new Replica(
            _etcd, config.Datacenter, _pulse, options, time, new Random(random.Next()), Tell) { Trouble = Trouble };
        _replica.Led += Lead;
        _replica.Failed += why => Failed?.Invoke(why);
        links.Forwarder.Leader = LeaderPeer;
        if (!config.Store.IsOutside)
        {
            _founding = new Founding(
                _self, config.IsBootstrap ? 1 : config.BootstrapExpect, config.Datacenter,
                Path.Combine(config.DataDir, StoreMark.PlanFile), membership, links.Servers, links.Forwarder, time,
                new Random(random.Next()), log);
        }

        var reports = new ServerReports(links.Servers, links.Forwarder, config.Datacenter);
        _care = new ServerCare(
            _self, _etcd, _replica, membership, reports, ConfigMapping.Autopilot(config), options.Beat, time, log);
        _care.Adding += () => _isAlone = false;
        _peers = new UpkeepPeers(this, _self.Id, _care, reports, _etcd, time);
        _space = new EtcdCare(_etcd, _peers, config.Store.QuotaBytes, time, new Random(random.Next()), log);
    }

    /// <summary>Told when this server begins to lead, with a token that ends when it ceases.</summary>
    public event Action<CancellationToken>? Led;

    /// <summary>Told, once, when the process must end.</summary>
    public event Action<string>? Failed;

    /// <summary>The state.</summary>
    public StateStore Store => _replica.Store;

    public bool Leads => _replica.Leads || HoldsAlone;

    public bool HasLeader => Leader is not null || HoldsAlone;

    public bool HasState => !_isGuest && _replica.HasState;

    /// <summary>Who leads. Null: nobody, as far as this server knows.</summary>
    /// <remarks>A server without a vote cannot read the log: it hears of the leader from the others.</remarks>
    public LeaderRecord? Leader => _isGuest ? _toldLeader : _replica.Leader;

    /// <summary>How the servers are, as the leader sees them.</summary>
    public ClusterHealth Health => _care.Health;

    /// <summary>How many times as long as usual others are waited for, by <c>raft_multiplier</c>.</summary>
    private int Patience => Math.Max(1, _config.Values.Count("performance.raft_multiplier") - UsualMultiplier + 1);

    private string? EtcdPath => _config.Store.EtcdPath is { Length: > 0 } path ? path : null;

    private string Folder => Path.Combine(_config.DataDir, StoreMark.EtcdFolderName);

    private string Rpc => new IPEndPoint(_config.Addresses.Advertise, _config.Ports.Server).ToString();

    // The only member of etcd is this agent's child, so nobody else can have written: what was read once stays the
    // newest, also while the child is away (on a full disk, say). Once another was to come, this is over.
    private bool HoldsAlone => _isAlone && _hasLed;

    /// <summary>The servers that take part, as far as this one knows: the members of their etcds, or, with an etcd
    /// that somebody else runs, those that gossip tells of.</summary>
    public IReadOnlyList<ClusterServer> Servers() => _founding is null ? OfGossip() : _care.Servers();

    public ValueTask<bool> IsNewestAsync(bool isStrict, CancellationToken stop) =>
        HoldsAlone ? ValueTask.FromResult(true) : _replica.IsNewestAsync(isStrict, stop);

    /// <summary>Asks etcd anew who takes part.</summary>
    /// <exception cref="EtcdUnknownException">It did not answer.</exception>
    public Task RefreshAsync(CancellationToken stop) =>
        _founding is null ? Task.CompletedTask : _care.RefreshAsync(stop);

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
        routes.Add(Row(RpcRoutes.ClusterJoin, JoinAsync, "Lets a server take part."));
        routes.Add(Row(RpcRoutes.ClusterStanding, StandingAsync, "Says whether a server takes part."));
        routes.Add(new Route
        {
            Method = "GET",
            Pattern = RpcRoutes.ClusterReport,
            Acl = RouteRows.NodeRead,
            Scope = RouteScope.Agent,
            Handle = _ => ValueTask.FromResult(ServerReports.Answer(new ServerReport(
                HasState, _replica.Leader?.Epoch ?? 0, Store.Current.Index,
                (long)_replica.Silence.TotalMilliseconds) { FileBytes = _space.FileBytes })),
            Description = "How far this server is.",
        });
        routes.Add(Row(
            RpcRoutes.ClusterTurn, request => ValueTask.FromResult(_peers.Answer(request)),
            "Says whether a server's etcd may stand still.") with { Scope = RouteScope.Agent });
    }

    /// <summary>What of it is being stopped. Empty: nothing yet.</summary>
    public string Ending { get; private set; } = "";

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        Ending = "its loop";
        await _loop;
        Ending = "the replica";
        await _replica.DisposeAsync();
        Ending = "etcd";
        if (_child is not null)
        {
            await _child.DisposeAsync();
        }

        _etcd.Dispose();
        _pulse.Dispose();
        _stop.Dispose();
    }

    private static Route Row(string pattern, Handler handler, string description) => new()
    {
        Method = "PUT",
        Pattern = pattern,
        Acl = RouteRows.NodeWrite,
        TakesBytes = true,
        Handle = handler,
        Description = description,
    };

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
        _care.Begin();
        Led?.Invoke(ended);
    }

    private string? Trouble() => _child is { } child
        ? EtcdTrouble.Of(child.Status, SinceEnd, child.LastProblem, DiskSpace.FreeBytes(Folder)) : null;

    private TimeSpan SinceEnd => Interlocked.Read(ref _childEnded) is > 0 and var at
        ? _time.GetElapsedTime(at) : TimeSpan.MaxValue;

    private string? Absence() => _child?.Status is { Phase: EtcdChildPhase.Waiting } status
        ? $"etcd does not run, it ended with {status.LastEnd}" : null;

    // The log and two snapshots of its size must fit.
    private static ReplicationOptions Replication(StoreConfig store)
    {
        var usual = new ReplicationOptions { RequestBytesMax = store.RequestBytesMax };
        return store.IsOutside ? OutsideEtcd.Replication with { RequestBytesMax = store.RequestBytesMax }
            : usual with
            {
                LogBytes = Math.Min(usual.LogBytes, store.QuotaBytes / LogPartOfQuota),
                LogBytesMax = store.QuotaBytes / LogPartOfQuotaMax,
                EntryBytes = Math.Min(usual.EntryBytes, store.RequestBytesMax / RequestPart),
                PartBytes = Math.Min(usual.PartBytes, store.RequestBytesMax / RequestPart),
            };
    }

    private IReadOnlyList<ClusterServer> OfGossip() =>
    [
        .. _membership.Members(wan: false)
            .Where(m => m.Status is not MemberStatus.Left && m.Tags.GetValueOrDefault("role") == "consul"
                && _config.Datacenter.Equals(m.Tags.GetValueOrDefault("dc"), StringComparison.OrdinalIgnoreCase))
            .Select(m => (Member: m, Id: m.Tags.GetValueOrDefault("id", "")))
            .Select(s => new ClusterServer(
                s.Id, s.Member.Name, ServerCare.AddressOf(s.Member), MemberId: 0, IsVoter: true,
                Leads: Leader?.Id == s.Id)),
    ];

    private ServerPeer? LeaderPeer() => Leader is { } leader && IPEndPoint.TryParse(leader.Rpc, out var rpc)
        ? new ServerPeer(leader.Name, leader.Id, _config.Datacenter, rpc)
        : null;

    private async Task RunAsync()
    {
        try
        {
            if (_founding is null)
            {
                var etcd = await OutsideEtcd.OpenAsync(_config.Store, _config.Datacenter, _time, _log, _stop.Token);
                _etcd.Arrive(etcd, Absence);
                Become(new ReplicaIdentity(_node.Id, _node.Name, Rpc, MemberId: 0));
                return;
            }

            // Who has no etcd is not to found anything.
            await EtcdProgram.FindAsync(EtcdPath, _time, _stop.Token);
            while (!_stop.IsCancellationRequested)
            {
                await TakePartAsync(_founding);
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

    // From coming to a cluster until this server is no member of it any more, which it may be again as a new one.
    private async Task TakePartAsync(Founding founding)
    {
        _strangerRounds = 0;
        if (PrepareData(founding, await founding.RunAsync(_stop.Token)) is not { } plan)
        {
            return;
        }

        _child = await EtcdChild.StartAsync(OptionsOf(plan), _time, _log, _stop.Token);
        _child.Changed += status =>
        {
            if (status.Phase == EtcdChildPhase.Waiting)
            {
                Interlocked.Exchange(ref _childEnded, _time.GetTimestamp());
                if (founding.Plan is { HasRun: true } && !EtcdFolder.HasDataIn(Folder))
                {
                    // It would come back as the member that it was, and have forgotten what it agreed to.
                    Failed?.Invoke($"the data of this server's etcd has gone while it ran: folder={Folder}; see to the "
                        + "disk, and start the agent again");
                }
            }
        };
        if (await WaitForVoteAsync(founding, _child) is { } status)
        {
            if (!plan.HasRun)
            {
                founding.Keep(plan with { HasRun = true });
            }

            _isAlone = await IsAloneAsync(status.MemberId);
            Become(new ReplicaIdentity(_node.Id, _node.Name, Rpc, status.MemberId));
            await UpkeepAsync(founding, status.MemberId);
        }

        (_isGuest, _isAlone, _hasLed) = (true, false, false);
        _etcd.Leave();
        await _child.DisposeAsync();
        _child = null;
        EtcdFolder.Claim(Folder, _node.Id, plan.Token).RemoveData();
        founding.Keep(plan with { HasBegun = false, HasRun = false, IsOut = true });
        if (_isLeaving)
        {
            // It was taken out because it asked for it.
            await Task.Delay(Timeout.InfiniteTimeSpan, _time, _stop.Token);
        }

        Log.IsOut(_log);
    }

    // An etcd that lost its data must not come back as the member that it was: it would have forgotten what it agreed
    // to. And one that joins anew has no use for data of before.
    private ClusterPlan? PrepareData(Founding founding, ClusterPlan plan)
    {
        if (plan.HasRun && !EtcdFolder.HasDataIn(Folder))
        {
            Log.LostData(_log, Folder);
            founding.Keep(plan with { HasBegun = false, HasRun = false, IsOut = true });
            return null;
        }

        if (plan is { IsNew: false, HasRun: false })
        {
            if (EtcdFolder.HasDataIn(Folder))
            {
                EtcdFolder.Claim(Folder, _node.Id, plan.Token).RemoveData();
            }

            // Before it runs, for what it writes then is what must not get lost.
            founding.Keep(plan with { HasRun = true });
        }

        return founding.Plan;
    }

    // Who cannot be told, as too few answer, is not alone.
    private async Task<bool> IsAloneAsync(ulong own)
    {
        try
        {
            await RefreshAsync(_stop.Token);
            return _care.Members is [{ IsLearner: false } only] && only.Id == own;
        }
        catch (Exception e) when (e is EtcdUnknownException or EtcdRefusedException)
        {
            return false;
        }
    }

    private void Become(ReplicaIdentity identity)
    {
        _isGuest = false;
        if (_isStarted)
        {
            _replica.Become(identity);
            return;
        }

        _isStarted = true;
        _replica.Start(identity);
    }

    // Until this server's etcd answers and has a vote. Null: it is no member any more.
    private async Task<EtcdStatus?> WaitForVoteAsync(Founding founding, EtcdChild child)
    {
        var isThere = false;
        while (true)
        {
            try
            {
                if (!isThere)
                {
                    await child.WaitReadyAsync(UpkeepEvery, _stop.Token);
                    _etcd.Arrive(new EtcdClient(child.ClientOptions, _time), Absence);
                    isThere = true;
                }

                var status = await _etcd.StatusAsync(_stop.Token);
                if (!status.IsLearner)
                {
                    return status;
                }

                if (await IsStrangerAsync(founding))
                {
                    return null;
                }

                await Task.Delay(UpkeepEvery, _time, _stop.Token);
            }
            catch (Exception e) when (e is TimeoutException or EtcdUnknownException or EtcdRefusedException)
            {
                if (await IsStrangerAsync(founding))
                {
                    return null;
                }
            }
        }
    }

    // Whether the leader says, again and again, that this server is none of its members.
    private async Task<bool> IsStrangerAsync(Founding founding)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
        limit.CancelAfter(CallTime);
        ClusterStanding? standing;
        try
        {
            standing = await founding.StandingAsync(limit.Token);
        }
        catch (OperationCanceledException) when (!_stop.IsCancellationRequested)
        {
            return false;
        }

        if (standing is null)
        {
            return false;
        }

        _toldLeader = standing.Leader;
        _strangerRounds = standing.IsMember ? 0 : _strangerRounds + 1;
        if (_strangerRounds is > 0 and < StrangerRounds)
        {
            await Task.Delay(UpkeepEvery, _time, _stop.Token);
            return await IsStrangerAsync(founding);
        }

        return _strangerRounds >= StrangerRounds;
    }

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
        var usual = new EtcdChildOptions
        {
            Folder = Folder,
            Program = EtcdPath,
            SpaceBytesMax = _config.Store.QuotaBytes,
            RequestBytesMax = _config.Store.RequestBytesMax,
            NodeId = _node.Id,
            ClusterToken = plan.Token,
            Name = _self.Id,
            PeerListenUrl = Founding.UrlOf(bind.ToString(), _config.Ports.StorePeer, own.HasTls),
            PeerUrl = own.PeerUrl,
            PeerTls = own.HasTls ? _tls : null,
            InitialCluster = [.. plan.Members.Select(static m => new EtcdInitialMember(m.Id, m.PeerUrl))],
            IsNewCluster = plan is { IsNew: true, HasRun: false },
        };
        return usual with
        {
            HeartbeatInterval = usual.HeartbeatInterval * Patience,
            ElectionTimeout = usual.ElectionTimeout * Patience,
        };
    }

    // A server that comes later, or comes again: first without a vote.
    private async ValueTask<Reply> JoinAsync(ApiRequest request)
    {
        if (MemberIn(request, out var member) is { } refusal)
        {
            return refusal;
        }

        try
        {
            await RefreshAsync(request.Aborted);
            if (_care.Members.Any(m => m.PeerUrls is [var url, ..] && !url.StartsWith(
                new Uri(member!.PeerUrl).Scheme + ":", StringComparison.Ordinal)))
            {
                Log.OtherTls(_log, member!.Name);
                return Reply.BadRequest(
                    "the etcds of this cluster's servers are to speak TLS all, or none, as it was founded; configure "
                    + "this server as they were then, or found a new cluster with TLS and restore a snapshot");
            }

            if (await _care.AdmitAsync(member!, request.Aborted) is { } why)
            {
                return Reply.Text(503, why);
            }

            var all = _care.Members.Select(m => m.PeerUrls.Contains(member!.PeerUrl) ? member
                : new ClusterMember(m.Name, m.Name, m.PeerUrls[0])).ToList();
            var plan = new ClusterPlan(_founding!.Plan!.Token, all, IsNew: false, HasBegun: true);
            return Founding.Answer(new ClusterReply(plan, IsAgreed: true));
        }
        catch (Exception e) when (e is EtcdUnknownException or EtcdRefusedException)
        {
            return Reply.Text(503, e.Message);
        }
    }

    private async ValueTask<Reply> StandingAsync(ApiRequest request)
    {
        if (MemberIn(request, out var member) is { } refusal)
        {
            return refusal;
        }

        try
        {
            await RefreshAsync(request.Aborted);
        }
        catch (Exception e) when (e is EtcdUnknownException or EtcdRefusedException)
        {
            return Reply.Text(503, e.Message);
        }

        // By a write: nothing but the newest may make a server throw its data away.
        if (!await IsNewestAsync(isStrict: true, request.Aborted) || _founding?.Plan is not { } plan)
        {
            return Reply.Text(503, Forwarder.NoLeader);
        }

        var standing = new ClusterStanding(plan.Token, _care.Has(member!), _replica.Leader);
        return new Reply(
            200, Reply.JsonType, JsonSerializer.SerializeToUtf8Bytes(standing, ClusterJson.Default.ClusterStanding));
    }

    private static Reply? MemberIn(ApiRequest request, out ClusterMember? member)
    {
        member = null;
        try
        {
            member = RpcJson.Read(request.Body.Span, ClusterJson.Default.ClusterMember);
            return member.IsSound ? null
                : Reply.BadRequest("the member lacks its id, its name, or the address of its etcd");
        }
        catch (JsonException e)
        {
            return Reply.BadRequest($"the member cannot be read: {e.Message}");
        }
    }

    // Until this server is no member any more.
    private async Task UpkeepAsync(Founding founding, ulong own)
    {
        while (true)
        {
            await Task.Delay(UpkeepEvery, _time, _stop.Token);
            try
            {
                using var limit = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
                limit.CancelAfter(CallTime);
                var status = await _care.RoundAsync(own, limit.Token);
                _strangerRounds = 0;
                await _space.TendAsync(status, _replica.Leads, _stop.Token);
            }
            catch (OperationCanceledException) when (_stop.IsCancellationRequested)
            {
                throw;
            }
            catch (Exception e) // supervisor: the next round mends it, unless this server was taken out
            {
                Log.NotTended(_log, e.Message);
                if (!Leads && await IsStrangerAsync(founding))
                {
                    return;
                }
            }
        }
    }
}
