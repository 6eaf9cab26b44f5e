using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Praetor.Agent.Config;
using Praetor.Agent.Connect;
using Praetor.Agent.Dns;
using Praetor.Agent.Http;
using Praetor.Agent.Http.Endpoints;
using Praetor.Agent.Http.Json;
using Praetor.Agent.Local;
using Praetor.Agent.Logging;
using Praetor.Agent.Telemetry;
using Praetor.Server.Queries;
using Praetor.Server.State;
using Praetor.Server.Storage;

namespace Praetor.Agent.Runtime;

/// <summary>The agent of this process: makes its parts, joins them, starts and stops them in order.</summary>
public sealed partial class AgentRuntime : IAsyncDisposable
{
    private const string StateFile = "state.db";

    private readonly AgentBuild _build;
    private readonly Func<ConfigResult> _load;
    private readonly TimeProvider _time;
    private readonly AgentLog _log;
    private readonly ILogger _logger;
    private readonly Metrics _metrics;
    private readonly StateStore _store;
    private readonly QueryHub _hub;
    private readonly NodeIdentity _node;
    private readonly LocalAgent _local;
    private readonly MeshServer _mesh;
    private readonly ManagedProxies _proxies;
    private readonly HostGuard _guard;
    private readonly RouteTable _routes = new();
    private readonly SemaphoreSlim _reloads = new(1, 1);
    private readonly TaskCompletionSource<bool> _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private AgentConfig _config;
    private HttpServer? _http;
    private DnsServer? _dns;

    /// <summary>Makes the parts; nothing listens yet.</summary>
    /// <param name="config">What to be.</param>
    /// <param name="load">Loads the configuration again, for reloads.</param>
    /// <param name="build">What the executable knows of itself.</param>
    /// <param name="console">Where the log goes.</param>
    /// <param name="time">The clock.</param>
    /// <exception cref="IOException">The data directory cannot be used.</exception>
    /// <exception cref="StorageFailedException">The state cannot be read.</exception>
    public AgentRuntime(
        AgentConfig config, Func<ConfigResult> load, AgentBuild build, TextWriter console, TimeProvider time)
    {
        config = Served(config);
        (_config, _load, _build, _time) = (config, load, build, time);
        _log = new AgentLog(ConfigMapping.Log(config), console, time);
        _logger = _log.CreateLogger("agent");
        _metrics = new Metrics(time);
        var random = new Random();
        var dataDir = config.DataDir.Length > 0 ? config.DataDir : null;
        if (dataDir is not null)
        {
            DurableFile.CreateFolder(dataDir);
        }

        var id = NodeId.LoadOrCreate(
            dataDir, config.NodeId.Length > 0 ? config.NodeId : null, config.Values.Flag("disable_host_node_id"));
        _node = ConfigMapping.Node(config, id);
        _store = new StateStore(
            dataDir is null ? new MemoryEngine() : new SqliteEngine(Path.Combine(dataDir, StateFile)));
        _store.Failed += e => Fail(e.Message);
        _hub = new QueryHub(_store, time);
        _guard = new HostGuard(Guards(config));
        _local = new LocalAgent(
            ConfigMapping.Local(config, _node), _store, new StoreCatalog(_store), _hub, time, random, _log);
        _local.Failed += e => Fail(e.Message);
        _mesh = new MeshServer(_store, _hub, _node, config, time, random, _log.CreateLogger("agent.connect"));
        _proxies = new ManagedProxies(_local, ClientAddress(), _metrics, time, _log.CreateLogger("agent.proxy"));
    }

    /// <summary>Ends when the agent is to end: true when it left, false when it cannot go on.</summary>
    public Task<bool> Ended => _ended.Task;

    /// <summary>The rows of the API; <see cref="AddRoutes"/> fills them in.</summary>
    internal RouteTable Routes => _routes;

    /// <summary>The lines that tell a person what was started and where it is.</summary>
    public IEnumerable<string> Banner()
    {
        var addresses = _config.Addresses;
        yield return $"           Version: '{_build.Version}' "
            + $"(compatible with Consul v{NodeIdentity.CompatibleVersion})";
        yield return $"           Node ID: '{_node.Id}'";
        yield return $"         Node name: '{_node.Name}'";
        yield return $"        Datacenter: '{_node.Datacenter}' (Store: '{_store.EngineName}')";
        yield return $"            Server: {Word(_config.IsServer)} (Bootstrap: {Word(_config.IsBootstrap)})";
        var client = addresses.Client.Select(static a => a.Address?.ToString() ?? a.ToString());
        yield return $"       Client Addr: [{string.Join(' ', client)}] (HTTP: {_config.Ports.Http}, "
            + $"DNS: {_config.Ports.Dns})";
        yield return $"      Cluster Addr: {addresses.Advertise}";
        if (_config.Ui.IsEnabled && addresses.Http.Count > 0)
        {
            yield return $"                UI: http://{addresses.Http[0]}{_config.Ui.ContentPath}";
        }
    }

