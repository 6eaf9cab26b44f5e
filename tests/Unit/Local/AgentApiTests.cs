using Shouldly;
using Xunit;

namespace Unit.Local;

/// <summary>Shapes, statuses and texts as the real one answers them, with what today's adds.</summary>
public sealed class AgentApiTests
{
    [Fact]
    public async Task Services_look_as_clients_know_them()
    {
        await using var world = await LocalWorld.StartedAsync();
        await world.PutAsync("service/register", """
            {"Name":"full","ID":"f1","Tags":["a","b"],"Address":"10.0.0.1","Meta":{"k":"v"},"Port":8081,
             "TaggedAddresses":{"lan":{"Address":"1.2.3.4","Port":80}},"Weights":{"Passing":5,"Warning":2},
             "EnableTagOverride":true}
            """);
        await world.PutAsync("service/register", """
            {"Name":"px","Kind":"connect-proxy","Port":9999,"Proxy":{"DestinationServiceName":"web",
             "DestinationServiceID":"web","LocalServicePort":8080,
             "Upstreams":[{"DestinationName":"full","LocalBindPort":1234}]}}
            """);

        (await world.GetAsync("services")).ShouldBe(
            "{\"f1\":{\"ID\":\"f1\",\"Service\":\"full\",\"Tags\":[\"a\",\"b\"],\"Meta\":{\"k\":\"v\"},\"Port\":8081,"
            + "\"Address\":\"10.0.0.1\",\"TaggedAddresses\":{\"lan\":{\"Address\":\"1.2.3.4\",\"Port\":80},"
            + "\"lan_ipv4\":{\"Address\":\"10.0.0.1\",\"Port\":8081},"
            + "\"wan_ipv4\":{\"Address\":\"10.0.0.1\",\"Port\":8081}},"
            + "\"Weights\":{\"Passing\":5,\"Warning\":2},\"EnableTagOverride\":true,\"Datacenter\":\"dc1\"},"
            + "\"px\":{\"Kind\":\"connect-proxy\",\"ID\":\"px\",\"Service\":\"px\",\"Tags\":[],\"Meta\":{},"
            + "\"Port\":9999,"
            + "\"Address\":\"\",\"Weights\":{\"Passing\":1,\"Warning\":1},\"EnableTagOverride\":false,"
            + "\"Proxy\":{\"DestinationServiceName\":\"web\",\"DestinationServiceID\":\"web\","
            + "\"LocalServicePort\":8080,"
            + "\"Upstreams\":[{\"DestinationType\":\"service\",\"DestinationName\":\"full\",\"LocalBindPort\":1234,"
            + "\"MeshGateway\":{}}],\"MeshGateway\":{},\"Expose\":{}},\"Datacenter\":\"dc1\"}}");
    }

    [Fact]
    public async Task One_service_carries_a_hash_that_changes_with_it_only()
    {
        await using var world = await LocalWorld.StartedAsync();
        await world.PutAsync("service/register", """{"Name":"web","Port":1}""");
        var first = LocalWorld.Json(await world.GetAsync("service/web")).GetProperty("ContentHash").GetString();

        await world.PutAsync("service/register", """{"Name":"web","Port":1}""");
        var again = LocalWorld.Json(await world.GetAsync("service/web")).GetProperty("ContentHash").GetString();
        await world.PutAsync("service/register", """{"Name":"web","Port":2}""");
        var changed = LocalWorld.Json(await world.GetAsync("service/web")).GetProperty("ContentHash").GetString();

        again.ShouldBe(first);
        changed.ShouldNotBe(first);
        LocalWorld.Text(await world.AskAsync("GET", "service/none")).ShouldBe("unknown service ID: none");
    }

