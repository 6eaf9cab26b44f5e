using Gossip.Wire;
using Shouldly;
using Xunit;

namespace Simulation;

/// <summary>A name at another address: a replaced machine, or two that quarrel over a name.</summary>
public sealed class ReplacementTests
{
    [Theory]
    [InlineData(3, 0)]
    [InlineData(5, 0)]
    [InlineData(10, 0)]
    [InlineData(10, 5)]
    [InlineData(100, 5)]
    public void A_replaced_machine_is_known_everywhere_soon_under_its_old_name(int members, int secondsLater)
    {
        var times = new List<double>();
        for (var seed = 0; seed < 20; seed++)
        {
            var network = SimNetwork.Settled(61 + seed, members);
            network.Advance(TimeSpan.FromSeconds(2));
            network["m1"].Kill();
            network.Advance(TimeSpan.FromSeconds(secondsLater));
            var replacement = network.Add("m1");
            replacement.Start();
            replacement.Join(network["m0"]);
            var time = network.Until(network.IsConverged, TimeSpan.FromSeconds(60));
            times.Add(time.ShouldNotBeNull($"seed {61 + seed}").TotalSeconds);
        }
        var median = Figures.Percentile(times, 0.5);
        Figures.Print(
            $"N={members}, replaced {secondsLater} s after death: median {median:f1} s, slowest {times[^1]:f1} s");
        median.ShouldBeLessThanOrEqualTo(10);
    }

    [Fact]
    public void A_name_that_is_in_use_is_refused_and_the_newcomer_hears_of_it()
    {
        var network = SimNetwork.Settled(seed: 62, 5);
        var holder = network["m1"];
        var impostor = network.Add("m1");
        impostor.Start();
        impostor.Join(network["m0"]);
        network.Advance(TimeSpan.FromSeconds(30));
        network.Members.Where(member => member != impostor)
            .ShouldAllBe(member => member.Core.Find("m1")!.Address.Equals(holder.Address));
        network["m0"].Conflicts.ShouldBeGreaterThan(0);
        impostor.Conflicts.ShouldBeGreaterThan(0);
    }

    [Fact]
    public void A_member_that_left_may_come_back_elsewhere_at_once()
    {
        var network = SimNetwork.Settled(seed: 63, 5);
        network["m1"].Do(core => core.Leave(network.Now));
        network.Advance(TimeSpan.FromSeconds(2));
        network["m1"].Kill();
        var moved = network.Add("m1");
        moved.Start();
        moved.Join(network["m0"]);
        network.Until(network.IsConverged, TimeSpan.FromSeconds(5)).ShouldNotBeNull();
        network["m0"].Core.Find("m1")!.State.ShouldBe(MemberState.Alive);
    }
}
