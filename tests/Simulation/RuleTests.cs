using Gossip.Swim;
using Gossip.Wire;
using Shouldly;
using Xunit;

namespace Simulation;

/// <summary>The small parts by themselves.</summary>
public sealed class RuleTests
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    [Theory]
    [InlineData(1, 4)]
    [InlineData(10, 4)]
    [InlineData(100, 8)]
    [InlineData(1_000, 12)]
    [InlineData(10_000, 16)]
    public void The_shortest_suspicion_grows_with_the_logarithm_of_the_pool(int members, double seconds) =>
        SwimScale.SuspicionTimeout(4, members, Second).TotalSeconds.ShouldBe(seconds, 0.01);

    [Theory]
    [InlineData(32, 30)]
    [InlineData(33, 60)]
    [InlineData(65, 90)]
    [InlineData(1_024, 180)]
    public void Push_pull_becomes_rarer_with_each_doubling(int members, double seconds) =>
        SwimScale.PushPullInterval(30 * Second, members).TotalSeconds.ShouldBe(seconds);

    [Theory]
    [InlineData(1, 4)]
    [InlineData(9, 4)]
    [InlineData(10, 8)]
    [InlineData(99, 8)]
    [InlineData(100, 12)]
    public void News_is_sent_a_logarithmic_number_of_times(int members, int times) =>
        SwimScale.RetransmitLimit(4, members).ShouldBe(times);

    [Fact]
    public void A_suspicion_is_shortened_by_other_accusers_and_only_by_them()
    {
        var suspicion = new Suspicion("x", "a", wanted: 2, 4 * Second, 24 * Second, now: default);
        suspicion.Ends.TotalSeconds.ShouldBe(24);
        suspicion.Confirm("a").ShouldBeFalse();
        suspicion.Confirm("b").ShouldBeTrue();
        suspicion.Ends.TotalSeconds.ShouldBe(24 - (20 * Math.Log(2) / Math.Log(3)), 0.01);
        suspicion.Confirm("c").ShouldBeTrue();
        suspicion.Ends.TotalSeconds.ShouldBe(4);
        suspicion.Confirm("d").ShouldBeFalse();
    }

    [Fact]
    public void Newer_news_of_a_member_replaces_older_and_says_so()
    {
        var queue = new BroadcastQueue(4, () => 10);
        var replaced = false;
        queue.Enqueue("a", new Nack(1), 10, () => replaced = true);
        queue.Enqueue("a", new Nack(2), 10);
        replaced.ShouldBeTrue();
        Collect(queue, 100).ShouldBe([2u]);
    }

    [Fact]
    public void News_sent_least_often_goes_first_and_the_largest_that_fits_before_smaller()
    {
        var queue = new BroadcastQueue(4, () => 10);
        queue.Enqueue("a", new Nack(1), 50);
        Collect(queue, 100).ShouldBe([1u]);
        queue.Enqueue("b", new Nack(2), 30);
        queue.Enqueue("c", new Nack(3), 60);
        queue.Enqueue("d", new Nack(4), 200);
        Collect(queue, 100).ShouldBe([3u, 2u]);
    }

    [Fact]
    public void News_is_dropped_when_sent_often_enough()
    {
        var queue = new BroadcastQueue(4, () => 9);
        var finished = false;
        queue.Enqueue("a", new Nack(1), 10, () => finished = true);
        for (var i = 0; i < 4; i++)
        {
            finished.ShouldBeFalse();
            Collect(queue, 100).ShouldBe([1u]);
        }
        finished.ShouldBeTrue();
        queue.Count.ShouldBe(0);
    }

    [Fact]
    public void The_queue_is_bounded()
    {
        var queue = new BroadcastQueue(4, () => 9);
        for (var i = 0u; i < SwimLimits.BroadcastsMax + 10; i++)
        {
            queue.Enqueue(name: null, new Nack(i), 10);
        }
        queue.Count.ShouldBe(SwimLimits.BroadcastsMax);
    }

    private static uint[] Collect(BroadcastQueue queue, int bytes)
    {
        var packet = new List<SwimMessage>();
        queue.Collect(2, bytes, packet);
        return [.. packet.Cast<Nack>().Select(nack => nack.SequenceNumber)];
    }
}
