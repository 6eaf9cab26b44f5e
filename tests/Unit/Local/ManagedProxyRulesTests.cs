using System.Text.Json.Nodes;
using Praetor.Agent.Http;
using Praetor.Agent.Local;
using Shouldly;
using Xunit;

namespace Unit.Local;

public sealed class ManagedProxyRulesTests
{
    [Theory]
    [InlineData("""{"Config":{"managed":true,"bind_address":"10.9.9.9"}}""", "bind_address")]
    [InlineData("""{"Config":{"managed":true,"metrics_bind_addr":"0.0.0.0:9000"}}""", "metrics_bind_addr")]
    [InlineData("""{"Config":{"managed":true,"metrics_bind_addr":":9000"}}""", "metrics_bind_addr")]
    [InlineData("""{"Config":{"managed":true,"local_service_address":"169.254.1.1:80"}}""", "local_service_address")]
    [InlineData("""{"LocalServiceAddress":"169.254.169.254","Config":{"managed":true}}""", "local_service_address")]
    [InlineData(
        """
        {"Config":{"managed":true},
         "Upstreams":[{"DestinationName":"db","LocalBindPort":1,"LocalBindAddress":"0.0.0.0"}]}
        """,
        "local_bind_address")]
    public async Task A_client_cannot_make_the_agent_bind_or_dial_elsewhere(string proxy, string key)
    {
        await using var world = await LocalWorld.StartedAsync();
        var reply = await world.AskAsync("PUT", "service/register", Body(proxy));
        reply.Status.ShouldBe(400);
        LocalWorld.Text(reply).ShouldContain(key);
        world.Agent.State.Current.Services.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("""{"Config":{"managed":true,"bind_address":"127.0.0.1","metrics_bind_addr":"[::1]:9000"}}""")]
    [InlineData("""{"Config":{"bind_address":"10.9.9.9"}}""")]
    public async Task Loopback_and_proxies_that_run_elsewhere_are_free(string proxy)
    {
        await using var world = await LocalWorld.StartedAsync();
        await world.PutAsync("service/register", Body(proxy));
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("""{"Config":{"bind_address":"0.0.0.0"},"Upstreams":[{"DestinationName":"db","LocalBindPort":1}]}""")]
    public async Task A_sidecar_of_which_nobody_said_who_runs_it_runs_in_the_agent_and_gives_way(string proxy)
    {
        var managed = (await RegisteredAsync(proxy)).ShouldNotBeNull();
        managed.GivesWay.ShouldBeTrue();
    }

    [Theory]
    [InlineData("""{"Config":{"managed":false}}""", "")]
    [InlineData("""{"Config":{"bind_address":"10.9.9.9"}}""", "")]
    [InlineData("""{"LocalServiceAddress":"169.254.169.254"}""", "")]
    [InlineData("""{"LocalServiceSocketPath":"/run/web.sock"}""", "")]
    [InlineData("""{"Mode":"transparent"}""", "")]
    [InlineData("{}", "172.17.0.2")]
    public async Task What_the_agent_cannot_or_may_not_run_is_left_to_others_without_a_word(string proxy, string at) =>
        (await RegisteredAsync(proxy, at)).ShouldBeNull();

    [Fact]
    public async Task Who_says_that_the_agent_runs_it_does_not_want_it_to_give_way()
    {
        var managed = (await RegisteredAsync("""{"Config":{"managed":true}}""")).ShouldNotBeNull();
        managed.GivesWay.ShouldBeFalse();
    }

    [Fact]
    public async Task The_agents_setting_decides_for_those_that_do_not_say()
    {
        await using var world = await LocalWorld.StartedAsync(with: static o => o with { ManagesSidecars = false });
        await world.PutAsync("service/register", Body("{}"));
        world.Agent.ManagedProxies.ShouldBeEmpty();
        await world.Agent.ReloadAsync(world.Options with { ManagesSidecars = true });
        world.Agent.ManagedProxies.ShouldHaveSingleItem();
    }

    [Theory]
    [InlineData("", "Go-http-client/1.1", false)]
    [InlineData("", "praetor-proxy", false)]
    [InlineData("?hash=x", "Go-http-client/1.1", true)]
    [InlineData("?hash=x", "another/2", true)]
    public async Task What_proxies_ask_makes_room_for_them(string query, string agent, bool isFollowing)
    {
        await using var world = await LocalWorld.StartedAsync();
        await world.PutAsync("service/register", Body("{}"));
        await world.AskAsync("GET", "service/web-sidecar-proxy" + query, userAgent: agent);
        world.Claims.ShouldBe([("web-sidecar-proxy", isFollowing)]);
    }

    [Theory]
    [InlineData("", "curl/8.5")]
    [InlineData("", "")]
    [InlineData("?hash=x", "praetor-agent")]
    public async Task What_people_and_the_agents_own_sidecars_ask_does_not(string query, string agent)
    {
        await using var world = await LocalWorld.StartedAsync();
        await world.PutAsync("service/register", Body("{}"));
        await world.AskAsync("GET", "service/web-sidecar-proxy" + query, userAgent: agent);
        world.Claims.ShouldBeEmpty();
    }

    [Fact]
    public async Task Who_fetches_the_services_key_makes_room_once()
    {
        await using var world = await LocalWorld.StartedAsync();
        await world.PutAsync("service/register", Body("{}"));
        var proxies = world.Proxies;
        await proxies.AsksForLeafAsync(Leaf("web", "Go-http-client/1.1"), 0);
        await proxies.AsksForLeafAsync(Leaf("web", "Go-http-client/1.1"), 7);
        await proxies.AsksForLeafAsync(Leaf("web", "my-app/1"), 0);
        await proxies.AsksForLeafAsync(Leaf("other", "Go-http-client/1.1"), 0);
        world.Claims.ShouldBe([("web-sidecar-proxy", true)]);
    }

    [Fact]
    public async Task A_file_may_say_what_it_likes()
    {
        await using var world = new LocalWorld();
        var json = Body("""{"Config":{"managed":true,"bind_address":"10.9.9.9"}}""");
        var plan = LocalWorld.FromFile(world.Options, json);
        ManagedProxyRules.Problem(plan, world.Options.Node).ShouldBeNull();
    }

    [Fact]
    public async Task Asking_for_services_that_do_not_exist_leaves_nothing_behind()
    {
        await using var world = await LocalWorld.StartedAsync();
        (await world.AskAsync("GET", "service/nobody?hash=x")).Status.ShouldBe(404);
        await world.PutAsync("service/register", """{"Name":"web"}""");
        await world.GetAsync("service/web?hash=other");
        world.Agent.Watches.Count.ShouldBe(0);
    }

    private static ApiRequest Leaf(string service, string agent) => new()
    {
        Method = "GET",
        Target = "",
        Path = "",
        PathValues = [service],
        UserAgent = agent,
    };

    private static async Task<LocalService?> RegisteredAsync(string proxy, string at = "")
    {
        await using var world = await LocalWorld.StartedAsync();
        var definition = JsonNode.Parse(Body(proxy))!.AsObject();
        definition["Address"] = at;
        await world.PutAsync("service/register", definition.ToJsonString());
        return world.Agent.ManagedProxies.SingleOrDefault();
    }

    private static string Body(string proxy) =>
        """{"Name":"web","Port":80,"Connect":{"SidecarService":{"Proxy":""" + proxy + "}}}";
}
