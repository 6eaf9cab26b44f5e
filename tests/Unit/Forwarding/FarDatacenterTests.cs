using Microsoft.Extensions.Logging.Abstractions;
using Praetor.Agent.Forwarding;
using Shouldly;
using Xunit;

namespace Unit.Forwarding;

/// <summary>Requests for other datacenters: how they are named, and what happens when servers there fail.</summary>
public sealed class FarDatacenterTests
{
    [Fact]
    public async Task The_name_of_a_datacenter_is_taken_in_any_case_and_the_list_of_all_needs_none()
    {
        await using var here = await Agent.ServerAsync();
        await using var there = await Agent.ServerAsync("s9", "dc2");
        here.Servers.Tell(here.Peer, there.Peer);
        there.Servers.Tell(there.Peer, here.Peer);
        await using var client = await Agent.ClientAsync(here.Peer);
        await client.PutAsync("/v1/kv/place?dc=DC2", "there");
        (await client.AskAsync("GET", "/v1/kv/place?raw&dc=Dc2")).Text.ShouldBe("there");
        (await client.AskAsync("GET", "/v1/kv/place?raw&dc=DC1")).Status.ShouldBe(404);
        foreach (var agent in (Agent[])[here, client])
        {
            (await agent.JsonAsync("/v1/catalog/datacenters?dc=dc9")).GetArrayLength().ShouldBe(2);
            (await agent.AskAsync("GET", "/v1/coordinate/datacenters?dc=dc9")).Status.ShouldBe(200);
        }
    }

    [Fact]
    public async Task The_roots_of_another_datacenter_are_told_for_proxies_too()
    {
        await using var here = await Agent.ServerAsync(hcl: "connect { enabled = true }");
        await using var there = await Agent.ServerAsync("s9", "dc2", hcl: "connect { enabled = true }");
        here.Servers.Tell(here.Peer, there.Peer);
        there.Servers.Tell(there.Peer, here.Peer);
        await using var client = await Agent.ClientAsync(here.Peer);
        var far = await there.JsonAsync("/v1/connect/ca/roots");
        foreach (var agent in (Agent[])[here, client])
        {
            var roots = await agent.JsonAsync("/v1/agent/connect/ca/roots?dc=dc2");
            roots.GetProperty("TrustDomain").GetString().ShouldBe(far.GetProperty("TrustDomain").GetString());
            var own = await agent.JsonAsync("/v1/agent/connect/ca/roots");
            own.GetProperty("TrustDomain").GetString().ShouldNotBe(far.GetProperty("TrustDomain").GetString());
            var (_, text) = await agent.AskAsync("GET", "/v1/agent/connect/ca/roots?dc=dc9");
            text.ShouldContain("No path to datacenter");
        }
    }

    [Fact]
    public async Task A_server_is_not_left_because_one_of_another_datacenter_is_silent()
    {
        using var silent = new SilentServer("s8");
        await using var there = await Agent.ServerAsync("s9", "dc2");
        await using var first = await Agent.ServerAsync();
        await using var second = await Agent.ServerAsync("s2");

        // Who is known already goes on being asked first; the second server of the own datacenter knows no other.
        var far = silent.Peer with { Datacenter = "dc2" };
        first.Servers.Tell(first.Peer, far);
        first.Servers.Tell(first.Peer, far, there.Peer);
        await using var client = await Agent.ClientAsync(first.Peer);
        client.Servers.Tell(first.Peer, second.Peer);
        await there.PutAsync("/v1/kv/place", "there");

        (await client.AskAsync("GET", "/v1/kv/place?raw&dc=dc2")).ShouldBe((200, "there"));
        (await client.AskAsync("GET", "/v1/kv/place?raw&dc=dc2")).ShouldBe((200, "there"), "the first is still asked");
    }

    [Fact]
    public async Task That_all_servers_of_another_datacenter_are_dead_is_told_without_waiting_for_them()
    {
        await using var here = await Agent.ServerAsync(hcl: """performance { rpc_hold_timeout = "90s" }""");
        var dead = new SilentServer("s9");
        dead.Dispose();
        here.Servers.Tell(here.Peer, dead.Peer with { Datacenter = "dc2" });

        // The test agents ask for 20 s at most, which is long before the hold time is over.
        var (status, text) = await here.AskAsync("GET", "/v1/kv/a?dc=dc2");
        status.ShouldBe(500);
        text.ShouldStartWith("rpc error getting client: failed to get conn: ");
        (await here.DigAsync("web.service.dc2.consul.")).Code.ShouldBe("SERVFAIL");
    }

    [Theory]
    [InlineData("dc1", "No known Consul servers")]
    [InlineData("dc2", "Remote DC has no server currently reachable")]
    [InlineData("DC2", "Remote DC has no server currently reachable")]
    [InlineData("dc9", "No path to datacenter")]
    public async Task It_is_told_whether_a_datacenter_is_unknown_or_only_lost(string datacenter, string text)
    {
        var options = new ForwarderOptions { Self = new Hop("s1", "dc1", IsServer: true), SelfId = "1" };
        using var forwarder = new Forwarder(
            new ServerDirectory(new Random(1)), options, TimeProvider.System, new Random(1), NullLogger.Instance)
        {
            IsDatacenter = static name => name.Equals("dc2", StringComparison.OrdinalIgnoreCase),
        };
        var call = new ServerCall { Method = "GET", Target = "/v1/kv/a", Datacenter = datacenter };
        var outcome = await forwarder.SendAsync(call, CancellationToken.None);
        outcome.Refusal.ShouldNotBeNull().Text.ShouldBe(text);
    }
}
