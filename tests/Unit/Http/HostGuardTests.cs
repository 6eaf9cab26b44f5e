using System.Net;
using Praetor.Agent.Http;
using Shouldly;
using Xunit;

namespace Unit.Http;

public sealed class HostGuardTests
{
    private readonly HostGuard _guard = new(new GuardRules
    {
        HostNames = new HashSet<string>(StringComparer.Ordinal) { "lab", ".consul" },
    });

    [Theory]
    [InlineData("127.0.0.1:8500")]
    [InlineData("localhost:8500")]
    [InlineData("localhost.:8500")]
    [InlineData("[::1]:8500")]
    [InlineData("LAB:8500")]
    [InlineData("lab.node.consul")]
    [InlineData("")]
    public void Loopback_answers_to_its_own_names(string host) => Refusal(host: host).ShouldBeNull();

    [Theory]
    [InlineData("evil.example")]
    [InlineData("localhost.evil.example:8500")]
    [InlineData("consul.evil")]
    [InlineData("xconsul")]
    public void A_foreign_name_on_loopback_is_refused(string host) => Refusal(host: host).ShouldNotBeNull();

    [Fact]
    public void Off_loopback_any_name_will_do() => Refusal(host: "agent.example", onLoopback: false).ShouldBeNull();

    [Theory]
    [InlineData("http://evil.example")]
    [InlineData("null")]
    [InlineData("http://localhost:9999")]
    public void A_page_of_another_origin_changes_nothing(string origin)
    {
        Refusal(origin: origin, writes: true).ShouldNotBeNull();
        Refusal(origin: origin, writes: false).ShouldBeNull();
    }

    [Fact]
    public void The_agents_own_pages_may_write() =>
        Refusal(host: "localhost:8500", origin: "http://localhost:8500", writes: true).ShouldBeNull();

    [Fact]
    public void Writes_come_from_the_networks_that_may()
    {
        _guard.Rules = _guard.Rules with { WriteNetworks = [IPNetwork.Parse("10.0.0.0/8")] };
        Refusal(writes: true, client: "192.168.1.1").ShouldBe("Access is restricted");
        Refusal(writes: true, client: "::ffff:10.1.2.3").ShouldBeNull();
        Refusal(writes: false, client: "192.168.1.1").ShouldBeNull();
    }

    [Fact]
    public void Blocked_endpoints_are_blocked()
    {
        _guard.Rules = _guard.Rules with { BlockedPrefixes = ["/v1/agent"] };
        Refusal(path: "/v1/agent/self").ShouldNotBeNull();
        Refusal(path: "/v1/status/leader").ShouldBeNull();
    }

    private string? Refusal(
        string host = "localhost",
        string origin = "",
        bool writes = false,
        bool onLoopback = true,
        string client = "127.0.0.1",
        string path = "/v1/kv/a") =>
        _guard.Refuses(new Visit(path, host, origin, writes, onLoopback, IPAddress.Parse(client)));
}
