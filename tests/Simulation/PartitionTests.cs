using Gossip.Wire;
using Shouldly;
using Xunit;

namespace Simulation;

/// <summary>Networks that are cut in two, in one direction only, or for some alone.</summary>
public sealed class PartitionTests
{
    [Theory]
    [InlineData(3, 60)]
    [InlineData(10, 60)]
    [InlineData(10, 600)]
    [InlineData(100, 120)]
    public void Halves_of_a_pool_are_one_again_soon_after_the_cut_is_healed(int members, int secondsCut)
    {
        var times = new List<double>();
        for (var seed = 0; seed < 10; seed++)
        {
            var network = SimNetwork.Settled(71 + seed, members);
            network.Faults = new SimFaults { IsCut = (from, to) => from < members / 2 != to < members / 2 };
            network.Advance(TimeSpan.FromSeconds(secondsCut));
            network["m0"].Core.Members().Count(member => member.State == MemberState.Alive)
                .ShouldBe(members / 2);
            network.Faults = new SimFaults();
            times.Add(network.Until(network.IsConverged, TimeSpan.FromSeconds(60)).ShouldNotBeNull().TotalSeconds);
        }
        var median = Figures.Percentile(times, 0.5);
        Figures.Print(
            $"N={members}, cut for {secondsCut} s: one again, median {median:f1} s, slowest {times[^1]:f1} s");
        times[^1].ShouldBeLessThanOrEqualTo(10);
    }

    [Fact]
    public void A_cut_between_two_members_alone_harms_nobody()
    {
        var network = SimNetwork.Settled(seed: 72, 10);
        network.Faults = new SimFaults { IsCut = (from, to) => (from, to) is (1, 2) or (2, 1) };
        network.Advance(TimeSpan.FromSeconds(120));
        network.Members.ShouldAllBe(member => member.Gone.Count == 0);
    }

    [Fact]
    public void Who_is_heard_but_hears_nothing_is_found_dead_and_does_not_take_others_with_it()
    {
        var network = SimNetwork.Settled(seed: 73, 10);
        network.Faults = new SimFaults { IsCut = (_, to) => to == 4 };
        network.Advance(TimeSpan.FromSeconds(60));
        network.Members.Where(member => member.Index != 4)
            .ShouldAllBe(member => member.Core.Find("m4") == null || member.Core.Find("m4")!.IsGone);
        network.Members.Where(member => member.Index != 4).SelectMany(member => member.Gone)
            .ShouldAllBe(name => name == "m4");
        network.Faults = new SimFaults();
        network.Until(network.IsConverged, TimeSpan.FromSeconds(15)).ShouldNotBeNull();
    }
}
