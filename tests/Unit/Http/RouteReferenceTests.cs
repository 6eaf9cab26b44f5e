using System.Net;
using Praetor.Agent.Config;
using Praetor.Agent.Http;
using Praetor.Agent.Runtime;
using Shouldly;
using Support;
using Xunit;

namespace Unit.Http;

public sealed class RouteReferenceTests
{
    /// <summary>What everybody may ask, with and without ACLs, as in Consul.</summary>
    private static readonly string[] ForEverybody =
    [
        "/v1/agent/connect/ca/roots", "/v1/agent/version", "/v1/catalog/datacenters", "/v1/connect/ca/roots",
        "/v1/coordinate/datacenters", "/v1/status/leader", "/v1/status/peers",
    ];

    private static readonly ConfigSurroundings Machine = new("host", static () =>
        [new LocalAddress("lo", IPAddress.Loopback, 8, true, false)]);

    [Fact]
    public async Task The_reference_page_is_up_to_date()
    {
        var page = RouteReference.Write(await RoutesAsync());
        var path = Repository.At("docs", "reference", "http-api.md");
        // Set PRAETOR_WRITE_DOCS=1 to write the page anew.
        if (Environment.GetEnvironmentVariable("PRAETOR_WRITE_DOCS") == "1")
        {
            File.WriteAllText(path, page);
        }

        File.ReadAllText(path).ShouldBe(page);
    }

    [Fact]
    public async Task Every_route_says_what_it_does() =>
        (await RoutesAsync()).Routes.Where(static r => r.Description.Trim().Length == 0)
            .Select(static r => $"{r.Method} {r.Pattern}").ShouldBeEmpty();

    [Fact]
    public async Task Only_a_listed_few_routes_need_no_right() =>
        (await RoutesAsync()).Routes.Where(static r => r.Acl == AclRequirement.None)
            .Select(static r => r.Pattern).Order(StringComparer.Ordinal).ShouldBe(ForEverybody);

    [Fact]
    public async Task Every_right_names_its_resource_and_the_access() =>
        (await RoutesAsync()).Routes.Where(static r => r.Acl != AclRequirement.None)
            .Where(static r => r.Acl.Resource.Length == 0 || r.Acl.Access is not ("read" or "write" or "list"))
            .Select(static r => $"{r.Method} {r.Pattern}: {r.Acl}").ShouldBeEmpty();

    // An agent with everything in memory that is never started; only its table is wanted.
    private static async Task<RouteTable> RoutesAsync()
    {
        var loaded = ConfigLoader.Load(["-dev"], Machine);
        var build = new AgentBuild("0", "", "");
        var config = loaded.Config.ShouldNotBeNull(loaded.ProblemText);
        await using var agent = new AgentRuntime(config, () => loaded, build, TextWriter.Null, TimeProvider.System);
        agent.AddRoutes();
        return agent.Routes;
    }
}
