using Shouldly;
using Xunit;

namespace Simulation;

/// <summary>
/// Members that stall now and then must not make others seem dead. As in the Lifeguard paper: a stalled member neither
/// sends nor receives, but its timers run on, so it suspects everybody whom it probes meanwhile.
/// </summary>
public sealed class LifeguardTests
{
    private const int Members = 128;

    [Fact]
    public void Lifeguard_leaves_few_false_deaths_of_those_that_plain_swim_has()
    {
        var with = FalseDeaths(lifeguard: true);
        var without = FalseDeaths(lifeguard: false);
        Figures.Print($"false deaths of members that do not stall: Lifeguard {with}, plain SWIM {without}");
        without.ShouldBeGreaterThan(50);
        with.ShouldBeLessThanOrEqualTo(without / 50);
    }

    [Fact]
    public void Lifeguard_hardly_delays_detection()
    {
        var with = Detection(lifeguard: true);
        var without = Detection(lifeguard: false);
        Figures.Print($"median detection at N=128: Lifeguard {with:f2} s, plain SWIM {without:f2} s");
        with.ShouldBeLessThanOrEqualTo(without * 1.1);
    }

    private static int FalseDeaths(bool lifeguard)
    {
        var deaths = 0;
        foreach (var stalling in (int[])[1, 4, 8, 16, 32])
        {
            deaths += FalseDeaths(lifeguard, stalling);
        }
        return deaths;
    }

    private static int FalseDeaths(bool lifeguard, int stalling)
    {
        var network = SimNetwork.Settled(
            seed: 23, Members, configure: config => config with { Lifeguard = lifeguard, ReconnectInterval = default });
        var random = new Random(stalling);
        // Who stalls at some time in a run is not counted: to call it dead is no mistake.
        var stallers = network.Members.OrderBy(_ => random.Next()).Take(stalling).ToList();
        var names = stallers.Select(member => member.Name).ToHashSet(StringComparer.Ordinal);
        var deaths = 0;
        network.OnDead = (_, dead) => deaths += names.Contains(dead.Name) ? 0 : 1;
        network.Advance(TimeSpan.FromSeconds(5));
        for (var round = 0; round < LongRun.Or(20, 4); round++)
        {
            foreach (var staller in stallers)
            {
                // Pauses of 0.1 to 30 s, evenly on a logarithmic scale.
                staller.SlowDown(TimeSpan.FromSeconds(0.1 * Math.Pow(300, random.NextDouble())));
            }
            network.Advance(TimeSpan.FromSeconds(40));
        }
        return deaths;
    }

    private static double Detection(bool lifeguard)
    {
        var times = new List<double>();
        for (var round = 0; round < 15; round++)
        {
            var network = SimNetwork.Settled(
                seed: 31 + round, Members, configure: config => config with { Lifeguard = lifeguard });
            network.Advance(TimeSpan.FromSeconds(3));
            var pending = new Dictionary<string, TimeSpan>(StringComparer.Ordinal);
            network.OnDead = (_, dead) =>
            {
                if (pending.Remove(dead.Name, out var at))
                {
                    times.Add((network.Now - at).TotalSeconds);
                }
            };
            foreach (var victim in network.Members.Take(4).ToList())
            {
                network.Advance(TimeSpan.FromMilliseconds(250));
                victim.Kill();
                pending[victim.Name] = network.Now;
            }
            network.Until(() => pending.Count == 0, TimeSpan.FromSeconds(60)).ShouldNotBeNull();
        }
        return Figures.Percentile(times, 0.5);
    }
}
