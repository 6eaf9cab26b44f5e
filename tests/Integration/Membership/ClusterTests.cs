using Gossip;
using Shouldly;
using Support;
using Xunit;

namespace Integration.Membership;

/// <summary>A server and client agents of ours, as processes, on loopback.</summary>
public sealed class ClusterTests
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(20);

    // With the intervals of a LAN a failure takes 6 s to be seen, which tests need not wait for.
    private const string Quick =
        "gossip_lan { probe_interval = \"200ms\" probe_timeout = \"100ms\" gossip_interval = \"50ms\" }";

    [Fact]
    public async Task Agents_that_join_one_of_them_all_know_each_other()
    {
        await using var server = await ServerAsync();
        await using var first = await ClientAsync("client-1", server);
        await using var second = await ClientAsync("client-2", first);

        string[] everybody = ["client-1", "client-2", "server-1"];
        foreach (var agent in (AgentProcess[])[server, first, second])
        {
            await Eventually.HoldsAsync("all three are alive", Soon, async () =>
            {
                var members = await agent.MembersAsync();
                return everybody.All(name => members.GetValueOrDefault(name) == "alive");
            });
        }
    }

    [Fact]
    public async Task What_is_registered_with_a_client_agent_is_in_the_servers_catalog()
    {
        await using var server = await ServerAsync();
        await using var client = await ClientAsync("client-1", server);

        var (code, output) = await client.RunAsync("services", "register", "-name=web", "-port=8080");
        code.ShouldBe(0, output);

        await Eventually.HoldsAsync("the server knows the instance", Soon, async () =>
            (await server.Http.GetStringAsync("/v1/health/service/web?passing"))
                .Contains("client-1", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_client_agent_reads_and_writes_keys_through_a_server()
    {
        await using var server = await ServerAsync();
        await using var client = await ClientAsync("client-1", server);

        (await client.RunAsync("kv", "put", "colour", "blue")).Code.ShouldBe(0);
        (await server.RunAsync("kv", "get", "colour")).Output.Trim().ShouldBe("blue");
        (await client.RunAsync("kv", "get", "colour")).Output.Trim().ShouldBe("blue");
    }

    [Fact]
    public async Task An_agent_that_is_killed_is_seen_as_failed_and_its_node_turns_critical()
    {
        await using var server = await ServerAsync();
        await using var client = await ClientAsync("client-1", server);
        await NodeIsAsync(server, "client-1", "passing");

        await client.KillAsync();

        await MemberIsAsync(server, "client-1", "failed");
        await NodeIsAsync(server, "client-1", "critical");

        await client.StartAgainAsync();
        await MemberIsAsync(server, "client-1", "alive");
        await NodeIsAsync(server, "client-1", "passing");
    }

    [Fact]
    public async Task An_agent_that_leaves_is_listed_as_left_and_taken_out_of_the_catalog()
    {
        await using var server = await ServerAsync();
        await using var client = await ClientAsync("client-1", server);
        await NodeIsAsync(server, "client-1", "passing");

        (await client.RunAsync("leave")).Code.ShouldBe(0);
        await client.EndedAsync(Soon);

        await MemberIsAsync(server, "client-1", "left");
        await Eventually.HoldsAsync("the node is gone", Soon, async () =>
            !(await server.Http.GetStringAsync("/v1/catalog/nodes")).Contains("client-1", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_failed_agent_can_be_declared_as_left_and_pruned()
    {
        await using var server = await ServerAsync();
        await using var client = await ClientAsync("client-1", server);
        await NodeIsAsync(server, "client-1", "passing");
        await client.KillAsync();
        await MemberIsAsync(server, "client-1", "failed");

        (await server.RunAsync("force-leave", "client-1")).Code.ShouldBe(0);
        await MemberIsAsync(server, "client-1", "left");

        (await server.RunAsync("force-leave", "-prune", "client-1")).Code.ShouldBe(0);
        await Eventually.HoldsAsync("nobody lists it", Soon, async () =>
            !(await server.MembersAsync()).ContainsKey("client-1"));
    }

    [Fact]
    public async Task Local_services_survive_the_loss_of_the_server_and_are_synced_when_it_returns()
    {
        await using var server = await ServerAsync(isDev: false);
        await using var client = await ClientAsync("client-1", server);
        await NodeIsAsync(server, "client-1", "passing");
        await server.KillAsync();

        var (code, output) = await client.RunAsync("services", "register", "-name=late", "-port=8080");
        code.ShouldBe(0, output);
        (await client.Http.GetStringAsync("/v1/agent/services")).ShouldContain("late");

        await server.StartAgainAsync();
        await Eventually.HoldsAsync("the server knows what came while it was away", Soon * 3, async () =>
            (await server.Http.GetStringAsync("/v1/catalog/service/late"))
                .Contains("client-1", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Agents_with_another_key_stay_strangers()
    {
        var key = GossipKey.Generate().ToBase64();
        var other = GossipKey.Generate().ToBase64();
        await using var server = await ServerAsync(hcl: $"encrypt = \"{key}\"");
        await using var friend = await ClientAsync("friend", server, hcl: $"encrypt = \"{key}\"");
        await using var stranger = await StrangerAsync(server, $"encrypt = \"{other}\" retry_interval = \"1s\"");

        await MemberIsAsync(server, "friend", "alive");
        await Eventually.HoldsAsync("the stranger has tried", Soon, () =>
            Task.FromResult(stranger.Log.Contains("joining failed", StringComparison.Ordinal)));
        (await server.MembersAsync()).Keys.ShouldNotContain("stranger");
        (await stranger.MembersAsync()).Keys.ShouldNotContain("server-1");
    }

    [Fact]
    public async Task The_key_of_a_cluster_is_changed_while_it_runs()
    {
        var old = GossipKey.Generate().ToBase64();
        var next = GossipKey.Generate().ToBase64();
        await using var server = await ServerAsync(isDev: false, hcl: $"encrypt = \"{old}\"");
        await using var client = await ClientAsync("client-1", server, hcl: $"encrypt = \"{old}\"");
        await MemberIsAsync(server, "client-1", "alive");

        foreach (var change in (string[][])[["-install", next], ["-use", next], ["-remove", old]])
        {
            var (code, output) = await client.RunAsync(["keyring", .. change]);
            code.ShouldBe(0, output);
        }

        var list = (await server.RunAsync("keyring", "-list")).Output;
        list.ShouldContain(next);
        list.ShouldNotContain(old);
        await client.KillAsync();
        await client.StartAgainAsync();
        await MemberIsAsync(server, "client-1", "alive");
    }

    private static Task<AgentProcess> ServerAsync(bool isDev = true, string hcl = "") => AgentProcess.StartAsync(
        new AgentOptions { IsDev = isDev, Node = "server-1", NodeId = "", Hcl = [Quick, hcl] });

    private static Task<AgentProcess> ClientAsync(string name, AgentProcess joins, string hcl = "") =>
        AgentProcess.StartAsync(new AgentOptions
        {
            IsClient = true, Node = name, NodeId = "", Joins = [joins], Hcl = [Quick, hcl],
        });

    private static Task<AgentProcess> StrangerAsync(AgentProcess joins, string hcl) =>
        AgentProcess.StartAsync(new AgentOptions
        {
            IsClient = true, Node = "stranger", NodeId = "", Joins = [joins], Hcl = [Quick, hcl], IsAlone = true,
        });

    private static Task MemberIsAsync(AgentProcess asked, string name, string status) => Eventually.HoldsAsync(
        $"{name} is {status}", Soon, async () => (await asked.MembersAsync()).GetValueOrDefault(name) == status);

    private static Task NodeIsAsync(AgentProcess asked, string name, string status) => Eventually.HoldsAsync(
        $"the node {name} is {status}", Soon, async () =>
            (await asked.Http.GetStringAsync($"/v1/health/node/{name}")).Replace(" ", "", StringComparison.Ordinal)
                .Contains($"\"Status\":\"{status}\"", StringComparison.Ordinal));
}
