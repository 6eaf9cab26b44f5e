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

    private static Task<Agent> StartedAsync(string hcl, string reload) =>
        Agent.StartAsync("s1", "dc1", isServer: true, null, hcl, [], reload);
}
