using System.Globalization;
using System.Net;
using System.Text;
using Microsoft.Extensions.Logging;
using Praetor.Agent.Config;
using Praetor.Agent.Dns;
using Praetor.Agent.Forwarding;
using Praetor.Agent.Http;
using Praetor.Agent.Http.Endpoints;
using Praetor.Agent.Local;
using Praetor.Agent.Membership;
using Praetor.Server.Coordinates;
using Praetor.Server.Queries;
using Praetor.Server.State;

namespace Praetor.Agent.Runtime;

/// <summary>The catalog's side of a client agent: no state, everything by way of servers.</summary>
internal sealed class RemoteServers : IServerSide
{
    private readonly AgentConfig _config;
    private readonly AgentLinks _links;
    private readonly Func<string, string> _tokens;
    private readonly RemoteMesh _mesh;

    /// <param name="config">The configuration.</param>
    /// <param name="links">The ways to servers.</param>
    /// <param name="tokens">The agent's own tokens by purpose.</param>
    /// <param name="time">The clock.</param>
    /// <param name="random">Spreads.</param>
    /// <param name="logs">Where to log.</param>
    public RemoteServers(
        AgentConfig config, AgentLinks links, Func<string, string> tokens, TimeProvider time, Random random,
        ILoggerFactory logs)
    {
        (_config, _links, _tokens) = (config, links, tokens);
        _mesh = new RemoteMesh(
            links.Forwarder, links.Cache, config, () => tokens("default"), time, random,
            logs.CreateLogger("agent.connect"));
        Catalog = new RemoteCatalog(links.Forwarder, links.Cache, config.Datacenter, AgentToken);
        Dns = new WatchedDnsCatalog(links.Cache, new WatchedDnsOptions
        {
            Datacenter = config.Datacenter,
            IsClient = true,
            Token = () => tokens("dns") is { Length: > 0 } own ? own : tokens("default"),
            StaleMax = config.Dns.AllowStale ? config.Dns.MaxStale : TimeSpan.Zero,
        });
        var waits = new WaitLimits(config.Http.DefaultQueryTime, config.Http.MaxQueryTime);
        Passing = new HttpPassing(links.Forwarder, new PassingOptions
        {
            DefaultToken = () => tokens("default"),
            Waits = waits,
            BodyBytesMax = BodyBytesMax(config),
            AlwaysPretty = config.IsDev,
            TranslatesWan = config.TranslatesWan,
            Cached = config.Http.UseCache ? new CachedReads(links.Cache, waits, new Random(random.Next())) : null,
        });
    }

    public string StoreName => "servers";

    public IPEndPoint? RpcEndPoint => null;

    public StateStore? Store => null;

    public QueryHub? Hub => null;

    public ILeadership? Leadership => null;

    public ICatalog Catalog { get; }

    public IDnsCatalog Dns { get; }

    public HttpPassing Passing { get; }

    /// <summary>The largest body of any request that is passed on.</summary>
    public static int BodyBytesMax(AgentConfig config) => (int)Math.Min(
        int.MaxValue,
        Math.Max(RpcLimits.RequestBytesMax, Math.Max(config.Limits.KvValueBytesMax, config.Limits.TxnBytesMax)));

    public void AddRoutes(RouteTable routes, OutsideProxies proxies, Datacenters datacenters) =>
        _mesh.AddRoutes(routes, proxies);

    public Task<string?> TellPlaceAsync(CoordinateUpdate update, CancellationToken stop) =>
        TellPlaceAsync(_links.Forwarder, update, _config.Datacenter, _tokens("agent"), stop);

    /// <summary>Tells a server where this agent's node is.</summary>
    public static async Task<string?> TellPlaceAsync(
        Forwarder forwarder, CoordinateUpdate update, string datacenter, string token, CancellationToken stop)
    {
        var outcome = await forwarder.AskAsync(
            new ServerCall
            {
                Method = "PUT",
                Target = "/v1/coordinate/update",
                Datacenter = datacenter,
                Token = token,
                Body = CoordinateEndpoints.BodyOf(update),
                IsRepeatable = true,
                IsSeldom = true,
            },
            stop);
        return outcome.Refusal?.Text
            ?? (outcome.Value.Status == (int)HttpStatusCode.OK ? null : Encoding.UTF8.GetString(outcome.Value.Body));
    }

    public void Follow(GossipMembership membership)
    {
        // Servers keep the catalog true; a client has no duties.
    }

    public Task StartAsync(RouteTable routes, CancellationToken stop)
    {
        _mesh.Start();
        return Task.CompletedTask;
    }

    public Task PrepareToLeaveAsync(CancellationToken stop) => Task.CompletedTask;

    public Task FinishLeavingAsync(CancellationToken stop) => Task.CompletedTask;

    public Task<string?> ReloadAsync(AgentConfig next) => Task.FromResult<string?>(null);

    public async ValueTask<string> StatusPageAsync(CancellationToken stop)
    {
        var outcome = await _links.Forwarder.AskAsync(
            new ServerCall
            {
                Method = "GET",
                Target = RpcRoutes.StatusPage,
                Datacenter = _config.Datacenter,
                Token = _tokens("default"),
                IsOwn = true,
                IsRepeatable = true,
            },
            stop);
        return outcome.Refusal is { } refusal
            ? $"<!doctype html><title>Praetor</title><p>{WebUtility.HtmlEncode(refusal.Text)}"
            : Encoding.UTF8.GetString(outcome.Value.Body);
    }

    public IReadOnlyDictionary<string, IReadOnlyDictionary<string, string>> Stats() =>
        new Dictionary<string, IReadOnlyDictionary<string, string>>(StringComparer.Ordinal);

    public ValueTask DisposeAsync() => _mesh.DisposeAsync();

    private string AgentToken() => _tokens("agent") is { Length: > 0 } own ? own : _tokens("default");
}
