using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Praetor.Agent.Cluster;
using Praetor.Agent.Config;
using Praetor.Agent.Connect;
using Praetor.Agent.Dns;
using Praetor.Agent.Forwarding;
using Praetor.Agent.Http;
using Praetor.Agent.Http.Endpoints;
using Praetor.Agent.Local;
using Praetor.Agent.Logging;
using Praetor.Agent.Membership;
using Praetor.Server.Autopilot;
using Praetor.Server.Coordinates;
using Praetor.Server.Queries;
using Praetor.Server.Sessions;
using Praetor.Server.State;
using Praetor.Server.Storage;

namespace Praetor.Agent.Runtime;

/// <summary>The catalog's side of a server: the state, and the port at which other agents ask for it.</summary>
internal sealed class OwnServer : IServerSide
{
    // The term of one that elected itself, as Consul's single servers show it.
    private const ulong OnlyTerm = 2;

    // As in Consul; a dev agent's user wants to see something.
    private const string Replicas = "replication";

    private static readonly TimeSpan CoordinatePeriod = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan CoordinatePeriodOfDev = TimeSpan.FromMilliseconds(100);

    private readonly AgentConfig _config;
    private readonly NodeIdentity _node;
    private readonly AgentLinks _links;
    private readonly TimeProvider _time;
    private readonly AgentLog _log;
    private readonly StateStore _store;
    private readonly QueryHub _hub;
    private readonly MeshServer _mesh;
    private readonly StatusPageText _page;
    private readonly Random _waits;
    private readonly CoordinateCollector _places;
    private readonly ClusterNode? _cluster;
    private readonly RemoteMesh? _remoteMesh;
    private readonly Func<string, string> _tokens;
    private readonly SessionTimers _sessions;
    private readonly CancellationTokenSource _stop = new();
    private readonly DateTimeOffset _started;
    private HttpServer? _rpc;
    private CatalogReconciler? _reconciler;
    private Task _collecting = Task.CompletedTask;
    private Task _leading = Task.CompletedTask;
    private volatile string _ending = "";
    private Task _expiring = Task.CompletedTask;

    /// <exception cref="StorageFailedException">The state cannot be read, or is in another engine.</exception>
    public OwnServer(
        AgentConfig config, NodeIdentity node, AgentLinks links, GossipMembership membership, AgentBuild build,
        Func<string, string> tokens, TimeProvider time, Random random, AgentLog log)
    {
        (_config, _node, _links, _tokens, _time, _log) = (config, node, links, tokens, time, log);
        _waits = new Random(random.Next());
        _started = time.GetUtcNow();
        var store = StoreMark.Claim(config.DataDir, config.Store);
        if (store.Kind == StoreKind.Etcd)
        {
            _cluster = new ClusterNode(
                config, node, links, membership, time, random, log.CreateLogger("agent.cluster"));
            _cluster.Failed += why => Failed?.Invoke(why);
            _cluster.Led += ended => _leading = LeadAsync(membership, ended);
            _remoteMesh = new RemoteMesh(
                links.Forwarder, links.Cache, config, () => tokens("default"), time, random,
                log.CreateLogger("agent.connect"));
        }

        _store = _cluster?.Store ?? new StateStore(store.Kind == StoreKind.Memory
            ? new MemoryEngine() : new SqliteEngine(Path.Combine(config.DataDir, StoreMark.SqliteFile)));
        _store.Failed += e => Failed?.Invoke(e.Message);
        _hub = new QueryHub(_store, time);
        _mesh = new MeshServer(_store, _hub, node, config, time, random, log.CreateLogger("agent.connect"));
        _places = new CoordinateCollector(
            _store, config.IsDev ? CoordinatePeriodOfDev : CoordinatePeriod, time);
        _sessions = new SessionTimers(_store, time);
        _store.Replaced += _sessions.BeginAnew;
        _page = new StatusPageText(_store, node, build);

        // One of several asks the leader, be it itself, for everything that is to be the newest.
        Catalog = _cluster is null
            ? new StoreCatalog(_store, _hub)
            : new RemoteCatalog(links.Forwarder, links.Cache, config.Datacenter, AgentToken);
        Passing = PassingFor(users: true, isOwn: false);
        Dns = new FederatedDnsCatalog(
            new StateDnsCatalog(_store, config.Datacenter),
            new WatchedDnsCatalog(links.Cache, new WatchedDnsOptions
            {
                Datacenter = config.Datacenter,
                IsClient = false,
                StaleMax = config.Dns.AllowStale ? config.Dns.MaxStale : TimeSpan.Zero,
            }),
            config.Datacenter,
            links.Forwarder.Knows,
            () => _cluster?.HasState ?? true);
    }

    /// <summary>Whether this server, one of several, may answer by itself. Null: it is alone.</summary>
    public ILeadership? Leadership => _cluster;

    /// <summary>Told, once, when durability cannot be promised any more: the process must end.</summary>
    public event Action<string>? Failed;

    public string StoreName => _store.EngineName;

