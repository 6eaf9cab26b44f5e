using Praetor.Agent.Http;
using Shouldly;
using Unit.Forwarding;
using Xunit;

namespace Unit.Http;

public sealed class PrintablePathTests
{
    // What the real Consul 1.8.7 takes and refuses.
    [Theory]
    [InlineData("/v1/kv/a", true)]
    [InlineData("/v1/kv/a%20b", true)]
    [InlineData("/v1/kv/%c3%a9", true)]
    [InlineData("/v1/kv/%f0%9f%98%80", true)]
    [InlineData("/v1/kv/a%01b", false)]
    [InlineData("/v1/kv/a%09b", false)]
    [InlineData("/v1/kv/a%0ab", false)]
    [InlineData("/v1/kv/a%7fb", false)]
    [InlineData("/v1/kv/a%c2%a0b", false)]
    [InlineData("/v1/kv/a%c2%adb", false)]
    [InlineData("/v1/kv/a%e2%80%8bb", false)]
    [InlineData("/v1/kv/a%e2%80%a8b", false)]
    [InlineData("/v1/kv/a%e3%80%80b", false)]
    [InlineData("/v1/kv/a%ee%80%80b", false)]
    [InlineData("/v1/kv/%cd%b8", false)]
    public void Only_what_can_be_seen_is_printable(string path, bool holds) =>
        PrintablePath.Holds(path).ShouldBe(holds);

    [Theory]
    [InlineData("GET", "/v1/catalog/service/%02")]
    [InlineData("PUT", "/v1/kv/a%01b")]
    [InlineData("GET", "/ui/%01")]
    [InlineData("GET", "/v1/no-such-endpoint/%01")]
    public async Task A_path_with_an_unprintable_character_is_refused_without_a_word(string method, string path)
    {
        await using var agent = await Agent.ServerAsync();
        var (status, text) = await agent.AskAsync(method, path);
        (status, text).ShouldBe((400, ""));
    }

    [Fact]
    public async Task A_query_may_hold_any_character()
    {
        await using var agent = await Agent.ServerAsync();
        (await agent.AskAsync("GET", "/v1/status/leader?x=%01")).Status.ShouldBe(200);
    }

    [Fact]
    public async Task The_filter_can_be_switched_off()
    {
        await using var agent = await Agent.ServerAsync(hcl: "disable_http_unprintable_char_filter = true");
        await agent.PutAsync("/v1/kv/a%01b", "v");
        (await agent.AskAsync("GET", "/v1/kv/a%01b?raw")).ShouldBe((200, "v"));
        (await agent.AskAsync("GET", "/ui/%01")).Status.ShouldNotBe(400);
    }
}
