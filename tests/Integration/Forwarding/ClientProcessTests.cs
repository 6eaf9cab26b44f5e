using System.Net;
using System.Text;
using Shouldly;
using Support;
using Xunit;

namespace Integration.Forwarding;

/// <summary>A client agent in a process of its own, and the server that it uses.</summary>
public sealed class ClientProcessTests
{
    private const string Web = """{"Name":"web","Port":80,"Check":{"TTL":"1h","Status":"passing"}}""";

    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Services_outlive_the_loss_of_all_servers_and_changes_are_brought_when_they_return()
    {
        await using var server = await AgentProcess.StartAsync(
            new AgentOptions { IsDev = false, Node = "s1", NodeId = "" }, Stop);
        await using var client = await AgentProcess.StartAsync(
            new AgentOptions { IsClient = true, Joins = [server], Node = "c1", NodeId = "" }, Stop);
        await PutAsync(client, "/v1/agent/service/register", Web);
        (await server.Http.GetStringAsync("/v1/health/service/web?passing", Stop)).ShouldContain("\"c1\"");
        (await client.RunAsync("kv", "put", "a", "b")).Output.ShouldContain("Success");

        await server.KillAsync();
        using var lost = await client.Http.GetAsync("/v1/kv/a", Stop);
        lost.StatusCode.ShouldBe(HttpStatusCode.InternalServerError);
        (await client.Http.GetStringAsync("/v1/agent/services", Stop)).ShouldContain("\"web\"");
        await PutAsync(client, "/v1/agent/service/register", Web.Replace("web", "late", StringComparison.Ordinal));

        await server.StartAgainAsync(Stop);
        await Eventually.HoldsAsync("what came meanwhile is in the catalog", Limit, async () =>
            (await server.Http.GetStringAsync("/v1/health/service/late?passing", Stop))
                .Contains("\"c1\"", StringComparison.Ordinal), Stop);
        (await client.RunAsync("kv", "get", "a")).Output.Trim().ShouldBe("b");
    }

    private static async Task PutAsync(AgentProcess agent, string path, string body)
    {
        using var content = new StringContent(body, Encoding.UTF8);
        using var answer = await agent.Http.PutAsync(path, content, Stop);
        answer.StatusCode.ShouldBe(HttpStatusCode.OK);
    }
}