    public IPEndPoint? RpcEndPoint => _rpc is null ? null
        : new IPEndPoint(_config.Addresses.Bind, new Uri(_rpc.Addresses.First()).Port);

    public StateStore Store => _store;

    public QueryHub Hub => _hub;

    public ICatalog Catalog { get; }

    public IDnsCatalog Dns { get; }

    public HttpPassing Passing { get; }

    public void AddRoutes(RouteTable routes, OutsideProxies proxies, Datacenters datacenters)
    {
        var valueMax = (int)Math.Min(_config.Limits.KvValueBytesMax, int.MaxValue);
        StatusEndpoints.AddTo(routes, Address, _cluster);
        new OperatorEndpoints(_node, Address, () => _store.Current.Index, _cluster).AddTo(routes);
        new AutopilotEndpoints(_store, ConfigMapping.Autopilot(_config), Health).AddTo(routes);
        new KvEndpoints(_store, valueMax).AddTo(routes);
        new SessionEndpoints(_store, _sessions, _node.Name, SessionTtlMin(_config)).AddTo(routes);
        var transactionMax = (int)Math.Min(_config.Limits.TxnBytesMax, int.MaxValue);
        new TxnEndpoints(_store, _config.Datacenter, valueMax, transactionMax).AddTo(routes);
        CatalogReads.AddTo(routes, datacenters);
        new CoordinateEndpoints(_places, datacenters, _config.Values.Flag("disable_coordinates")).AddTo(routes);
        new CatalogWrites(_store, _config.Datacenter, Passing.AskAsync).AddTo(routes);
        HealthEndpoints.AddTo(routes);
        new UiEndpoints().AddTo(routes);
        new SnapshotEndpoints(_store, _time, _log.CreateLogger("agent.snapshot")).AddTo(routes);
        _mesh.AddRoutes(routes);
        if (_remoteMesh is null)
        {
            _mesh.AddAgentRoutes(routes, proxies);
        }
        else
        {
            _remoteMesh.AddServiceRoutes(routes, proxies);
        }
    }

    public async Task StartAsync(RouteTable routes, CancellationToken stop)
    {
        if (_cluster is null)
        {
            await InitializeAsync(stop);
            _expiring = UntilStoppedAsync(_sessions.RunAsync);
        }

        _remoteMesh?.Start();
        if (_config.Ports.Server < 0)
        {
            return;
        }

        var endPoint = new IPEndPoint(_config.Addresses.Bind, _config.Ports.Server);
        var own = new RouteTable();
        new RpcRoutes(_store, _mesh.Authority, _page.Render, _node).AddTo(own);
        _cluster?.AddTo(own);
        var forUsers = ApiFor(OfCatalog(routes), isOwn: false);
        var forAgents = ApiFor(own, isOwn: true);
        var calls = new CallServer(AnswerAsync, _time, _log.CreateLogger("agent.rpc"));
        var gate = new RpcGate(_config.Limits.Rpc.HandshakeTimeout, calls.ServeAsync, _time);
        _rpc = new HttpServer(
            new HttpServerOptions([endPoint], _config.Limits.Rpc.ConnectionsPerClient)
            {
                IsHttp2 = true, StreamsPerConnectionMax = RpcLimits.StreamsPerConnection, Gate = gate.Before,
            },
            context => !IsOwn(context) ? AnswerAsync(context)
                : context.Request.Path == RpcRoutes.Pulse && _cluster is not null
                    ? LeaderPulse.ServeAsync(context, _cluster)
                : AnswerAsync(context),
            _log);

        Task AnswerAsync(HttpContext context) =>
            IsOwn(context) ? forAgents.HandleAsync(context) : forUsers.HandleAsync(context);
        try
        {
            await _rpc.StartAsync(stop);
        }
        catch (Exception e) when (e is SocketException or InvalidOperationException or IOException)
        {
            throw ListenFailure.Of("RPC", endPoint.ToString(), "ports.server", e);
        }
    }

    public Task<string?> TellPlaceAsync(CoordinateUpdate update, CancellationToken stop) => _cluster is null
        ? Task.FromResult(_places.Add(update)?.Text)
        : RemoteServers.TellPlaceAsync(_links.Forwarder, update, _config.Datacenter, AgentToken(), stop);

    public void Follow(GossipMembership membership)
    {
        _collecting = UntilStoppedAsync(_places.RunAsync);
        if (_cluster is null)
        {
            _reconciler = Reconciler(membership);
            _reconciler.Start();
        }
        else
        {
            _cluster.Start();
        }
    }

    public Task PrepareToLeaveAsync(CancellationToken stop) =>
        _cluster?.PrepareToLeaveAsync(stop) ?? Task.CompletedTask;

    public Task FinishLeavingAsync(CancellationToken stop) =>
        _cluster?.FinishLeavingAsync(stop) ?? Task.CompletedTask;

    public async Task<string?> ReloadAsync(AgentConfig next)
    {
        try
        {
            if (_cluster is null || _cluster.Leads)
            {
                await _mesh.BootstrapAsync(next.ConfigEntries);
            }
        }
        catch (FormatException e)
        {
            return e.Message;
        }

        if (_rpc is not null)
        {
            _rpc.ConnectionsPerClientMax = next.Limits.Rpc.ConnectionsPerClient;
        }

        return null;
    }

