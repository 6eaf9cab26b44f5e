using Shouldly;
using Support;
using Xunit;

namespace Integration.Conformance;

/// <summary>Replays what the real Consul 1.8.7 was recorded to answer (tests/conformance).</summary>
public sealed class ConformanceTests
{
    private static readonly TimeSpan SyncLimit = TimeSpan.FromSeconds(5);

    public static TheoryData<string> Scenarios() => new(Recording.Scenarios());

    [Theory, MemberData(nameof(Scenarios))]
    public async Task Praetor_answers_as_recorded(string scenario)
    {
        var recording = Recording.Load(scenario);

        // The real one runs no sidecars by itself, so their checks found nobody when it was recorded.
        await using var agent = await AgentProcess.StartAsync(
            new AgentOptions { Hcl = [.. recording.Config, "connect { managed_sidecars = false }"] });
        await ShouldAnswerAsync(recording, agent, Allowances.Load());
    }

    [Theory, MemberData(nameof(Scenarios))]
    public async Task The_real_consul_still_answers_as_recorded(string scenario)
    {
        Assert.SkipUnless(RealConsul.IsThere, RealConsul.Missing);
        var recording = Recording.Load(scenario);
        await using var agent = await RealConsul.StartAsync(new AgentOptions { Hcl = recording.Config });
        await ShouldAnswerAsync(recording, agent, Allowances.None);
    }

    [Fact]
    public void Every_declared_difference_names_a_recorded_exchange_and_a_reason()
    {
        var names = Recording.Scenarios().Select(Recording.Load)
            .SelectMany(r => r.Exchanges.Select(e => $"{r.Scenario}/{e.Name}")).ToList();
        foreach (var declared in Allowances.Load().All)
        {
            declared.Why.ShouldNotBeNullOrWhiteSpace(declared.Exchange);
            names.ShouldContain(name => Allowances.Matches(declared.Exchange, name), declared.Exchange);
        }
    }

    [Fact]
    public void At_least_a_hundred_and_forty_exchanges_are_recorded() =>
        Recording.Scenarios().Sum(name => Recording.Load(name).Exchanges.Count).ShouldBeGreaterThanOrEqualTo(140);

    // An agent's first sync puts its metadata on its node; when it does not come, the differences will say so.
    private static async Task SyncedAsync(AgentProcess agent)
    {
        try
        {
            await Eventually.HoldsAsync("the node is synced", SyncLimit, async () =>
                (await agent.Http.GetStringAsync("/v1/catalog/node/lab")).Contains("consul-network-segment"));
        }
        catch (TimeoutException)
        {
        }
    }

    private static async Task ShouldAnswerAsync(Recording recording, AgentProcess agent, Allowances allowances)
    {
        var stop = TestContext.Current.CancellationToken;
        await SyncedAsync(agent);
        var differences = await new Replay(recording, agent.Http, allowances).DifferencesAsync(stop);
        if (differences.Count > 0)
        {
            var count = $"{differences.Count} of {recording.Exchanges.Count} exchanges of {recording.Scenario} differ";
            Assert.Fail($"{count}\n{string.Join('\n', differences)}");
        }
    }
}
