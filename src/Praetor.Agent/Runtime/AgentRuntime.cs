using System.Net;
using Microsoft.Extensions.Logging;
using Praetor.Agent.Checks;
using Praetor.Agent.Cluster;
using Praetor.Agent.Config;
using Praetor.Agent.Dns;
using Praetor.Agent.Forwarding;
using Praetor.Agent.Http;
using Praetor.Agent.Http.Endpoints;
using Praetor.Agent.Http.Json;
using Praetor.Agent.Http.Tls;
using Praetor.Agent.Local;
using Praetor.Agent.Logging;
using Praetor.Agent.Membership;
using Praetor.Agent.Telemetry;
using Praetor.Server.Storage;

namespace Praetor.Agent.Runtime;

/// <summary>The agent of this process: makes its parts, joins them, starts and stops them in order.</summary>
public sealed partial class AgentRuntime : IAsyncDisposable
{
    private readonly AgentBuild _build;
    private readonly Func<ConfigResult> _load;
    private readonly TimeProvider _time;
    private readonly AgentLog _log;
    private readonly ILogger _logger;
    private readonly Metrics _metrics;
    private readonly NodeIdentity _node;
    private readonly GossipMembership _membership;
    private readonly AgentLinks _links;
    private readonly IServerSide _server;
    private readonly LocalAgent _local;
    private readonly ClientInterfaces _interfaces;
    private readonly ManagedProxies _proxies;
    private readonly RouteTable _routes = new();
    private readonly SemaphoreSlim _reloads = new(1, 1);
    private readonly TaskCompletionSource<bool> _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly AgentConfig _started;
    private AgentConfig _config;
    private HashSet<string> _warned = [];
    private HashSet<string> _needRestart = [];
    private int _failing;

    /// <summary>Makes the parts; nothing listens yet.</summary>
    /// <param name="config">What to be.</param>
    /// <param name="load">Loads the configuration again, for reloads.</param>
    /// <param name="build">What the executable knows of itself.</param>
    /// <param name="console">Where the log goes.</param>
    /// <param name="time">The clock.</param>
    /// <param name="servers">Says which servers there are. Null: those at the addresses to join are asked.</param>
    /// <exception cref="IOException">The data directory cannot be used.</exception>
    /// <exception cref="StorageFailedException">The state cannot be read.</exception>
    public AgentRuntime(
        AgentConfig config, Func<ConfigResult> load, AgentBuild build, TextWriter console, TimeProvider time,
        IServerSource? servers = null)
    {
        config = Served(config);
        (_started, _config, _load, _build, _time) = (config, config, load, build, time);
        _log = new AgentLog(ConfigMapping.Log(config, build.Program), console, time);
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
        _membership = new GossipMembership(
            GossipSettings.Of(config), MemberFacts(), time, random, _log.CreateLogger("agent.serf"));
        _links = new AgentLinks(config, _node, servers ?? _membership, _metrics, time, random, _log)
        {
            AgentCount = () => _membership.AgentCount,
        };
        _server = ServerSide(random);
        _interfaces = new ClientInterfaces(config, _log, time);
        _local = new LocalAgent(LocalOptions(config), _server.Catalog, time, random, _log);
        _local.Failed += e => Fail(e.Message);
        _proxies = new ManagedProxies(_local, _interfaces.OwnAddress, _metrics, time, _log.CreateLogger("agent.proxy"));
    }

    /// <summary>What the files looked like when the configuration was read, for <c>auto_reload_config</c>.</summary>
    public ConfigStamp Seen { get; init; } = new([], "");

    /// <summary>Ends when the agent is to end: true when it left, false when it cannot go on.</summary>
    public Task<bool> Ended => _ended.Task;

    /// <summary>The rows of the API; <see cref="AddRoutes"/> fills them in.</summary>
    internal RouteTable Routes => _routes;

    /// <summary>The servers that this agent knows; membership feeds it.</summary>
    internal ServerDirectory Servers => _links.Servers;

