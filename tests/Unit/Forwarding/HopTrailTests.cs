using Praetor.Agent.Forwarding;
using Shouldly;
using Xunit;

namespace Unit.Forwarding;

public sealed class HopTrailTests
{
    private static readonly Hop Client = new("c1", "dc1", IsServer: false);
    private static readonly Hop Follower = new("s1", "dc1", IsServer: true);
    private static readonly Hop Leader = new("s2", "dc1", IsServer: true);
    private static readonly Hop Far = new("s1", "dc2", IsServer: true);
    private static readonly Hop FarLeader = new("s2", "dc2", IsServer: true);

    [Fact]
    public void The_longest_way_is_to_a_server_its_leader_across_and_the_leader_there()
    {
        Of().MayPass(Client, "dc1").ShouldBeTrue();
        Of(Client).MayPass(Follower, "dc1").ShouldBeTrue();
        Of(Client).MayPass(Follower, "dc2").ShouldBeTrue();
        Of(Client, Follower).MayPass(Leader, "dc2").ShouldBeTrue();
        Of(Client, Follower, Leader).MayPass(Far, "dc2").ShouldBeTrue();
        Of(Client, Follower, Leader, Far).MayPass(FarLeader, "dc2").ShouldBeFalse();
    }

    [Fact]
    public void A_server_that_got_it_from_a_server_of_its_datacenter_does_not_pass_it_on_there() =>
        Of(Client, Follower).MayPass(Leader, "dc1").ShouldBeFalse();

    [Fact]
    public void What_came_from_another_datacenter_goes_to_no_third_and_not_back()
    {
        Of(Follower).MayPass(Far, "dc3").ShouldBeFalse();
        Of(Follower).MayPass(Far, "dc1").ShouldBeFalse();
        Of(Follower).MayPass(Far, "dc2").ShouldBeTrue();
    }

    [Fact]
    public void Nobody_is_on_the_way_twice() => Of(Follower).MayPass(Follower, "dc2").ShouldBeFalse();

    [Fact]
    public void Every_walk_over_wrong_lists_of_members_ends_after_four_hops()
    {
        var random = new Random(7);
        var agents = Enumerable.Range(0, 12)
            .Select(n => new Hop($"n{n}", $"dc{n % 3}", n >= 3)).ToArray();
        for (var walk = 0; walk < 10_000; walk++)
        {
            var trail = HopTrail.None;
            var hops = 0;
            while (agents[random.Next(agents.Length)] is var by && trail.MayPass(by, $"dc{random.Next(3)}"))
            {
                HopTrail.TryParse(trail.With(by), out trail).ShouldBeTrue();
                (++hops).ShouldBeLessThanOrEqualTo(4);
            }
        }
    }

    [Fact]
    public void A_trail_is_read_as_it_was_written()
    {
        var odd = new Hop("n,1@x y", "dc-1", IsServer: true);
        HopTrail.TryParse(Of(Client).With(odd), out var read).ShouldBeTrue();
        read.Hops.ShouldBe([Client, odd]);
    }

    [Theory]
    [InlineData("x")]
    [InlineData("c:@dc1")]
    [InlineData("c:n@")]
    [InlineData("q:n@dc1")]
    [InlineData("c:a@d,c:a@d,c:a@d,c:a@d,c:a@d")]
    public void What_is_no_trail_is_refused(string text) => HopTrail.TryParse(text, out _).ShouldBeFalse();

    private static HopTrail Of(params Hop[] hops) => new(hops);
}
