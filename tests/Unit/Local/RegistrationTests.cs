using Praetor.Server.Model;
using Shouldly;
using Xunit;

namespace Unit.Local;

public sealed class RegistrationTests
{
    [Fact]
    public async Task A_service_is_in_the_catalog_when_its_registration_is_answered()
    {
        await using var world = await LocalWorld.StartedAsync();

        await world.PutAsync("service/register", """
            {"Name":"web","Port":8080,"Check":{"TTL":"10s"},"Checks":[{"TTL":"20s"},{"CheckID":"mine","Name":"My",
             "HTTP":"http://localhost:1/","Interval":"5s","Notes":"n","Status":"passing"}]}
            """);

        world.InCatalog("web")!.Port.ShouldBe(8080);
        world.CheckInCatalog("service:web:1")!.Name.ShouldBe("Service 'web' check");
        world.CheckInCatalog("service:web:2")!.Type.ShouldBe("ttl");
        world.CheckInCatalog("mine")!.ShouldSatisfyAllConditions(
            check => check.Status.ShouldBe("passing"),
            check => check.Notes.ShouldBe("n"),
            check => check.ServiceName.ShouldBe("web"));
    }

    [Fact]
    public async Task The_server_stands_in_the_catalog_with_its_own_service_and_check()
    {
        await using var world = await LocalWorld.StartedAsync();

        var contents = world.Contents();
        contents.Node!.Meta!["consul-version"].ShouldBe("1.22.0");
        contents.Node.TaggedAddresses!.Keys.ShouldBe(["lan", "lan_ipv4", "wan", "wan_ipv4"], ignoreOrder: true);
        contents.Services.ShouldHaveSingleItem().Id.ShouldBe("consul");
        contents.Checks.ShouldHaveSingleItem().Output.ShouldBe("Agent alive and reachable");
    }

    [Fact]
    public async Task A_sidecar_gets_a_port_and_two_checks_and_goes_with_its_service()
    {
        await using var world = await LocalWorld.StartedAsync();

        await world.PutAsync("service/register", """{"Name":"web","Port":8080,"Connect":{"SidecarService":{}}}""");

        world.InCatalog("web-sidecar-proxy")!.ShouldSatisfyAllConditions(
            proxy => proxy.Port.ShouldBe(21000),
            proxy => proxy.Kind.ShouldBe("connect-proxy"),
            proxy => proxy.Proxy!.DestinationServiceId.ShouldBe("web"),
            proxy => proxy.Proxy!.LocalServicePort.ShouldBe(8080));
        world.CheckInCatalog("service:web-sidecar-proxy:1")!.Name.ShouldBe("Connect Sidecar Listening");
        world.CheckInCatalog("service:web-sidecar-proxy:2")!.Name.ShouldBe("Connect Sidecar Aliasing web");
        world.Agent.ManagedProxies.ShouldHaveSingleItem().GivesWay.ShouldBeTrue();

        await world.PutAsync("service/deregister/web");

        world.Contents().Services.ShouldHaveSingleItem().Id.ShouldBe("consul");
        world.Contents().Checks.ShouldHaveSingleItem().Id.ShouldBe("serfHealth");
    }

    [Fact]
    public async Task The_old_form_of_a_proxy_is_one_that_the_agent_runs()
    {
        await using var world = await LocalWorld.StartedAsync();
        var told = 0;
        world.Agent.ManagedProxiesChanged += () => told++;

        await world.PutAsync("service/register", """
            {"Name":"old","Port":9004,"Connect":{"Proxy":{"Config":{"upstreams":
             [{"destination_name":"counting","local_bind_port":9103}]}}}}
            """);

        var proxy = world.Agent.ManagedProxies.ShouldHaveSingleItem();
        proxy.Record.Proxy!.Upstreams!.ShouldHaveSingleItem().LocalBindPort.ShouldBe(9103);
        proxy.GivesWay.ShouldBeFalse();
        told.ShouldBe(1);
    }

    [Fact]
    public async Task Registering_again_keeps_what_checks_found()
    {
        await using var world = await LocalWorld.StartedAsync();
        const string Service = """{"Name":"web","Port":1,"Check":{"TTL":"10s"}}""";
        await world.PutAsync("service/register", Service);
        await world.PutAsync("check/pass/service:web");

        await world.PutAsync("service/register", Service);

        world.CheckInCatalog("service:web")!.Status.ShouldBe("passing");
    }

    [Fact]
    public async Task Checks_that_are_not_named_any_more_go_only_when_asked_for()
    {
        await using var world = await LocalWorld.StartedAsync();
        await world.PutAsync("service/register", """{"Name":"web","Check":{"CheckID":"a","TTL":"10s"}}""");

        await world.PutAsync("service/register", """{"Name":"web","Check":{"CheckID":"b","TTL":"10s"}}""");
        world.CheckInCatalog("a").ShouldNotBeNull();

        await world.PutAsync(
            "service/register?replace-existing-checks", """{"Name":"web","Check":{"CheckID":"b","TTL":"10s"}}""");
        world.CheckInCatalog("a").ShouldBeNull();
        world.CheckInCatalog("b").ShouldNotBeNull();
    }

    [Fact]
    public async Task A_silent_ttl_check_turns_critical_here_and_in_the_catalog()
    {
        await using var world = await LocalWorld.StartedAsync();
        await world.PutAsync("service/register", """{"Name":"web","Check":{"TTL":"10s"}}""");
        await world.PutAsync("check/pass/service:web?note=fine");
        world.CheckInCatalog("service:web")!.Output.ShouldBe("fine");

        world.Time.Advance(TimeSpan.FromSeconds(11));

        await world.UntilAsync(static now =>
            now.Checks.Any(static c => c is { Id: "service:web", Status: "critical" }));
    }

    [Fact]
    public async Task A_service_critical_for_too_long_is_taken_out()
    {
        await using var world = await LocalWorld.StartedAsync();
        await world.PutAsync(
            "service/register", """{"Name":"web","Check":{"TTL":"10s","DeregisterCriticalServiceAfter":"90s"}}""");

        world.Time.Advance(TimeSpan.FromMinutes(3));

        await world.UntilAsync(static now => now.Services.All(static s => s.Id != "web"));
        world.Agent.State.Current.Services.ShouldBeEmpty();
    }

    [Fact]
    public async Task An_alias_follows_the_service_that_it_stands_for()
    {
        await using var world = await LocalWorld.StartedAsync();
        await world.PutAsync(
            "service/register", """{"Name":"web","Check":{"TTL":"1h"},"Connect":{"SidecarService":{}}}""");

        await world.PutAsync("check/pass/service:web");
        world.Time.Advance(TimeSpan.FromMilliseconds(10));

        await world.UntilAsync(static now => now.Checks.Any(static c =>
            c is { Id: "service:web-sidecar-proxy:2", Status: CheckStatuses.Passing, Output: "All checks passing." }));
    }
}
