using System.Diagnostics;
using Shouldly;
using Support;
using Xunit;

namespace Integration.Membership;

/// <summary>Two datacenters, each with a server, joined by their WAN pool.</summary>
public sealed class DatacenterTests
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(30);

    // The WAN is patient with suspects, whatever its probes' interval.
    private static readonly TimeSpan UntilFailed = TimeSpan.FromSeconds(120);

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
    public async Task A_datacenter_whose_servers_all_died_is_lost_not_unknown_until_somebody_takes_them_out()
    {
        await using var near = await ServerAsync("near", "dc1");
        await using var far = await ServerAsync(
            "far", "dc2", "-retry-join-wan", $"127.0.0.1:{near.Ports.SerfWan}");
        await Eventually.HoldsAsync("dc1 asks dc2", Soon, async () =>
            (await near.Http.GetAsync("/v1/catalog/nodes?dc=dc2")).IsSuccessStatusCode);

        await far.KillAsync();
        await Eventually.HoldsAsync("it is noticed", UntilFailed, async () =>
            (await near.MembersAsync(wan: true)).GetValueOrDefault("far.dc2") == "failed");

        using var lost = await near.Http.GetAsync("/v1/catalog/nodes?dc=dc2");
        ((int)lost.StatusCode).ShouldBe(500);
        (await lost.Content.ReadAsStringAsync()).ShouldBe("Remote DC has no server currently reachable");
        (await StatusAsync(near, "web.service.dc2.consul")).ShouldBe("SERVFAIL");
        (await StatusAsync(near, "web.service.dc9.consul")).ShouldBe("NXDOMAIN");
        (await near.RunAsync("catalog", "datacenters")).Output.ShouldContain("dc2");

        (await near.RunAsync("force-leave", "-wan", "far.dc2")).Code.ShouldBe(0);
        await Eventually.HoldsAsync("it is unknown then", Soon, async () =>
            (await StatusAsync(near, "web.service.dc2.consul")) == "NXDOMAIN");
        (await near.Http.GetStringAsync("/v1/catalog/datacenters")).ShouldNotContain("dc2");
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

    private static async Task<string> StatusAsync(AgentProcess agent, string name)
    {
        const string Label = "status: ";
        var output = await DigAsync(agent, name, "+time=10");
        var at = output.IndexOf(Label, StringComparison.Ordinal);
        return at < 0 ? output : output[(at + Label.Length)..].Split(',')[0];
    }

    private static Task<string> DigAsync(AgentProcess agent, string name) =>
        DigAsync(agent, name, "+short", "+time=2");

    private static async Task<string> DigAsync(AgentProcess agent, string name, params string[] options)
    {
        var start = new ProcessStartInfo("dig", [
            .. options, "+tries=1", "@127.0.0.1", "-p", $"{agent.Ports.Dns}", name, "SRV",
        ]) { UseShellExecute = false, RedirectStandardOutput = true };
        using var dig = Process.Start(start)!;
        var output = await dig.StandardOutput.ReadToEndAsync();
        await dig.WaitForExitAsync();
        return output.Trim();
    }
}
