using System.Text.Json;
using Shouldly;
using Unit.Forwarding;
using Xunit;

namespace Unit.Sessions;

/// <summary>Transactions by HTTP: what the recorded corpus cannot say, as Consul 1.8 takes less or breaks.</summary>
public sealed class TransactionRouteTests
{
    [Theory]
    [InlineData("[null]", 400)]
    [InlineData("[5]", 400)]
    [InlineData("""[{"KV":{"Verb":"set","Key":"a"}},{}]""", 200)]
    [InlineData("""[{"Session":{"Verb":"delete","Session":{"ID":"abc"}}}]""", 409)]
    [InlineData("""[{"KV":{"Verb":"get-or-empty","Key":"none"}}]""", 200)]
    public async Task Odd_operations_are_refused_or_done(string body, int status)
    {
        await using var server = await Agent.ServerAsync();
        var answer = await server.AskAsync("PUT", "/v1/txn", body);
        answer.Status.ShouldBe(status, answer.Text);
    }

    [Fact]
    public async Task A_hundred_and_twenty_eight_operations_are_taken_and_no_more()
    {
        await using var server = await Agent.ServerAsync();
        static string Sets(int count) => "[" + string.Join(',', Enumerable.Range(0, count).Select(
            static i => $$$"""{"KV":{"Verb":"set","Key":"many/{{{i}}}","Value":"eA=="}}""")) + "]";
        var answer = await server.AskAsync("PUT", "/v1/txn", Sets(129));
        answer.ShouldBe((413, "Transaction contains too many operations (129 > 128)"));
        (await server.AskAsync("GET", "/v1/kv/many?keys")).Status.ShouldBe(404);
        await server.PutAsync("/v1/txn", Sets(128));
        var keys = (await server.JsonAsync("/v1/kv/many?recurse")).EnumerateArray().ToList();
        keys.Count.ShouldBe(128);
        keys.Select(static k => k.GetProperty("ModifyIndex").GetUInt64()).Distinct().Count()
            .ShouldBe(1, "one command, one index");
    }

    [Fact]
    public async Task A_session_is_ended_in_one_with_what_depends_on_it()
    {
        await using var server = await Agent.ServerAsync();
        await server.UntilAsync("/v1/catalog/nodes", static nodes => nodes.GetArrayLength() > 0);
        var (status, text) = await server.AskAsync("PUT", "/v1/session/create", """{"NodeChecks":[]}""");
        status.ShouldBe(200, text);
        var id = JsonElement.Parse(text).GetProperty("ID").GetString();
        await server.PutAsync($"/v1/kv/k?acquire={id}", "x");
        await server.PutAsync("/v1/txn", $$$$"""
            [{"KV":{"Verb":"check-session","Key":"k","Session":"{{{{id}}}}"}},
             {"Session":{"Verb":"delete","Session":{"ID":"{{{{id}}}}"}}}]
            """);
        (await server.JsonAsync("/v1/session/list")).GetArrayLength().ShouldBe(0);
        (await server.JsonAsync("/v1/kv/k"))[0].TryGetProperty("Session", out _).ShouldBeFalse();
    }
}