    /// <summary>Starts everything.</summary>
    /// <exception cref="IOException">A port is taken, or an address is not this machine's.</exception>
    public async Task StartAsync(IReadOnlyList<string> warnings, CancellationToken stop)
    {
        foreach (var warning in warnings)
        {
            Log.Warned(_logger, warning);
        }

        RuntimeGauges.AddTo(_metrics, Environment.MachineName);
        var streams = AddRoutes();
        await _mesh.InitializeAsync(stop);
        StartDns();
        await StartHttpAsync(streams, stop);
        await _local.StartAsync(stop);
        _proxies.Start();
        Log.Started(_logger, string.Join(' ', _http?.Addresses ?? []), _config.Ports.Dns);
    }

    /// <summary>Reads the configuration again and takes over what can change.</summary>
    /// <returns>Why it was not taken over; null: it was.</returns>
    public async Task<string?> ReloadAsync(CancellationToken stop)
    {
        await _reloads.WaitAsync(stop);
        try
        {
            Log.Reloading(_logger);
            var result = _load();
            if (result.Config is not { } loaded)
            {
                Log.ReloadRefused(_logger, result.ProblemText);
                return result.ProblemText;
            }

            var next = Served(loaded);

            foreach (var key in ConfigLoader.NotReloadable(_config, next))
            {
                Log.NeedsRestart(_logger, key);
            }

            // First, as it is the only part that may still refuse, and then nothing has changed.
            if (await _local.ReloadAsync(ConfigMapping.Local(next, _node)) is { } refused)
            {
                Log.ReloadRefused(_logger, refused);
                return refused;
            }

            _log.Level = ConfigMapping.Level(next.Log.Level);
            _guard.Rules = Guards(next);
            _dns?.Reload(ConfigMapping.Dns(next));
            _config = next;
            return null;
        }
        catch (IOException e)
        {
            return e.Message;
        }
        finally
        {
            _reloads.Release();
        }
    }

    /// <summary>Leaves the cluster, gracefully, and ends.</summary>
    public Task LeaveAsync()
    {
        Log.Leaving(_logger);
        _ended.TrySetResult(true);
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        Log.Stopping(_logger);
        await _proxies.DisposeAsync();

        if (_http is not null)
        {
            await _http.DisposeAsync();
        }

        if (_dns is not null)
        {
            await _dns.StopAsync();
        }

        await _mesh.DisposeAsync();
        await _local.DisposeAsync();
        _store.Dispose();
        _reloads.Dispose();
        Log.Stopped(_logger);
        _log.Dispose();
    }

    // Clients look here for ports to use, so a port that nobody serves yet is off, whatever was asked for.
    private static AgentConfig Served(AgentConfig config) => config with
    {
        Ports = config.Ports with { Https = -1, Grpc = -1, GrpcTls = -1 },
        Addresses = config.Addresses with { Https = [], Grpc = [], GrpcTls = [] },
    };

    private static string Word(bool value) => value ? "true" : "false";

    private void Fail(string why)
    {
        Log.Failing(_logger, why);
        _ended.TrySetResult(false);
    }

    /// <summary>Fills <see cref="Routes"/>, once; gives who answers the routes whose answer has no end.</summary>
    internal Dictionary<string, Func<HttpContext, ApiRequest, Task>> AddRoutes()
    {
        var streams = new Dictionary<string, Func<HttpContext, ApiRequest, Task>>(StringComparer.Ordinal);
        var valueMax = (int)Math.Min(_config.Limits.KvValueBytesMax, int.MaxValue);
        var proxies = new OutsideProxies(() => _local.ManagedProxies, _proxies.MakeRoomAsync);
        StatusEndpoints.AddTo(_routes, $"{_node.Address}:{_node.ServerPort.ToString(CultureInfo.InvariantCulture)}");
        new KvEndpoints(_store, valueMax).AddTo(_routes);
        new TxnEndpoints(_store, valueMax, (int)Math.Min(_config.Limits.TxnBytesMax, int.MaxValue)).AddTo(_routes);
        CatalogReads.AddTo(_routes, _config.Datacenter);
        new CatalogWrites(_store, _config.Datacenter).AddTo(_routes);
        HealthEndpoints.AddTo(_routes);
        AgentEndpoints.AddTo(_routes, streams, new AgentSurroundings
        {
            Local = _local,
            Proxies = proxies,
            Facts = Facts(),
            Actions = new AgentActions
            {
                ReloadAsync = ReloadAsync,
                LeaveAsync = async _ =>
                {
                    await LeaveAsync();
                    return null;
                },
            },
            Metrics = _metrics,
            Log = _log,
            Time = _time,
            Random = new Random(),
            MetricsPrefix = _config.Telemetry.MetricsPrefix,
        });
        _mesh.AddRoutes(_routes, proxies);
        return streams;
    }

