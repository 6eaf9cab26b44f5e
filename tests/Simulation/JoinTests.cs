using Shouldly;
using Xunit;

namespace Simulation;

/// <summary>Members come together, go, and come back.</summary>
public sealed class JoinTests
{
    [Fact]
    public void Five_hundred_members_that_start_together_know_each_other_within_half_a_minute()
    {
        var network = new SimNetwork(seed: 51);
        var random = new Random(51);
        for (var i = 0; i < 500; i++)
        {
            network.Add($"m{i}");
        }
        foreach (var member in network.Members)
        {
            network.Advance(TimeSpan.FromMilliseconds(random.Next(20)));
            member.Start();
            member.Join(network.Members[0]);
        }
        var time = network.Until(network.IsConverged, TimeSpan.FromSeconds(30));
        Figures.Print($"500 members, started within {network.Now - time} s, converged {time} after the last start");
        time.ShouldNotBeNull();
        network.Members.ShouldAllBe(member => member.Gone.Count == 0);
    }

    [Fact]
    public void A_join_tells_when_the_seed_does_not_answer()
    {
        var network = new SimNetwork(seed: 52);
        var (a, b) = (network.Add("a"), network.Add("b"));
        a.Start();
        a.Join(b);
        network.Advance(TimeSpan.FromSeconds(20));
        a.Joins.ShouldHaveSingleItem().ShouldBe("timed out");
    }

    [Fact]
    public void Who_leaves_is_known_to_have_left_and_not_to_have_failed()
    {
        var network = SimNetwork.Settled(seed: 53, 20);
        var leaver = network["m7"];
        leaver.Do(core => core.Leave(network.Now));
        network.Until(() => leaver.HasLeaveSpread, TimeSpan.FromSeconds(5)).ShouldNotBeNull();
        leaver.Kill();
        network.Advance(TimeSpan.FromSeconds(20));
        network.Running.ShouldAllBe(member => member.Gone.Count == 1);
        network.Running.ShouldAllBe(member => member.Suspicions == 0);
    }

    [Fact]
    public void Somebody_alone_has_nobody_to_tell_that_it_leaves()
    {
        var network = new SimNetwork(seed: 54);
        var alone = network.Add("a");
        alone.Start();
        alone.Do(core => core.Leave(network.Now));
        alone.HasLeaveSpread.ShouldBeTrue();
    }

    [Fact]
    public void Who_restarts_at_once_is_welcome_though_others_know_a_higher_incarnation()
    {
        var network = SimNetwork.Settled(seed: 55, 5);
        network["m1"].Do(core => core.UpdateMeta(new byte[] { 1 }, network.Now));
        network["m1"].Do(core => core.UpdateMeta(new byte[] { 2 }, network.Now));
        network.Advance(TimeSpan.FromSeconds(3));
        network["m1"].Kill();
        network["m1"].Start();
        network["m1"].Join(network["m0"]);
        network.Until(
            () => network.Members.All(member => member.Core.Find("m1")!.Meta.IsEmpty),
            TimeSpan.FromSeconds(5)).ShouldNotBeNull();
    }
}
