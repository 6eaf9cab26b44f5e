using System.Net.Sockets;
using Shouldly;
using Xunit;

namespace Unit.Forwarding;

public sealed class AgentReloadTests
{
    private const string Good = """{ name = "good" port = 1 }""";

    [Fact]
    public async Task A_broken_definition_is_left_out_at_start()
    {
        await using var agent = await StartedAsync($$"""
            services = [{{Good}}, { name = "bad" port = 1 check { http = "http://x" } }, { port = 9 }]
            check { name = "c1" }
            """, reload: "");
        var services = await agent.JsonAsync("/v1/agent/services");
        services.EnumerateObject().Select(static s => s.Name).ShouldBe(["good"]);
        (await agent.JsonAsync("/v1/agent/checks")).EnumerateObject().ShouldBeEmpty();
    }

    [Fact]
    public async Task A_reload_with_a_broken_definition_is_refused_and_changes_nothing()
    {
        await using var agent = await StartedAsync($"services = [{Good}]", reload: "service { port = 9 }");

        var (status, text) = await agent.AskAsync("PUT", "/v1/agent/reload");

        status.ShouldBe(500);
        text.ShouldContain("Missing service name");
        (await agent.JsonAsync("/v1/agent/services")).EnumerateObject().Select(static s => s.Name).ShouldBe(["good"]);
    }

    [Fact]
    public async Task A_reload_applies_the_headers_of_answers()
    {
        await using var agent = await StartedAsync("", reload: "http_config { response_headers { X-Lab = \"yes\" } }");
        using var before = await agent.SendAsync("GET", "/v1/status/leader");
        before.Headers.Contains("X-Lab").ShouldBeFalse();

        await agent.PutAsync("/v1/agent/reload");

        using var after = await agent.SendAsync("GET", "/v1/status/leader");
        after.Headers.GetValues("X-Lab").ShouldBe(["yes"]);
    }

    [Fact]
    public async Task A_reload_bounds_the_connections_of_a_client_from_then_on()
    {
        await using var agent = await StartedAsync(
            "limits { http_max_conns_per_client = 0 }", reload: "limits { http_max_conns_per_client = 1 }");
        await agent.PutAsync("/v1/agent/reload");

        // The connection that asked for the reload is kept, and it is the one that may be.
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        using var another = new TcpClient();
        await another.ConnectAsync(agent.Address.Host, agent.Address.Port, limit.Token);
        using var reader = new StreamReader(another.GetStream());
        (await reader.ReadLineAsync(limit.Token)).ShouldBe("HTTP/1.1 429 Too Many Requests");
    }

    [Fact]
    public async Task A_reload_tells_the_catalog_of_the_nodes_metadata()
    {
        await using var agent = await StartedAsync("node_meta { a = \"1\" }", reload: "node_meta { b = \"2\" }");
        await agent.UntilAsync("/v1/catalog/node/s1", static n => n.GetProperty("Node").GetProperty("Meta")
            .TryGetProperty("a", out _));
        await agent.PutAsync("/v1/agent/reload");
        await agent.UntilAsync("/v1/catalog/node/s1", static n =>
        {
            var meta = n.GetProperty("Node").GetProperty("Meta");
            return meta.TryGetProperty("b", out _) && !meta.TryGetProperty("a", out _);
        });
        (await agent.JsonAsync("/v1/agent/self")).GetProperty("Meta").TryGetProperty("b", out _).ShouldBeTrue();
        (await agent.JsonAsync("/v1/catalog/nodes?node-meta=b:2")).GetArrayLength().ShouldBe(1);
    }

    [Fact]
    public async Task A_reload_writes_config_entries_that_are_not_there_yet()
    {
        const string entry =
            """config_entries { bootstrap { kind = "service-defaults" name = "web" protocol = "X" } }""";
        await using var agent = await StartedAsync("", reload: entry.Replace("X", "http"));
        await agent.PutAsync("/v1/agent/reload");
        (await agent.JsonAsync("/v1/config/service-defaults/web")).GetProperty("Protocol").GetString().ShouldBe("http");
        await agent.PutAsync("/v1/config", """{"Kind":"service-defaults","Name":"web","Protocol":"tcp"}""");
        await agent.PutAsync("/v1/agent/reload");
        (await agent.JsonAsync("/v1/config/service-defaults/web")).GetProperty("Protocol").GetString().ShouldBe("tcp");
    }

    [Fact]
    public async Task A_recursor_may_be_a_host_name_and_one_that_is_not_known_is_refused()
    {
        await using var agent = await StartedAsync(
            "recursors = [\"localhost:5353\"]", reload: "recursors = [\"no-such-host.invalid\"]");
        var (status, text) = await agent.AskAsync("PUT", "/v1/agent/reload");
        status.ShouldBe(500);
        text.ShouldContain("no-such-host.invalid");
        (await agent.JsonAsync("/v1/agent/self")).GetProperty("DebugConfig").GetProperty("DNSRecursors")[0]
            .GetString().ShouldBe("localhost:5353");
    }

    private static Task<Agent> StartedAsync(string hcl, string reload) =>
        Agent.StartAsync("s1", "dc1", isServer: true, null, hcl, [], reload);
}