    private AgentFacts Facts() => new()
    {
        Node = _node,
        ProductVersion = _build.Version,
        BuildDate = _build.BuildDate,
        Revision = _build.Revision,
        PrimaryDatacenter = _config.PrimaryDatacenter,
        BindAddress = _config.Addresses.Bind.ToString(),
        IsDev = _config.IsDev,
        GossipPort = _config.Ports.SerfLan,
        WanPort = _config.Ports.SerfWan,
        HasAcls = _config.Acl.IsEnabled,
        DebugConfig = json => DebugConfigJson.Write(json, _config, _node),
        Stats = () => AgentStats.OfState(_store, _node),
    };

    private void StartDns()
    {
        if (_config.Ports.Dns < 0 || _config.Addresses.Dns.Count == 0)
        {
            return;
        }

        var catalog = new StateDnsCatalog(_store, _config.Datacenter);
        _dns = new DnsServer(ConfigMapping.Dns(_config), catalog, _time, new Random(), _log.CreateLogger("agent.dns"));
        try
        {
            _dns.Start();
        }
        catch (SocketException e)
        {
            var where = string.Join(' ', _config.Addresses.Dns);
            throw new IOException($"DNS cannot listen on {where}: {e.Message}; set ports.dns to another port", e);
        }
    }

    private async Task StartHttpAsync(
        Dictionary<string, Func<HttpContext, ApiRequest, Task>> streams, CancellationToken stop)
    {
        if (_config.Addresses.Http.Count == 0)
        {
            return;
        }

        var pages = new StatusPage(_store, _node, _config.Ui, _build);
        var api = new HttpApi(new ApiSurroundings
        {
            Routes = _routes,
            Store = _store,
            Hub = _hub,
            Metrics = _metrics,
            Authorizer = new AllowAll(),
            Guard = _guard,
            Datacenter = _config.Datacenter,
            NodeName = _node.Name,
            Random = new Random(),
            Waits = new WaitLimits(_config.Http.DefaultQueryTime, _config.Http.MaxQueryTime),
            AlwaysPretty = _config.IsDev,
            ResponseHeaders = _config.Http.ResponseHeaders,
            Pages = pages.AnswerAsync,
            Streams = streams,
        });
        var endPoints = _config.Addresses.Http.Select(static a => a.EndPoint).ToList();
        var options = new HttpServerOptions(endPoints, _config.Limits.HttpConnectionsPerClient)
        {
            HeaderBytesMax = _config.Http.MaxHeaderBytes,
        };
        _http = new HttpServer(options, api.HandleAsync, _log);
        try
        {
            await _http.StartAsync(stop);
        }
        catch (Exception e) when (e is SocketException or InvalidOperationException or IOException)
        {
            var where = string.Join(' ', _config.Addresses.Http);
            var why = (e.GetBaseException() as SocketException ?? e).Message.TrimEnd('.');
            throw new IOException($"HTTP cannot listen on {where}: {why}; set ports.http to another port", e);
        }
    }

    private static GuardRules Guards(AgentConfig config)
    {
        string[] own = [config.NodeName, Environment.MachineName, "." + config.Dns.Domain.TrimEnd('.')];
        return new GuardRules
        {
            HostNames = own.Concat(config.Http.AllowedHosts).Select(static n => n.ToLowerInvariant())
                .ToHashSet(StringComparer.Ordinal),
            BlockedPrefixes = config.Http.BlockEndpoints,
            WriteNetworks = config.Http.AllowWriteFrom,
        };
    }

    // Sidecars inside the agent ask it over loopback like any other proxy.
    private string ClientAddress()
    {
        var http = _config.Addresses.Http.FirstOrDefault();
        if (http?.Address is not { } address)
        {
            return http?.ToString() ?? "";
        }

        var reachable = address.Equals(IPAddress.Any) ? IPAddress.Loopback
            : address.Equals(IPAddress.IPv6Any) ? IPAddress.IPv6Loopback : address;
        return new IPEndPoint(reachable, http.Port).ToString();
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Information, "agent: started: http={Http} dns={Dns}")]
        public static partial void Started(ILogger log, string http, int dns);

        [LoggerMessage(2, LogLevel.Information, "reloading configuration")]
        public static partial void Reloading(ILogger log);

        [LoggerMessage(3, LogLevel.Error, "the new configuration is not taken over: problems={Problems}")]
        public static partial void ReloadRefused(ILogger log, string problems);

        [LoggerMessage(4, LogLevel.Warning, "changed, but needs a restart to take effect: key={Key}")]
        public static partial void NeedsRestart(ILogger log, string key);

        [LoggerMessage(5, LogLevel.Information, "leaving")]
        public static partial void Leaving(ILogger log);

        [LoggerMessage(6, LogLevel.Information, "stopping")]
        public static partial void Stopping(ILogger log);

        [LoggerMessage(7, LogLevel.Information, "stopped")]
        public static partial void Stopped(ILogger log);

        [LoggerMessage(8, LogLevel.Critical, "cannot go on: {Why}")]
        public static partial void Failing(ILogger log, string why);

        [LoggerMessage(9, LogLevel.Warning, "{Warning}")]
        public static partial void Warned(ILogger log, string warning);
    }
}