    /// <summary>Where this process asks its own API.</summary>
    internal string OwnAddress => _interfaces.OwnAddress;

    /// <summary>Where HTTP listens.</summary>
    internal string HttpAddresses => _interfaces.HttpAddresses;

    /// <summary>Where HTTPS listens.</summary>
    internal string HttpsAddresses => _interfaces.HttpsAddresses;

    /// <summary>Where other agents ask. Null: nowhere.</summary>
    internal IPEndPoint? RpcEndPoint => _server.RpcEndPoint;

    /// <summary>Where DNS listens.</summary>
    internal IReadOnlyList<IPEndPoint> DnsEndPoints => _interfaces.DnsEndPoints;

    /// <summary>The lines that tell a person what was started and where it is.</summary>
    public IEnumerable<string> Banner()
    {
        var addresses = _config.Addresses;
        yield return $"           Version: '{_build.Version}' "
            + $"(compatible with Consul v{NodeIdentity.CompatibleVersion})";
        yield return $"           Node ID: '{_node.Id}'";
        yield return $"         Node name: '{_node.Name}'";
        yield return $"        Datacenter: '{_node.Datacenter}' (Store: '{_server.StoreName}')";
        yield return $"            Server: {Word(_config.IsServer)} (Bootstrap: {Word(_config.IsBootstrap)})";
        var client = addresses.Client.Select(static a => a.Address?.ToString() ?? a.ToString());
        yield return $"       Client Addr: [{string.Join(' ', client)}] (HTTP: {_config.Ports.Http}, "
            + $"HTTPS: {_config.Ports.Https}, DNS: {_config.Ports.Dns})";
        yield return $"      Cluster Addr: {addresses.Advertise}";
        if (_config.Ui.IsEnabled && ForBrowsers(addresses) is { } origin)
        {
            yield return $"                UI: {origin}{_config.Ui.ContentPath}";
        }
    }

