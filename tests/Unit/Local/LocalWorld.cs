using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Logging.Abstractions;
using Praetor.Agent.Config;
using Praetor.Agent.Http;
using Praetor.Agent.Http.Endpoints;
using Praetor.Agent.Local;
using Praetor.Agent.Logging;
using Praetor.Agent.Membership;
using Praetor.Agent.Telemetry;
using Praetor.Server.Catalog;
using Praetor.Server.Model;
using Praetor.Server.Queries;
using Praetor.Server.State;
using Praetor.Server.Storage;
using Shouldly;
using Support;
using Unit.Membership;

namespace Unit.Local;

/// <summary>A server's agent in memory: its state, its routes, and a clock that the test moves.</summary>
internal sealed class LocalWorld : IAsyncDisposable
{
    public const string NodeName = "lab";
    private const int Seed = 7;


    public LocalWorld(
        string? dataDir = null, Func<LocalAgentOptions, LocalAgentOptions>? with = null, ICatalog? catalog = null)
    {
        Store = new StateStore(new MemoryEngine());
        Hub = new QueryHub(Store, TimeProvider.System);
        Catalog = new StoreCatalog(Store, Hub);
        var options = new LocalAgentOptions
        {
            Node = new NodeIdentity
            {
                Id = "fd401027-cdd8-16c1-4393-64afbad16525",
                Name = NodeName,
                Address = "127.0.0.1",
                Datacenter = "dc1",
                IsServer = true,
            },
            DataDir = dataDir,
        };
        Options = with?.Invoke(options) ?? options;
        Agent = new LocalAgent(
            Options, catalog ?? Catalog, Time, new Random(Seed), NullLoggerFactory.Instance);
        Log = new AgentLog(new AgentLogOptions(), TextWriter.Null, Time);
        Proxies = new OutsideProxies(() => Agent.ManagedProxies, (id, isFollowing, _) =>
        {
            Claims.Add((id, isFollowing));
            return Task.CompletedTask;
        });
        var facts = new AgentFacts { Node = Options.Node, ProductVersion = "0.1.0" };
        var alone = new LoneMembership(facts);
        AgentEndpoints.AddTo(Routes, new AgentSurroundings
        {
            Local = Agent,
            Proxies = Proxies,
            Facts = facts,
            Membership = alone,
            Coordinates = alone,
            Actions = new AgentActions
            {
                ReloadAsync = static _ => Task.FromResult<string?>(null),
                LeaveAsync = static _ => Task.FromResult<string?>(null),
            },
            Metrics = new Metrics(Time),
            Log = Log,
            Time = Time,
            Random = new Random(Seed),
        });
    }

    public OutsideProxies Proxies { get; }

    /// <summary>Sidecars that something outside seemed to be about to run, and whether it followed them.</summary>
    public List<(string Id, bool IsFollowing)> Claims { get; } = [];

    public AgentLog Log { get; }

    public ManualTime Time { get; } = new();

    public StateStore Store { get; }

    public QueryHub Hub { get; }

    public StoreCatalog Catalog { get; }

    public LocalAgentOptions Options { get; }

    public LocalAgent Agent { get; }

    public RouteTable Routes { get; } = new();

    public static async Task<LocalWorld> StartedAsync(
        string? dataDir = null, Func<LocalAgentOptions, LocalAgentOptions>? with = null, ICatalog? catalog = null)
    {
        var world = new LocalWorld(dataDir, with, catalog);
        await world.Agent.StartAsync(CancellationToken.None);
        return world;
    }

    /// <summary>A service of a file.</summary>
    public static ServicePlan FromFile(LocalAgentOptions options, string json)
    {
        var body = DefinitionBody.Service(Encoding.UTF8.GetBytes(json));
        body.Error.ShouldBeNull();
        return new DefinitionPlanner(options.Node, LocalOrigin.ConfigFile).Plan(body.Value!);
    }

    /// <summary>Asks the agent's API.</summary>
    public async Task<Reply> AskAsync(string method, string target, string body = "", string userAgent = "")
    {
        var question = target.IndexOf('?');
        var path = question < 0 ? target : target[..question];
        var match = Routes.Find("/v1/agent/" + path).ShouldNotBeNull();
        var route = match.Methods[method];
        return await route.Handle!(new ApiRequest
        {
            Method = method,
            Target = target,
            Path = path,
            PathValues = match.Values,
            Query = question < 0 ? QueryParameters.None : QueryParameters.Parse(target.AsSpan(question + 1)),
            UserAgent = userAgent,
            Body = Encoding.UTF8.GetBytes(body),
        });
    }

    public async Task<string> GetAsync(string target) => Text(await AskAsync("GET", target));

    public async Task PutAsync(string target, string body = "")
    {
        var reply = await AskAsync("PUT", target, body);
        reply.Status.ShouldBe(200, Text(reply));
    }

    public static string Text(Reply reply) => Encoding.UTF8.GetString(reply.Body);

    /// <summary>What the catalog holds for the agent's node.</summary>
    public NodeContents Contents() =>
        Catalog.ReadAsync(NodeName, CancellationToken.None).AsTask().GetAwaiter().GetResult();

    public ServiceRecord? InCatalog(string id) => Contents().Services.FirstOrDefault(s => s.Id == id);

    public CheckRecord? CheckInCatalog(string id) => Contents().Checks.FirstOrDefault(c => c.Id == id);

    /// <summary>Waits until the catalog shows something.</summary>
    public async Task UntilAsync(Func<NodeContents, bool> shows)
    {
        ulong index = 0;
        while (!shows(Contents()))
        {
            var answer = await Hub.WaitAsync(
                "test", static view =>
                {
                    CatalogQueries.Nodes(view).Count();
                    CatalogQueries.Services(view).Count();
                    CatalogQueries.ChecksIn(view, "any").Count();
                    return new QueryAnswer(view.Index, 200, "", []);
                },
                ignoresEqual: false, index, TimeSpan.FromSeconds(20), CancellationToken.None);
            answer.Index.ShouldBeGreaterThan(index, "nothing changed in 20 s");
            index = answer.Index;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await Agent.DisposeAsync();
        Store.Dispose();
        Log.Dispose();
    }

    public static JsonElement Json(string text) => JsonElement.Parse(text);
}
