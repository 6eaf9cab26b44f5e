using Gossip.Wire;
using Shouldly;
using Xunit;

namespace Simulation;

/// <summary>How soon a member that dies without a word is declared dead, by whoever is first.</summary>
public sealed class DetectionTests
{
    [Theory]
    [InlineData(3, 1_000, 1, 6, 8)]
    [InlineData(10, 2_000, 1, 6, 9)]
    [InlineData(100, 100, 2, 10.5, 15)]
    [InlineData(1_000, 60, 12, 14.5, 20)]
    public void A_dead_member_is_declared_dead_in_time(int members, int kills, int atOnce, double p50, double p99)
    {
        var times = Measure(members, kills, atOnce);
        Check(members, times, p50, p99);
    }

    [Fact]
    public void A_dead_member_among_ten_thousand_is_declared_dead_in_time()
    {
        LongRun.Require();
        var times = Measure(10_000, 40, 40);
        Check(10_000, times, 19, 24);
    }

    private static void Check(int members, List<double> times, double p50, double p99)
    {
        var median = Figures.Percentile(times, 0.5);
        var slow = Figures.Percentile(times, 0.99);
        Figures.Print($"N={members}: declared dead p50 {median:f1} s, p99 {slow:f1} s of {times.Count}");
        median.ShouldBeLessThanOrEqualTo(p50);
        slow.ShouldBeLessThanOrEqualTo(p99);
    }

    private static List<double> Measure(int members, int kills, int atOnce)
    {
        var network = SimNetwork.Settled(seed: 11 + members, members);
        var random = new Random(members);
        var killedAt = new Dictionary<string, TimeSpan>(StringComparer.Ordinal);
        var times = new List<double>();
        network.OnDead = (_, dead) =>
        {
            if (killedAt.Remove(dead.Name, out var at))
            {
                times.Add((network.Now - at).TotalSeconds);
            }
        };
        network.Advance(TimeSpan.FromSeconds(5));
        while (times.Count < kills)
        {
            var victims = Kill(network, random, atOnce, killedAt);
            network.Until(() => killedAt.Count == 0, TimeSpan.FromSeconds(60)).ShouldNotBeNull();
            if (times.Count < kills)
            {
                Restart(network, victims);
            }
        }
        return times;
    }

    private static List<SimMember> Kill(
        SimNetwork network, Random random, int count, Dictionary<string, TimeSpan> killedAt)
    {
        var victims = network.Members.OrderBy(_ => random.Next()).Take(count).ToList();
        foreach (var victim in victims)
        {
            // At any moment of the probe cycle, and not together.
            network.Advance(TimeSpan.FromMilliseconds(random.Next(1000)) / count);
            victim.Kill();
            killedAt[victim.Name] = network.Now;
        }
        return victims;
    }

    private static void Restart(SimNetwork network, List<SimMember> victims)
    {
        network.Advance(TimeSpan.FromSeconds(2));
        foreach (var victim in victims)
        {
            victim.Start();
            victim.Join(network.Running.First(member => member != victim));
        }
        network.Until(
            () => network.Members.All(member => victims.TrueForAll(
                victim => member.Core.Find(victim.Name)?.State == MemberState.Alive)),
            TimeSpan.FromSeconds(20)).ShouldNotBeNull();
    }
}
