using System.Net;
using Praetor.Proxy.Balancing;
using Shouldly;
using Xunit;

namespace Unit.Proxy;

public sealed class BalancingTests
{
    private readonly Random _random = new(1);
    private readonly StoppedClock _clock = new();

    [Fact]
    public void The_instance_with_the_fewest_connections_is_taken()
    {
        var (one, two, three) = (At(1), At(2), At(3));
        one.Take();
        three.Take();
        for (var i = 0; i < 20; i++)
        {
            new LeastConnections().Pick([one, two, three], _random).ShouldBe(two);
        }
    }

    [Fact]
    public void Equal_instances_share_evenly()
    {
        Instance[] all = [At(1), At(2), At(3)];
        for (var i = 0; i < 300; i++)
        {
            new LeastConnections().Pick(all, _random).Take();
        }

        all.ShouldAllBe(static i => i.Active == 100);
    }

    [Fact]
    public void The_less_loaded_of_two_by_chance_keeps_the_load_nearly_even()
    {
        var all = Enumerable.Range(1, 10).Select(At).ToArray();
        for (var i = 0; i < 10_000; i++)
        {
            new RandomTwo().Pick(all, _random).Take();
        }

        all.Max(static i => i.Active).ShouldBeLessThan(1_050);
    }

    [Fact]
    public void An_instance_that_failed_is_left_out_for_a_while()
    {
        var set = SetOf(At(1), At(2));
        var dead = set.Pick(_random, []).ShouldNotBeNull();
        dead.Fail(_clock.GetTimestamp());
        for (var i = 0; i < 20; i++)
        {
            set.Pick(_random, []).ShouldNotBe(dead);
        }

        _clock.Advance(TimeSpan.FromSeconds(4));
        Enumerable.Range(0, 50).Select(_ => set.Pick(_random, [])).ShouldContain(dead);
    }

    [Fact]
    public void When_all_failed_they_are_tried_all_the_same()
    {
        var only = At(1);
        var set = SetOf(only);
        only.Fail(_clock.GetTimestamp());
        set.Pick(_random, []).ShouldBe(only);
        set.Pick(_random, [only]).ShouldBeNull();
    }

    [Fact]
    public void Instances_that_stay_keep_their_counts()
    {
        var stays = At(1);
        var set = SetOf(stays, At(2));
        stays.Take();
        set.Update([At(3), At(1)]);
        set.Count.ShouldBe(2);
        set.Pick(_random, []).ShouldNotBeNull().EndPoint.Port.ShouldBe(3);
        set.Pick(_random, [set.Pick(_random, [])!]).ShouldBe(stays);
    }

    [Fact]
    public void The_same_address_of_another_service_is_another_instance()
    {
        var old = At(1);
        old.Take();
        var set = SetOf(old);
        set.Update([new Instance(old.EndPoint, "other", "dc1")]);
        set.Pick(_random, []).ShouldNotBeNull().Active.ShouldBe(0);
    }

    [Fact]
    public void Nothing_is_known_before_the_agent_has_answered()
    {
        var set = new InstanceSet(_clock);
        set.IsKnown.ShouldBeFalse();
        set.Update([]);
        set.IsKnown.ShouldBeTrue();
        set.Pick(_random, []).ShouldBeNull();
    }

    private static Instance At(int port) => new(new IPEndPoint(IPAddress.Loopback, port), "web", "dc1");

    private InstanceSet SetOf(params Instance[] all)
    {
        var set = new InstanceSet(_clock);
        set.Update(all);
        return set;
    }

    private sealed class StoppedClock : TimeProvider
    {
        private long _now;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => _now;

        public void Advance(TimeSpan span) => _now += span.Ticks;
    }
}