    /// <summary>Starts everything.</summary>
    /// <exception cref="IOException">A port is taken, or an address is not this machine's.</exception>
    public async Task StartAsync(IReadOnlyList<string> warnings, CancellationToken stop)
    {
        Warn(warnings);
        _ = ReadWatches(_config, out var wrong);
        var tls = TlsMaterial.Read(_config, out var unsound);
        if ((wrong ?? unsound) is { } refused)
        {
            throw new FormatException(refused);
        }

        var recursors = await RecursorNames.ResolveAsync(_config.Dns.Recursors, _time, stop);
        _metrics.Filter = ConfigMapping.MetricFilter(_config);
        RuntimeGauges.AddTo(_metrics, Environment.MachineName);
        AddRoutes();
        await _server.StartAsync(_routes, stop);
        _membership.Start();
        _server.Follow(_membership);
        _links.Start();
        _interfaces.StartDns(_server.Dns, recursors);
        await _interfaces.StartHttpAsync(Surroundings(), tls, stop);
        _local.CheckCertificates = tls.Checks;
        await _local.StartAsync(stop);
        _proxies.Start();
        await StartToolsAsync();
        Log.Started(
            _logger, $"{_interfaces.HttpAddresses} {_interfaces.HttpsAddresses}".Trim(), _config.Ports.Dns);
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
            if (result.ReloadRefusal is { } broken)
            {
                Log.ReloadRefused(_logger, broken);
                return broken;
            }

            Warn(result.Warnings);
            var next = Served(result.Config!);
            WarnOfRestart(next);
            var watches = ReadWatches(next, out var wrong);
            var tls = TlsMaterial.Read(next, out var unsound);
            var recursors = await RecursorNames.ResolveAsync(next.Dns.Recursors, _time, stop);

            // First what may still refuse: then nothing has changed, save for config entries that are there now.
            if ((wrong ?? unsound ?? await _server.ReloadAsync(next) ?? await _local.ReloadAsync(LocalOptions(next)))
                is { } refused)
            {
                Log.ReloadRefused(_logger, refused);
                return refused;
            }

            _log.Level = ConfigMapping.Level(next.Log.Level);
            _interfaces.Reload(next, tls, recursors);
            _metrics.Filter = ConfigMapping.MetricFilter(next);
            _local.CheckCertificates = tls.Checks;
            _links.Reload(next);
            _node.Reload(next.NodeMeta);
            _local.AntiEntropy.CompareSoon();
            _config = next;
            await (_watches?.ApplyAsync(watches) ?? Task.CompletedTask);
            return null;
        }
        catch (Exception e) when (e is IOException or FormatException)
        {
            Log.ReloadRefused(_logger, e.Message);
            return e.Message;
        }
        finally
        {
            _reloads.Release();
        }
    }

    /// <summary>Reloads for somebody who cannot wait for it: what goes wrong is logged.</summary>
    public void BeginReload(CancellationToken stop) => _ = SuperviseReloadAsync(stop);

    // Each once, as long as it holds: a reload brings the same ones again.
    private void Warn(IReadOnlyList<string> warnings)
    {
        foreach (var warning in warnings.Where(warning => !_warned.Contains(warning)))
        {
            Log.Warned(_logger, warning);
        }

        _warned = [.. warnings];
    }

    // Against what runs, not against the reload before: what was taken back needs no restart any more.
    private void WarnOfRestart(AgentConfig next)
    {
        var keys = ConfigLoader.NotReloadable(_started, next);
        foreach (var key in keys.Where(key => !_needRestart.Contains(key)))
        {
            Log.NeedsRestart(_logger, key);
        }

        _needRestart = [.. keys];
    }

    // No browser opens a Unix socket.
    private static string? ForBrowsers(AddressConfig addresses) =>
        addresses.Http.FirstOrDefault(static a => a.Address is not null) is { } plain ? $"http://{plain}"
        : addresses.Https.FirstOrDefault(static a => a.Address is not null) is { } tls ? $"https://{tls}"
        : null;

    // Clients look here for ports to use, so a port that nobody serves yet is off, whatever was asked for.
    private static AgentConfig Served(AgentConfig config) => config with
    {
        Ports = config.Ports with { Grpc = -1, GrpcTls = -1 },
        Addresses = config.Addresses with { Grpc = [], GrpcTls = [] },
    };

    private LocalAgentOptions LocalOptions(AgentConfig config)
    {
        var options = ConfigMapping.Local(config, _node);
        return options with
        {
            AntiEntropy = options.AntiEntropy with { NodeCount = () => _membership.AgentCount },
        };
    }

    private static string Word(bool value) => value ? "true" : "false";

    private IServerSide ServerSide(Random random)
    {
        if (!_config.IsServer)
        {
            return new RemoteServers(
                _config, _links, purpose => _local?.Tokens[purpose] ?? "", _time, random, _log);
        }

        var server = new OwnServer(
            _config, _node, _links, _membership, _build, purpose => _local?.Tokens[purpose] ?? "", _time, random, _log);
        server.Failed += Fail;

        // Of what runs here the state that came in place of the other knows what was true when it was saved.
        server.Store.Replaced += () => _local?.AntiEntropy.CompareSoon();
        return server;
    }

    private async Task SuperviseReloadAsync(CancellationToken stop)
    {
        try
        {
            _ = await ReloadAsync(stop);
        }
        catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException)
        {
            // The agent ends.
        }
        catch (Exception e)
        {
            // supervisor: nobody else sees what broke one reload, and the agent goes on as it was.
            Log.ReloadBroke(_logger, e);
        }
    }

    // The first cause is told; what else breaks because of it is no news.
    private void Fail(string why)
    {
        if (Interlocked.Exchange(ref _failing, 1) == 0)
        {
            Log.Failing(_logger, why);
            _ended.TrySetResult(false);
        }
    }

    /// <summary>Fills <see cref="Routes"/>, once.</summary>
    internal void AddRoutes()
    {
        var proxies = new OutsideProxies(() => _local.ManagedProxies, _proxies.MakeRoomAsync);
        var facts = Facts();
        var tools = _tools = MakeTools();
        _server.AddRoutes(_routes, proxies, tools.Datacenters);
        AgentEndpoints.AddTo(_routes, new AgentSurroundings
        {
            Local = _local,
            Proxies = proxies,
            Facts = facts,
            Membership = tools.Membership,
            Coordinates = tools.Coordinates,
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
        AddToolRoutes(_routes, tools);
    }

    // What other agents are told of this one.
    private AgentFacts MemberFacts() => new()
    {
        Node = _node,
        ProductVersion = _build.Version,
        GossipPort = _config.Ports.SerfLan,
        WanPort = _config.Ports.SerfWan,
        HasAcls = _config.Acl.IsEnabled,
        Protocol = _config.Values.Count("protocol") is > 0 and var protocol ? protocol : 2,
        ReconnectTimeout = _config.Values.Duration("advertise_reconnect_timeout"),
        Expect = _config.BootstrapExpect,
        StorePeerPort = _config.Ports.StorePeer,
        HasStoreTls = EtcdPeerTls.Of(_config, out _) is not null,
    };

    private AgentFacts Facts() => MemberFacts() with
    {
        BuildDate = _build.BuildDate,
        Revision = _build.Revision,
        PrimaryDatacenter = _config.PrimaryDatacenter,
        BindAddress = _config.Addresses.Bind.ToString(),
        IsDev = _config.IsDev,
        DebugConfig = json => DebugConfigJson.Write(json, _config, _node),
        Stats = _server.Stats,
        KnownServers = () => _links.Servers.In(_config.Datacenter).Count,
        KnownDatacenters = () => _links.Servers.Datacenters(_config.Datacenter).Count,
    };

    private ApiSurroundings Surroundings() => new()
    {
        Routes = _routes,
        Store = _server.Store,
        Hub = _server.Hub,
        Passing = _server.Passing,
        Leadership = _server.Leadership,
        Metrics = _metrics,
        RequestLog = new RequestLog(_log.CreateLogger("agent.http"), _time),
        Authorizer = new AllowAll(),
        Guard = _interfaces.Guard,
        Datacenter = _config.Datacenter,
        NodeName = _node.Name,
        Random = new Random(),
        Waits = new WaitLimits(_config.Http.DefaultQueryTime, _config.Http.MaxQueryTime),
        AllowUnprintable = _config.Http.AllowUnprintable,
        AlwaysPretty = _config.IsDev,
        TranslatesWan = _config.TranslatesWan,
        ResponseHeaders = () => _config.Http.ResponseHeaders,
        Pages = new StatusPage(_server.StatusPageAsync, _config.Ui).AnswerAsync,
    };

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

        [LoggerMessage(11, LogLevel.Warning, "left, though the others may not have heard it: waited={Waited}")]
        public static partial void LeftUnheard(ILogger log, TimeSpan waited);

        [LoggerMessage(9, LogLevel.Warning, "{Warning}")]
        public static partial void Warned(ILogger log, string warning);

        [LoggerMessage(10, LogLevel.Information, "ignoring remote exec event, disabled: event_id={Id}")]
        public static partial void ExecDisabled(ILogger log, string id);

        [LoggerMessage(12, LogLevel.Information, "still answering who has not heard that this server left: "
            + "drain_time={Time}")]
        public static partial void Draining(ILogger log, string time);

        [LoggerMessage(14, LogLevel.Error, "a part of the agent did not stop in time, the others are stopped: "
            + "part={Part} within={Within} waited={Waited}")]
        public static partial void Hangs(ILogger log, string part, string within, TimeSpan waited);

        [LoggerMessage(13, LogLevel.Error, "the reload broke, the configuration may be taken over in part")]
        public static partial void ReloadBroke(ILogger log, Exception failure);
    }
}
