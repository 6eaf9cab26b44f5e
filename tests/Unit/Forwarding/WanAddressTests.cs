using System.Text.Json;
using Codecs.Dns;
using Shouldly;
using Xunit;

namespace Unit.Forwarding;

/// <summary>Nodes of other datacenters by the addresses under which those reach them
/// (<c>translate_wan_addrs</c>).</summary>
public sealed class WanAddressTests
{
    private const string Header = "X-Consul-Translate-Addresses";

    private const string Web = """
        {"Node":"far","Address":"10.0.0.1","TaggedAddresses":{"lan":"10.0.0.1","wan":"198.51.100.1"},
         "Service":{"Service":"web","Address":"10.0.0.2","Port":80,
           "TaggedAddresses":{"wan":{"Address":"198.51.100.2","Port":8080}}}}
        """;

    private const string Bare = """
        {"Node":"far","Address":"10.0.0.1","TaggedAddresses":{"lan":"10.0.0.1","wan":"198.51.100.1"},
         "SkipNodeUpdate":true,"Service":{"Service":"bare","Port":81}}
        """;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task The_agent_that_is_asked_shows_nodes_of_other_datacenters_by_their_wan_addresses(bool isServer)
    {
        await using var there = await Agent.ServerAsync("s9", "dc2");
        await there.PutAsync("/v1/catalog/register", Web);
        await there.PutAsync("/v1/catalog/register", Bare);
        await using var between = await Agent.ServerAsync();
        between.Servers.Tell(between.Peer, there.Peer);
        await using var asked = await Agent.StartAsync(
            isServer ? "s2" : "c1", "dc1", isServer, null, "translate_wan_addrs = true", [between.Peer, there.Peer]);

        var health = (await asked.JsonAsync("/v1/health/service/web?dc=dc2"))[0];
        AddressOf(health.GetProperty("Node")).ShouldBe("198.51.100.1");
        AddressOf(health.GetProperty("Service")).ShouldBe("198.51.100.2");
        health.GetProperty("Service").GetProperty("Port").GetInt32().ShouldBe(8080);

        var service = (await asked.JsonAsync("/v1/catalog/service/web?dc=dc2"))[0];
        AddressOf(service).ShouldBe("198.51.100.1");
        service.GetProperty("ServiceAddress").GetString().ShouldBe("198.51.100.2");
        service.GetProperty("ServicePort").GetInt32().ShouldBe(8080);

        var node = await asked.JsonAsync("/v1/catalog/node/far?dc=dc2");
        AddressOf(node.GetProperty("Node")).ShouldBe("198.51.100.1");
        AddressOf(node.GetProperty("Services").GetProperty("web")).ShouldBe("198.51.100.2");
        (await asked.JsonAsync("/v1/catalog/nodes?dc=dc2")).EnumerateArray().Select(AddressOf)
            .ShouldContain("198.51.100.1");

        (await asked.DigAsync("web.service.dc2.consul.")).Answer.ShouldBe(["web.service.dc2.consul. 0 A 198.51.100.2"]);
        (await asked.DigAsync("web.service.dc2.consul.", DnsType.Srv)).Answer[0].ShouldContain(" 8080 c6336402.addr.");
        (await asked.DigAsync("bare.service.dc2.consul.")).Answer
            .ShouldBe(["bare.service.dc2.consul. 0 A 198.51.100.1"]);
        (await asked.DigAsync("far.node.dc2.consul.")).Answer.ShouldBe(["far.node.dc2.consul. 0 A 198.51.100.1"]);
    }

    [Fact]
    public async Task An_agent_without_the_setting_and_the_nodes_own_datacenter_show_the_usual_addresses()
    {
        await using var there = await Agent.StartAsync(
            "s9", "dc2", isServer: true, null, "translate_wan_addrs = true", []);
        await there.PutAsync("/v1/catalog/register", Web);
        await using var here = await Agent.ServerAsync();
        here.Servers.Tell(here.Peer, there.Peer);

        (await there.JsonAsync("/v1/catalog/service/web"))[0].GetProperty("ServicePort").GetInt32().ShouldBe(80);
        (await there.DigAsync("far.node.consul.")).Answer.ShouldBe(["far.node.consul. 0 A 10.0.0.1"]);
        (await here.JsonAsync("/v1/catalog/service/web?dc=dc2"))[0].GetProperty("ServicePort").GetInt32().ShouldBe(80);
        (await here.DigAsync("far.node.dc2.consul.")).Answer.ShouldBe(["far.node.dc2.consul. 0 A 10.0.0.1"]);
    }

    [Fact]
    public async Task A_header_tells_clients_that_addresses_are_translated()
    {
        await using var on = await Agent.StartAsync(
            "s1", "dc1", isServer: true, null, "translate_wan_addrs = true", []);
        await using var off = await Agent.ServerAsync("s2");

        using var translated = await on.SendAsync("GET", "/v1/catalog/nodes");
        using var usual = await off.SendAsync("GET", "/v1/catalog/nodes");

        translated.Headers.GetValues(Header).ShouldBe(["true"]);
        usual.Headers.Contains(Header).ShouldBeFalse();
    }

    private static string? AddressOf(JsonElement of) => of.GetProperty("Address").GetString();
}
