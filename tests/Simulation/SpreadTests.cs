using Gossip.Wire;
using Shouldly;
using Xunit;

namespace Simulation;

/// <summary>How soon news reaches everybody.</summary>
public sealed class SpreadTests
{
    [Theory]
    [InlineData(3, 1)]
    [InlineData(10, 1)]
    [InlineData(100, 2)]
    [InlineData(1_000, 2.5)]
    public void News_reaches_everybody_soon_though_a_quarter_of_the_packets_is_lost(int members, double seconds)
    {
        var loss = new SimFaults { Loss = 0.25 };
        var lossless = Figures.Percentile(Measure(members, new SimFaults()), 0.5);
        var times = Measure(members, loss);
        var median = Figures.Percentile(times, 0.5);
        Figures.Print($"N={members}: 99.99 % informed, median {lossless:f2} s at no loss, {median:f2} s at 25 %");
        median.ShouldBeLessThanOrEqualTo(seconds);
    }

    [Fact]
    public void News_reaches_ten_thousand_soon()
    {
        LongRun.Require();
        News_reaches_everybody_soon_though_a_quarter_of_the_packets_is_lost(10_000, 3.5);
    }

    private static List<double> Measure(int members, SimFaults faults)
    {
        var times = new List<double>();
        var network = SimNetwork.Settled(seed: 3, members);
        var random = new Random(9);
        var wanted = (int)Math.Ceiling(members * 0.9999);
        for (var i = 0; i < 9; i++)
        {
            // Measured one by one: suspicions that loss itself causes would be other news.
            network.Advance(TimeSpan.FromSeconds(5));
            network.Faults = faults;
            var source = network.Members[random.Next(members)];
            source.Do(core => core.UpdateMeta(new[] { (byte)i }, network.Now));
            var number = source.Core.Self.Incarnation;
            var time = network.Until(
                () => network.Members.Count(
                    member => member.Core.Find(source.Name)?.Incarnation >= number) >= wanted,
                TimeSpan.FromSeconds(30));
            times.Add(time.ShouldNotBeNull().TotalSeconds);
            network.Faults = new SimFaults();
        }
        return times;
    }
}