    public ValueTask<string> StatusPageAsync(CancellationToken stop) => ValueTask.FromResult(_page.Render());

    public IReadOnlyDictionary<string, IReadOnlyDictionary<string, string>> Stats() =>
        AgentStats.OfState(_store, _node);

    /// <inheritdoc/>
    public string Ending => _ending is Replicas ? $"{Replicas}: {_cluster?.Ending}" : _ending;

    public async ValueTask DisposeAsync()
    {
        _ending = "loops";
        await _stop.CancelAsync();
        await Task.WhenAll(_collecting, _expiring);
        if (_reconciler is not null)
        {
            await _reconciler.DisposeAsync();
        }

        if (_cluster is not null)
        {
            _ending = Replicas;
            await _cluster.DisposeAsync();
            _ending = "duties of the leader";
            await _leading;
            await _remoteMesh!.DisposeAsync();
        }

        _ending = "calls of others";
        if (_rpc is not null)
        {
            await _rpc.DisposeAsync();
        }

        _ending = "mesh and state";
        await _mesh.DisposeAsync();
        _store.Dispose();
        _ending = "";
        _stop.Dispose();
    }

    private string Address => $"{_node.Address}:{_node.ServerPort.ToString(CultureInfo.InvariantCulture)}";

    private string AgentToken() => _tokens("agent") is { Length: > 0 } own ? own : _tokens("default");

    private CatalogReconciler Reconciler(GossipMembership membership) =>
        new(_store, membership, _node, _time, _log.CreateLogger("agent.leader"));

    // The duties of a leadership, until it ends.
    private async Task LeadAsync(GossipMembership membership, CancellationToken ended)
    {
        var reconciler = Reconciler(membership);
        try
        {
            await InitializeAsync(ended);
            reconciler.Start();
            await _sessions.RunAsync(ended);
        }
        catch (OperationCanceledException) when (ended.IsCancellationRequested)
        {
            // Another server has the duties.
        }
        catch (FormatException e)
        {
            Failed?.Invoke(e.Message);
        }
        finally
        {
            await reconciler.DisposeAsync();
        }
    }

    // What a state begins with; done again for each leadership, by whoever has it.
    private async Task InitializeAsync(CancellationToken stop)
    {
        await _mesh.InitializeAsync(stop);
        if (AutopilotQueries.Of(new ReadView(_store.Current, tracks: false)) is null)
        {
            _ = await _store.SubmitAsync(new SetAutopilot(ConfigMapping.Autopilot(_config), expected: 0));
        }
    }

    // One that is alone leads as long as it runs.
    private ClusterHealth Health() => _cluster?.Health ?? new ClusterHealth(
    [
        new ServerHealth
        {
            Id = _node.Id,
            Name = _node.Name,
            Address = Address,
            Status = MemberStatus.Alive,
            Version = NodeIdentity.CompatibleVersion,
            IsLeader = true,
            IsVoter = true,
            LastTerm = OnlyTerm,
            LastIndex = _store.Current.Index,
            IsHealthy = true,
            StableSince = _started,
        },
    ]);

    private async Task UntilStoppedAsync(Func<CancellationToken, Task> run)
    {
        try
        {
            await run(_stop.Token);
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            // The agent ends.
        }
    }

    private static TimeSpan SessionTtlMin(AgentConfig config) =>
        config.Values.Duration("session_ttl_min") is var asked && asked > TimeSpan.Zero ? asked : SessionRules.TtlMin;

    private static bool IsOwn(HttpContext context) => context.Request.Headers.ContainsKey(Forwarder.OwnHeader);

    // Nobody drives another agent by way of a server.
    private static RouteTable OfCatalog(RouteTable routes)
    {
        var table = new RouteTable();
        foreach (var route in routes.Routes.Where(static r => r.Scope != RouteScope.Agent))
        {
            table.Add(route);
        }

        return table;
    }

    private HttpPassing PassingFor(bool users, bool isOwn) => new(_links.Forwarder, new PassingOptions
    {
        Waits = new WaitLimits(_config.Http.DefaultQueryTime, _config.Http.MaxQueryTime),
        BodyBytesMax = RemoteServers.BodyBytesMax(_config),
        AlwaysPretty = users && _config.IsDev,
        TranslatesWan = users && _config.TranslatesWan,
        IsOwn = isOwn,
    });

    private HttpApi ApiFor(RouteTable routes, bool isOwn) => new(new ApiSurroundings
    {
        Routes = routes,
        Store = _store,
        Hub = _hub,
        Passing = PassingFor(users: false, isOwn),
        IsRpc = true,
        Metrics = null,
        Leadership = _cluster,
        Authorizer = new AllowAll(),
        Guard = null,
        Datacenter = _config.Datacenter,
        NodeName = _node.Name,
        Random = _waits,
        Waits = new WaitLimits(_config.Http.DefaultQueryTime, _config.Http.MaxQueryTime),
    });
}