    [Fact]
    public async Task A_read_with_the_known_hash_waits_for_a_change()
    {
        await using var world = await LocalWorld.StartedAsync();
        await world.PutAsync("service/register", """{"Name":"web","Port":1}""");
        var hash = LocalWorld.Json(await world.GetAsync("service/web")).GetProperty("ContentHash").GetString();

        var waiting = world.GetAsync($"service/web?hash={hash}&wait=1m");
        waiting.IsCompleted.ShouldBeFalse();
        await world.PutAsync("service/register", """{"Name":"other","Port":9}""");
        waiting.IsCompleted.ShouldBeFalse();
        await world.PutAsync("service/register", """{"Name":"web","Port":2}""");

        LocalWorld.Json(await waiting).GetProperty("Port").GetInt32().ShouldBe(2);

        var newer = LocalWorld.Json(await waiting).GetProperty("ContentHash");
        var idle = world.GetAsync($"service/web?hash={newer}&wait=10s");
        world.Time.Advance(TimeSpan.FromSeconds(12));
        LocalWorld.Json(await idle).GetProperty("Port").GetInt32().ShouldBe(2);
    }

    [Theory]
    [InlineData("service/register", "{}", 400, "Missing service name")]
    [InlineData("service/register", "", 400, "Request decode failed: EOF")]
    [InlineData("service/register", """{"Name":"x","Foo":1}""", 400,
        "Request decode failed: json: unknown field \"Foo\"")]
    [InlineData("service/register", """{"Name":"x","Check":{"Interval":"1s"}}""", 400,
        "Invalid check: TTL must be > 0 for TTL checks")]
    [InlineData("service/register", """{"Name":"x","Check":{"args":["ls"],"Interval":"2s"}}""", 500,
        "Scripts are disabled on this agent from remote calls; to enable, configure 'enable_script_checks' to true")]
    [InlineData("service/register", """{"Name":"x","Address":"0.0.0.0"}""", 400, "Invalid service address")]
    [InlineData("check/register", """{"TTL":"10s"}""", 400, "Missing check name")]
    [InlineData("check/register", """{"Name":"x","TTL":"10s","ServiceID":"none"}""", 404,
        "ServiceID \"none\" does not exist")]
    [InlineData("check/register", """{"Name":"x","TTL":"10s","Status":"foo"}""", 400, "Bad check status")]
    [InlineData("check/pass/none", "", 500, "CheckID \"none\" does not have associated TTL")]
    [InlineData("check/update/none", """{"Status":"bad"}""", 400, "Invalid check status: 'bad'")]
    [InlineData("check/update/none", "", 400, "Request decode failed: EOF")]
    [InlineData("service/maintenance/web", "", 400, "Missing value for enable")]
    [InlineData("service/maintenance/web?enable=x", "", 400, "Invalid value for enable: \"x\"")]
    [InlineData("service/maintenance/none?enable=true", "", 404, "No service registered with ID \"none\"")]
    [InlineData("service/maintenance/?enable=true", "", 400, "Missing service ID")]
    [InlineData("maintenance", "", 400, "Missing value for enable")]
    [InlineData("service/deregister/", "", 500, "ServiceID missing")]
    [InlineData("check/deregister/", "", 500, "CheckID missing")]
    [InlineData("service/deregister/none", "", 200, "")]
    [InlineData("check/deregister/none", "", 200, "")]
    [InlineData("token/default", """{"Token":"x"}""", 401, "ACL support disabled")]
    [InlineData("force-leave/none", "", 500, "agent: No node found with name 'none'")]
    public async Task A_wrong_request_is_refused_in_the_words_that_clients_know(
        string target, string body, int status, string text)
    {
        await using var world = await LocalWorld.StartedAsync();

        var reply = await world.AskAsync("PUT", target, body);

        LocalWorld.Text(reply).ShouldBe(text);
        reply.Status.ShouldBe(status);
    }

