using System.Text.Json;
using Shouldly;
using Support;
using Xunit;

namespace Integration.Durability;

/// <summary>Everything that was acknowledged is there again after a kill -9 and a restart.</summary>
public sealed class RestartTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task All_state_of_a_server_survives_kill_9()
    {
        // No node id is given, so that the one in the data folder counts.
        await using var agent = await AgentProcess.StartAsync(new AgentOptions { IsDev = false, NodeId = "" }, Stop);
        await WriteAsync(agent);
        var before = await ReadAsync(agent);
        before["maintenance"].ShouldContain("_node_maintenance");
        before["maintenance"].ShouldContain("_service_maintenance:web");
        before["ttl"].ShouldBe("warning: a bit hot");
        before["kv"].ShouldContain("\"Key\":\"a/b\"");
        before["intentions"].ShouldContain("deny");
        before["entries"].ShouldContain("http");
        await agent.KillAsync();
        await agent.StartAgainAsync(Stop);
        var after = await ReadAsync(agent);
        foreach (var (what, value) in before)
        {
            after[what].ShouldBe(value, what);
        }
    }

    [Fact]
    public async Task What_was_removed_stays_removed()
    {
        await using var agent = await AgentProcess.StartAsync(new AgentOptions { IsDev = false }, Stop);
        await WriteAsync(agent);
        await PutAsync(agent, "/v1/agent/maintenance?enable=false", "");
        await PutAsync(agent, "/v1/agent/service/maintenance/web?enable=false", "");
        await PutAsync(agent, "/v1/agent/service/deregister/web", "");
        await PutAsync(agent, "/v1/agent/check/deregister/disk", "");
        (await agent.Http.DeleteAsync("/v1/kv/a?recurse", Stop)).EnsureSuccessStatusCode();
        (await agent.Http.DeleteAsync("/v1/connect/intentions/exact?source=cli&destination=web", Stop))
            .EnsureSuccessStatusCode();
        await agent.KillAsync();
        await agent.StartAgainAsync(Stop);
        foreach (var path in (string[])["/v1/agent/services", "/v1/agent/checks"])
        {
            (await agent.Http.GetStringAsync(path, Stop)).Trim().ShouldBe("{}", path);
        }

        (await agent.Http.GetAsync("/v1/kv/a/b", Stop)).StatusCode.ShouldBe(System.Net.HttpStatusCode.NotFound);
        (await agent.Http.GetStringAsync("/v1/connect/intentions", Stop)).ShouldNotContain("web");
        (await agent.Http.GetStringAsync("/v1/catalog/services", Stop)).ShouldNotContain("web");
    }

    private static async Task WriteAsync(AgentProcess agent)
    {
        await PutAsync(agent, "/v1/kv/a/b?flags=7", "value");
        await PutAsync(agent, "/v1/agent/service/register", """
            {"ID":"web","Name":"web","Port":80,"Tags":["x"],"Meta":{"v":"1"},"Weights":{"Passing":3,"Warning":1},
             "Connect":{"SidecarService":{}},"Check":{"CheckID":"web-ttl","TTL":"10m"}}
            """);
        await PutAsync(agent, "/v1/agent/check/register", """{"ID":"disk","Name":"disk","TTL":"10m","Notes":"n"}""");
        await PutAsync(agent, "/v1/agent/check/warn/web-ttl?note=a%20bit%20hot", "");
        await PutAsync(agent, "/v1/agent/check/pass/disk?note=fine", "");
        await PutAsync(agent, "/v1/agent/maintenance?enable=true&reason=cleaning", "");
        await PutAsync(agent, "/v1/agent/service/maintenance/web?enable=true&reason=moving", "");
        await PutAsync(
            agent, "/v1/connect/intentions/exact?source=cli&destination=web", """{"Action":"deny"}""");
        await PutAsync(agent, "/v1/config", """{"Kind":"service-defaults","Name":"web","Protocol":"http"}""");
    }

    // By name: what a client sees, without what is new in every life of an agent.
    private static async Task<Dictionary<string, string>> ReadAsync(AgentProcess agent)
    {
        using var checks = JsonDocument.Parse(await agent.Http.GetStringAsync("/v1/agent/checks", Stop));
        using var self = JsonDocument.Parse(await agent.Http.GetStringAsync("/v1/agent/self", Stop));
        var ttl = checks.RootElement.GetProperty("web-ttl");
        return new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["node id"] = self.RootElement.GetProperty("Config").GetProperty("NodeID").GetString()!,
            ["services"] = await GetAsync(agent, "/v1/agent/services"),
            ["maintenance"] = string.Join(' ', checks.RootElement.EnumerateObject()
                .Where(static c => !c.Name.StartsWith("service:", StringComparison.Ordinal))
                .Select(static c => $"{c.Name}={c.Value.GetProperty("Notes")}/{c.Value.GetProperty("Status")}")),
            ["ttl"] = $"{ttl.GetProperty("Status")}: {ttl.GetProperty("Output")}",
            ["kv"] = await GetAsync(agent, "/v1/kv/?recurse"),
            ["intentions"] = await GetAsync(agent, "/v1/connect/intentions"),
            ["entries"] = await GetAsync(agent, "/v1/config/service-defaults"),
            ["root"] = await GetAsync(agent, "/v1/connect/ca/roots"),
            ["catalog"] = await GetAsync(agent, "/v1/catalog/services"),
        };
    }

    private static async Task<string> GetAsync(AgentProcess agent, string path)
    {
        using var document = JsonDocument.Parse(await agent.Http.GetStringAsync(path, Stop));
        return JsonSerializer.Serialize(document.RootElement);
    }

    private static async Task PutAsync(AgentProcess agent, string path, string json)
    {
        using var body = new StringContent(json);
        using var answer = await agent.Http.PutAsync(new Uri(path, UriKind.Relative), body, Stop);
        answer.IsSuccessStatusCode.ShouldBeTrue($"{path}: {await answer.Content.ReadAsStringAsync(Stop)}");
    }
}
