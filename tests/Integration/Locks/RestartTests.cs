using Praetor.Client;
using Shouldly;
using Support;
using Xunit;

namespace Integration.Locks;

/// <summary>Sessions and locks across a kill -9.</summary>
public sealed class RestartTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Locks_and_lock_delays_survive_and_sessions_that_are_not_renewed_end_afterwards()
    {
        var options = new AgentOptions { IsDev = false, Hcl = ["session_ttl_min = \"1s\""] };
        await using var agent = await AgentProcess.StartAsync(options, Stop);
        var client = agent.Client;
        var lasting = await client.CreateSessionAsync(new SessionRequest { Checks = [] }, Stop);
        var passing = await client.CreateSessionAsync(
            new SessionRequest { Checks = [], TTL = "2s", LockDelay = "1ms" }, Stop);
        var ended = await client.CreateSessionAsync(new SessionRequest { Checks = [], LockDelay = "60s" }, Stop);
        (await AcquireAsync(agent, "lasting", lasting)).ShouldBeTrue();
        (await AcquireAsync(agent, "passing", passing)).ShouldBeTrue();
        (await AcquireAsync(agent, "ended", ended)).ShouldBeTrue();
        await client.DestroySessionAsync(ended, Stop);
        var before = (await client.GetKeyAsync("lasting", stop: Stop)).Value!;

        await agent.KillAsync();
        await agent.StartAgainAsync(Stop);

        (await client.GetKeyAsync("lasting", stop: Stop)).Value.ShouldBeEquivalentTo(before);
        var other = await client.CreateSessionAsync(new SessionRequest { Checks = [] }, Stop);
        (await AcquireAsync(agent, "lasting", other)).ShouldBeFalse();
        (await AcquireAsync(agent, "ended", other)).ShouldBeFalse("its lock delay goes on");
        await Eventually.HoldsAsync(
            "the session ends for want of renewals", Limit,
            async () => (await client.SessionAsync(passing, stop: Stop)).Value is null, Stop);
        await Eventually.HoldsAsync(
            "its lock is free", Limit, () => AcquireAsync(agent, "passing", other), Stop);
        (await client.SessionAsync(lasting, stop: Stop)).Value.ShouldNotBeNull();
        var now = (await client.GetKeyAsync("passing", stop: Stop)).Value!;
        now.LockIndex.ShouldBe(2UL);
    }

    [Fact]
    public async Task A_hold_has_a_larger_token_after_every_kill()
    {
        await using var agent = await AgentProcess.StartAsync(new AgentOptions { IsDev = false }, Stop);
        ulong index = 0, token = 0;
        for (var round = 0; round < 4; round++)
        {
            var session = await agent.Client.CreateSessionAsync(
                new SessionRequest { Checks = [], LockDelay = "0s" }, Stop);
            await Eventually.HoldsAsync(
                "the lock is had", Limit, () => AcquireAsync(agent, "k", session), Stop);
            var held = (await agent.Client.GetKeyAsync("k", stop: Stop)).Value!;
            held.LockIndex.ShouldBeGreaterThan(index);
            held.ModifyIndex.ShouldBeGreaterThan(token);
            (index, token) = (held.LockIndex, held.ModifyIndex);
            await agent.KillAsync();
            await agent.StartAgainAsync(Stop);
            await agent.Client.DestroySessionAsync(session, Stop);
        }
    }

    private static Task<bool> AcquireAsync(AgentProcess agent, string key, string session) =>
        agent.Client.PutKeyAsync(key, "x"u8.ToArray(), new KvWrite { Acquire = session }, stop: Stop);
}
