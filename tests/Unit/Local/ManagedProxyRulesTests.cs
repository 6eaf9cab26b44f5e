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

    private static string Body(string proxy) =>
        """{"Name":"web","Port":80,"Connect":{"SidecarService":{"Proxy":""" + proxy + "}}}";
}
