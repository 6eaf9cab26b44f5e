using Praetor.Proxy.Control;
using Shouldly;
using Xunit;

namespace Unit.Proxy;

public sealed class StandInTurnTests
{
    private readonly StandInTurn _turn = new();
    private bool _isRoleTaken;
    private bool _isUpstreamTaken;

    [Fact]
    public void It_serves_when_nobody_else_does() => At(0).ShouldBeTrue();

    [Fact]
    public void It_stands_by_while_another_serves_and_takes_over_when_that_ends()
    {
        _isRoleTaken = true;
        At(0).ShouldBeFalse();
        At(1000).ShouldBeFalse();
        _isRoleTaken = false;
        At(1001).ShouldBeTrue();
    }

    [Fact]
    public void A_claim_makes_room_and_who_arrived_and_ended_is_followed_at_once()
    {
        At(0).ShouldBeTrue();
        _turn.Claim(Seconds(1), isFollowing: true).ShouldBeTrue();
        At(1).ShouldBeFalse();
        _isRoleTaken = true;
        At(2).ShouldBeFalse();
        _isRoleTaken = false;
        At(3).ShouldBeTrue();
    }

    [Fact]
    public void An_upstream_that_is_held_already_keeps_the_place_for_who_is_arriving()
    {
        At(0).ShouldBeTrue();
        _turn.Claim(Seconds(1), isFollowing: false).ShouldBeTrue();
        At(1).ShouldBeFalse();
        _isUpstreamTaken = true;
        At(30).ShouldBeFalse();
        _isUpstreamTaken = false;
        At(31).ShouldBeTrue();
    }

    [Fact]
    public void Somebody_elses_upstream_port_alone_does_not_keep_it_from_starting()
    {
        _isUpstreamTaken = true;
        At(0).ShouldBeTrue();
    }

    [Theory]
    [InlineData(false, 3)]
    [InlineData(true, 10)]
    public void A_claim_that_nobody_makes_true_ends(bool isFollowing, int seconds)
    {
        At(0).ShouldBeTrue();
        _turn.Claim(Seconds(0), isFollowing);
        At(0).ShouldBeFalse();
        At(seconds - 1).ShouldBeFalse();
        At(seconds).ShouldBeTrue();
    }

    [Fact]
    public void After_a_look_that_meant_nothing_looks_are_not_believed_for_a_minute_but_followers_are()
    {
        At(0).ShouldBeTrue();
        _turn.Claim(Seconds(0), isFollowing: false);
        At(0).ShouldBeFalse();
        At(3).ShouldBeTrue();

        _turn.Claim(Seconds(4), isFollowing: false).ShouldBeFalse();
        At(4).ShouldBeTrue();
        _turn.Claim(Seconds(5), isFollowing: true).ShouldBeTrue();
        At(5).ShouldBeFalse();
        At(15).ShouldBeTrue();
        _turn.Claim(Seconds(75), isFollowing: false).ShouldBeTrue();
        At(75).ShouldBeFalse();
    }

    [Fact]
    public void A_claim_before_the_start_is_heard()
    {
        _turn.Claim(Seconds(0), isFollowing: true);
        At(1).ShouldBeFalse();
        At(11).ShouldBeTrue();
    }

    private static TimeSpan Seconds(int seconds) => TimeSpan.FromSeconds(seconds);

    private bool At(int seconds) =>
        _turn.Serves(Seconds(seconds), () => _isRoleTaken, () => _isRoleTaken || _isUpstreamTaken);
}
