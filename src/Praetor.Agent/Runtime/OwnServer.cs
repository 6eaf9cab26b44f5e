using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Praetor.Agent.Config;
using Praetor.Agent.Connect;
using Praetor.Agent.Dns;
using Praetor.Agent.Forwarding;
using Praetor.Agent.Http;
using Praetor.Agent.Http.Endpoints;
using Praetor.Agent.Local;
using Praetor.Agent.Logging;
using Praetor.Agent.Membership;
using Praetor.Server.Coordinates;
using Praetor.Server.Queries;
using Praetor.Server.Sessions;
using Praetor.Server.State;
using Praetor.Server.Storage;

namespace Praetor.Agent.Runtime;

/// <summary>The catalog's side of a server: the state, and the port at which other agents ask for it.</summary>
internal sealed class OwnServer : IServerSide
{
    private const string StateFile = "state.db";

    // As in Consul; a dev agent's user wants to see something.
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
    private readonly SessionTimers _sessions;
    private readonly CancellationTokenSource _stop = new();
    private HttpServer? _rpc;
    private CatalogReconciler? _reconciler;
    private Task _collecting = Task.CompletedTask;
    private Task _expiring = Task.CompletedTask;

    /// <exception cref="StorageFailedException">The state cannot be read.</exception>
    public OwnServer(
        AgentConfig config, NodeIdentity node, AgentLinks links, AgentBuild build, TimeProvider time, Random random,
        AgentLog log)
    {
        (_config, _node, _links, _time, _log) = (config, node, links, time, log);
        _waits = new Random(random.Next());
        _store = new StateStore(config.DataDir.Length == 0
            ? new MemoryEngine() : new SqliteEngine(Path.Combine(config.DataDir, StateFile)));
        _store.Failed += e => Failed?.Invoke(e.Message);
        _hub = new QueryHub(_store, time);
        _mesh = new MeshServer(_store, _hub, node, config, time, random, log.CreateLogger("agent.connect"));
        _places = new CoordinateCollector(
            _store, config.IsDev ? CoordinatePeriodOfDev : CoordinatePeriod, time);
        _sessions = new SessionTimers(_store, time);
        _page = new StatusPageText(_store, node, build);
        Catalog = new StoreCatalog(_store, _hub);
        Passing = PassingFor(config.IsDev, isOwn: false);
        Dns = new FederatedDnsCatalog(
            new StateDnsCatalog(_store, config.Datacenter),
            new WatchedDnsCatalog(links.Cache, new WatchedDnsOptions
            {
                Datacenter = config.Datacenter,
                IsClient = false,
                StaleMax = config.Dns.AllowStale ? config.Dns.MaxStale : TimeSpan.Zero,
            }),
            config.Datacenter,
            links.Servers.Knows);
    }

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
        StatusEndpoints.AddTo(routes, $"{_node.Address}:{_node.ServerPort.ToString(CultureInfo.InvariantCulture)}");
        new KvEndpoints(_store, valueMax).AddTo(routes);
        new SessionEndpoints(_store, _sessions, _node.Name, SessionTtlMin(_config)).AddTo(routes);
        var transactionMax = (int)Math.Min(_config.Limits.TxnBytesMax, int.MaxValue);
        new TxnEndpoints(_store, _config.Datacenter, valueMax, transactionMax).AddTo(routes);
        CatalogReads.AddTo(routes, datacenters);
        new CoordinateEndpoints(_places, datacenters, _config.Values.Flag("disable_coordinates")).AddTo(routes);
        new CatalogWrites(_store, _config.Datacenter, Passing.AskAsync).AddTo(routes);
        HealthEndpoints.AddTo(routes);
        _mesh.AddRoutes(routes, proxies);
    }

    public async Task StartAsync(RouteTable routes, CancellationToken stop)
    {
        await _mesh.InitializeAsync(stop);
        _expiring = UntilStoppedAsync(_sessions.RunAsync);
        if (_config.Ports.Server < 0)
        {
            return;
        }

        var endPoint = new IPEndPoint(_config.Addresses.Bind, _config.Ports.Server);
        var own = new RouteTable();
        new RpcRoutes(_store, _mesh.Authority, _page.Render, _node).AddTo(own);
        var forUsers = ApiFor(OfCatalog(routes), isOwn: false);
        var forAgents = ApiFor(own, isOwn: true);
        var calls = new CallServer(AnswerAsync, _log.CreateLogger("agent.rpc"));
        var gate = new RpcGate(_config.Limits.Rpc.HandshakeTimeout, _time);
        _rpc = new HttpServer(
            new HttpServerOptions([endPoint], _config.Limits.Rpc.ConnectionsPerClient)
            {
                IsHttp2 = true, StreamsPerConnectionMax = RpcLimits.StreamsPerConnection, Gate = gate.Before,
            },
            context => IsOwn(context) && context.Request.Path == RpcRoutes.Calls
                ? calls.ServeAsync(context) : AnswerAsync(context),
            _log);

        Task AnswerAsync(HttpContext context) =>
            IsOwn(context) ? forAgents.HandleAsync(context) : forUsers.HandleAsync(context);
        try
        {
            await _rpc.StartAsync(stop);
        }
        catch (Exception e) when (e is SocketException or InvalidOperationException or IOException)
        {
            var why = (e.GetBaseException() as SocketException ?? e).Message.TrimEnd('.');
            throw new IOException($"RPC cannot listen on {endPoint}: {why}; set ports.server to another port", e);
        }
    }

    public Task<string?> TellPlaceAsync(CoordinateUpdate update, CancellationToken stop) =>
        Task.FromResult(_places.Add(update)?.Text);

    public void Follow(GossipMembership membership)
    {
        _reconciler = new CatalogReconciler(_store, membership, _node, _time, _log.CreateLogger("agent.leader"));
        _reconciler.Start();
        _collecting = UntilStoppedAsync(_places.RunAsync);
    }

    public ValueTask<string> StatusPageAsync(CancellationToken stop) => ValueTask.FromResult(_page.Render());

    public IReadOnlyDictionary<string, IReadOnlyDictionary<string, string>> Stats() =>
        AgentStats.OfState(_store, _node);

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await Task.WhenAll(_collecting, _expiring);
        if (_reconciler is not null)
        {
            await _reconciler.DisposeAsync();
        }

        if (_rpc is not null)
        {
            await _rpc.DisposeAsync();
        }

        await _mesh.DisposeAsync();
        _store.Dispose();
        _stop.Dispose();
    }

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
        foreach (var route in routes.Routes.Where(static r => r.Scope == RouteScope.Catalog))
        {
            table.Add(route);
        }

        return table;
    }

    private HttpPassing PassingFor(bool alwaysPretty, bool isOwn) => new(_links.Forwarder, new PassingOptions
    {
        Waits = new WaitLimits(_config.Http.DefaultQueryTime, _config.Http.MaxQueryTime),
        BodyBytesMax = RemoteServers.BodyBytesMax(_config),
        AlwaysPretty = alwaysPretty,
        IsOwn = isOwn,
    });

    private HttpApi ApiFor(RouteTable routes, bool isOwn) => new(new ApiSurroundings
    {
        Routes = routes,
        Store = _store,
        Hub = _hub,
        Passing = PassingFor(alwaysPretty: false, isOwn),
        IsRpc = true,
        Metrics = null,
        Authorizer = new AllowAll(),
        Guard = null,
        Datacenter = _config.Datacenter,
        NodeName = _node.Name,
        Random = _waits,
        Waits = new WaitLimits(_config.Http.DefaultQueryTime, _config.Http.MaxQueryTime),
    });
}