    [Fact]
    public async Task Health_of_a_service_is_also_the_status_of_the_answer()
    {
        await using var world = await LocalWorld.StartedAsync();
        await world.PutAsync("service/register", """{"Name":"web","ID":"w1","Check":{"TTL":"1h"}}""");

        (await world.AskAsync("GET", "health/service/id/w1")).Status.ShouldBe(503);
        await world.PutAsync("check/warn/service:w1");
        (await world.AskAsync("GET", "health/service/name/web")).Status.ShouldBe(429);
        await world.PutAsync("check/pass/service:w1");
        var well = await world.AskAsync("GET", "health/service/name/web?format=text");
        (well.Status, LocalWorld.Text(well)).ShouldBe((200, "passing"));
        await world.PutAsync("maintenance?enable=true");
        LocalWorld.Text(await world.AskAsync("GET", "health/service/id/w1?format=text")).ShouldBe("maintenance");
        var none = await world.AskAsync("GET", "health/service/id/none");
        (none.Status, LocalWorld.Text(none)).ShouldBe(
            (404, "{\"AggregatedStatus\":\"critical\",\"Service\":null,\"Checks\":null}"));
        LocalWorld.Text(await world.AskAsync("GET", "health/service/name/none")).ShouldBe("[]");
    }

    [Fact]
    public async Task Lists_are_filtered()
    {
        await using var world = await LocalWorld.StartedAsync();
        await world.PutAsync("service/register", """{"Name":"web","Port":80,"Tags":["a"],"Check":{"TTL":"1h"}}""");
        await world.PutAsync("service/register", """{"Name":"db","Port":81}""");

        LocalWorld.Json(await world.GetAsync("services?filter=Port==81")).EnumerateObject()
            .ShouldHaveSingleItem().Name.ShouldBe("db");
        LocalWorld.Json(await world.GetAsync("checks?filter=ServiceName==web")).EnumerateObject()
            .ShouldHaveSingleItem().Name.ShouldBe("service:web");
        LocalWorld.Json(await world.GetAsync("members?filter=Name==nobody")).GetArrayLength().ShouldBe(0);
        var bad = await world.AskAsync("GET", "services?filter=Foo");
        bad.Status.ShouldBe(500);
        LocalWorld.Text(bad).ShouldStartWith("Failed to create boolean expression evaluator");
    }

    [Fact]
    public async Task Maintenance_is_a_critical_check_until_it_is_left()
    {
        await using var world = await LocalWorld.StartedAsync();
        await world.PutAsync("service/register", """{"Name":"web","Port":80}""");
        await world.PutAsync("service/maintenance/web?enable=true&reason=why");

        world.CheckInCatalog("_service_maintenance:web")!.ShouldSatisfyAllConditions(
            check => check.Status.ShouldBe("critical"),
            check => check.Notes.ShouldBe("why"),
            check => check.Type.ShouldBe("maintenance"));

        await world.PutAsync("service/maintenance/web?enable=false");
        world.CheckInCatalog("_service_maintenance:web").ShouldBeNull();
    }

    [Fact]
    public async Task Self_has_what_clients_read()
    {
        await using var world = await LocalWorld.StartedAsync();

        var self = LocalWorld.Json(await world.GetAsync("self"));

        self.GetProperty("Config").GetProperty("Version").GetString().ShouldBe("1.22.0");
        self.GetProperty("Config").GetProperty("NodeName").GetString().ShouldBe("lab");
        self.GetProperty("Member").GetProperty("Tags").GetProperty("role").GetString().ShouldBe("consul");
        self.GetProperty("Stats").GetProperty("consul").GetProperty("leader").GetString().ShouldBe("true");
        self.GetProperty("xDS").GetProperty("Ports").GetProperty("TLS").GetInt32().ShouldBe(-1);
        LocalWorld.Json(await world.GetAsync("members"))[0].GetProperty("Status").GetInt32().ShouldBe(1);
        LocalWorld.Json(await world.GetAsync("version")).GetProperty("HumanVersion").GetString().ShouldBe("1.22.0");
        var memory = LocalWorld.Json(await world.GetAsync("host")).GetProperty("Memory");
        memory.GetProperty("total").GetInt64().ShouldBeGreaterThan(0);
        LocalWorld.Json(await world.GetAsync("metrics")).GetProperty("Gauges").GetArrayLength().ShouldBe(0);
        (await world.AskAsync("GET", "metrics?format=prometheus")).Status.ShouldBe(200);
    }
}
