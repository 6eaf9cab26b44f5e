using Gossip.Swim;
using Shouldly;
using Xunit;

namespace Simulation;

/// <summary>
/// What a member costs when nothing happens. Sizes are estimates of memberlist's encoding, encrypted.
/// </summary>
public sealed class LoadTests
{
    [Theory]
    [InlineData(10)]
    [InlineData(100)]
    [InlineData(1_000)]
    public void A_quiet_pool_costs_each_member_a_few_packets_each_second(int members)
    {
        const int Seconds = 300;
        var network = SimNetwork.Settled(seed: 41, members);
        network.Advance(TimeSpan.FromSeconds(members == 1_000 ? 60 : Seconds));
        var seconds = network.Now.TotalSeconds;
        var packets = network.Members.Sum(member => member.PacketsSent) / seconds / members;
        var bytes = network.Members.Sum(member => member.BytesSent) / seconds / members;
        Figures.Print($"N={members}: {packets:f1} packets/s, {bytes / 1024:f2} KiB/s for each member");
        packets.ShouldBeLessThanOrEqualTo(20);
        bytes.ShouldBeLessThanOrEqualTo(30_000);
    }

    [Fact]
    public void A_member_that_is_alone_sleeps_though_it_has_news_to_tell()
    {
        var network = new SimNetwork(seed: 42);
        var alone = network.Add("alone", Hasty);
        alone.Start();
        network.Advance(TimeSpan.FromSeconds(1));
        alone.Core.QueuedBroadcasts.ShouldBeGreaterThan(0);
        var before = alone.Wakes;
        network.Advance(TimeSpan.FromMinutes(10));
        // Only to look whether there is somebody to exchange everything with.
        (alone.Wakes - before).ShouldBeLessThanOrEqualTo(600 / 30);
    }

    [Fact]
    public void What_a_member_had_to_tell_while_it_was_alone_is_told_to_who_comes()
    {
        var network = new SimNetwork(seed: 43);
        var first = network.Add("first", Hasty);
        first.Start();
        network.Advance(TimeSpan.FromMinutes(1));
        first.Do(core => core.UpdateMeta(new byte[] { 7 }, network.Now));
        network.Advance(TimeSpan.FromMinutes(1));
        var second = network.Add("second", Hasty);
        second.Start();
        second.Join(first);
        network.Until(() => first.Core.MemberCount == 2, TimeSpan.FromSeconds(5)).ShouldNotBeNull();
        network.Until(() => first.Core.QueuedBroadcasts == 0, TimeSpan.FromSeconds(5)).ShouldNotBeNull();
        second.Core.Find("first")!.Meta.ToArray().ShouldBe([7]);
    }

    [Fact]
    public void Who_failed_long_ago_is_not_kept_awake_for()
    {
        var network = SimNetwork.Settled(seed: 44, members: 2, configure: Hasty);
        network["m1"].Kill();
        network.Advance(TimeSpan.FromMinutes(2));
        var stays = network["m0"];
        stays.Do(core => core.UpdateMeta(new byte[] { 7 }, network.Now));
        stays.Core.QueuedBroadcasts.ShouldBeGreaterThan(0);
        var before = stays.Wakes;
        network.Advance(TimeSpan.FromMinutes(10));

        // A ping to who failed, now and then, and its timeout.
        Figures.Print($"the last of two wakes {(stays.Wakes - before) / 600.0:f1} times a second");
        (stays.Wakes - before).ShouldBeLessThanOrEqualTo(2 * 600);
    }

    /// <summary>As agents started by -dev are: everything each 100 ms.</summary>
    private static SwimConfig Hasty(SwimConfig config) => config with
    {
        GossipInterval = TimeSpan.FromMilliseconds(100),
        ProbeInterval = TimeSpan.FromMilliseconds(100),
        ProbeTimeout = TimeSpan.FromMilliseconds(50),
    };
}
