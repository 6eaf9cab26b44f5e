using System.Diagnostics;
using Shouldly;
using Support;
using Xunit;

namespace Integration.Membership;

/// <summary>Two datacenters, each with a server, joined by their WAN pool.</summary>
public sealed class DatacenterTests
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(30);

    // The WAN's own intervals are made for oceans.
    private const string Quick =
        "gossip_wan { probe_interval = \"200ms\" probe_timeout = \"100ms\" gossip_interval = \"50ms\" }";

    [Fact]
    public async Task One_datacenter_is_asked_by_way_of_another()
    {
        await using var near = await ServerAsync("near", "dc1");
        await using var far = await ServerAsync(
            "far", "dc2", "-retry-join-wan", $"127.0.0.1:{near.Ports.SerfWan}");
        await Eventually.HoldsAsync("dc1 knows dc2", Soon, async () =>
            (await near.RunAsync("catalog", "datacenters")).Output.Contains("dc2", StringComparison.Ordinal));

        (await near.RunAsync("kv", "put", "-datacenter=dc2", "colour", "blue")).Code.ShouldBe(0);
        (await far.RunAsync("kv", "get", "colour")).Output.Trim().ShouldBe("blue");
        (await near.RunAsync("kv", "get", "-datacenter=dc2", "colour")).Output.Trim().ShouldBe("blue");
        (await near.RunAsync("kv", "get", "colour")).Code.ShouldBe(1);

        (await far.RunAsync("services", "register", "-name=web", "-port=8080")).Code.ShouldBe(0);
        await Eventually.HoldsAsync("DNS in dc1 answers for dc2", Soon, async () =>
            (await DigAsync(near, "web.service.dc2.consul")).Contains("8080", StringComparison.Ordinal));
        (await DigAsync(near, "web.service.consul")).ShouldBeEmpty();

        using var unknown = await near.Http.GetAsync("/v1/catalog/nodes?dc=dc9");
        ((int)unknown.StatusCode).ShouldBe(500);
        (await unknown.Content.ReadAsStringAsync()).ShouldBe("No path to datacenter");
    }

    [Fact]
    public async Task A_client_agent_of_another_datacenter_is_not_let_in()
    {
        await using var server = await ServerAsync("near", "dc1");
        await using var stranger = await AgentProcess.StartAsync(new AgentOptions
        {
            IsClient = true, IsAlone = true, Node = "stranger", NodeId = "", Joins = [server],
            Arguments = ["-datacenter", "dc2"],
        });

        await Eventually.HoldsAsync("it is told why", Soon, () =>
            Task.FromResult(stranger.Log.Contains("wrong datacenter", StringComparison.Ordinal)));
        (await server.Http.GetStringAsync("/v1/catalog/nodes")).ShouldNotContain("stranger");
    }

    private static Task<AgentProcess> ServerAsync(string node, string datacenter, params string[] arguments) =>
        AgentProcess.StartAsync(new AgentOptions
        {
            IsDev = false, Node = node, NodeId = "", Hcl = [Quick],
            Arguments = ["-datacenter", datacenter, .. arguments],
        });

    private static async Task<string> DigAsync(AgentProcess agent, string name)
    {
        var start = new ProcessStartInfo("dig", [
            "+short", "+time=2", "+tries=1", "@127.0.0.1", "-p", $"{agent.Ports.Dns}", name, "SRV",
        ]) { UseShellExecute = false, RedirectStandardOutput = true };
        using var dig = Process.Start(start)!;
        var output = await dig.StandardOutput.ReadToEndAsync();
        await dig.WaitForExitAsync();
        return output.Trim();
    }
}
