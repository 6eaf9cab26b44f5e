using Praetor.Agent.Cluster;
using Praetor.Agent.Membership;
using Praetor.Server.Autopilot;
using Shouldly;
using Xunit;

namespace Unit.Cluster;

/// <summary>Who is healthy, who gets a vote, who is taken out.</summary>
public sealed class AutopilotTests
{
    private static readonly TimeSpan Beat = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    private readonly Autopilot _autopilot = new(Beat);
    private AutopilotConfiguration _rules = new();
    private DateTimeOffset _now = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private readonly List<ServerSight> _seen = [Server(1) with { IsSelf = true, Report = null }, Server(2), Server(3)];

    [Fact]
    public void Three_servers_that_keep_up_are_healthy_and_one_of_them_may_fail()
    {
        Look().ShouldBeNull();
        _autopilot.Health.IsHealthy.ShouldBeTrue();
        _autopilot.Health.FailureTolerance.ShouldBe(1);
        _autopilot.Health.Servers.Single(static s => s.IsLeader).Id.ShouldBe("id1");
    }

    [Theory]
    [InlineData(650, 7, 100, true)]
    [InlineData(800, 7, 100, false)]
    [InlineData(100, 6, 100, false)]
    [InlineData(100, 7, 49, false)]
    [InlineData(100, 7, 50, true)]
    public void Who_hears_late_follows_another_leader_or_is_far_behind_is_not_healthy(
        int silence, ulong term, ulong index, bool isHealthy)
    {
        _rules = _rules with { MaxTrailingLogs = 50 };
        _seen[2] = _seen[2] with { Report = new ServerReport(HasState: true, term, index, silence) };
        Look();
        _autopilot.Health.Servers[2].IsHealthy.ShouldBe(isHealthy);
        _autopilot.Health.FailureTolerance.ShouldBe(isHealthy ? 1 : 0);
    }

    [Fact]
    public void One_answer_that_is_lost_makes_nobody_unhealthy_and_silence_does()
    {
        Look();
        _seen[1] = _seen[1] with { Report = null };
        After(1);
        _autopilot.Health.IsHealthy.ShouldBeTrue();
        After(2);
        _autopilot.Health.IsHealthy.ShouldBeFalse();
        _autopilot.Health.Servers[1].StableSince.ShouldBe(_now);
    }

    [Fact]
    public void A_new_server_gets_its_vote_when_it_was_healthy_for_the_stabilization_time()
    {
        _seen.Add(Learner(4));
        After(9).ShouldBeNull();
        After(1).ShouldBe(new CareDeed(4, "s4", CareKind.Promote));
    }

    [Fact]
    public void A_new_server_that_was_away_meanwhile_begins_anew()
    {
        _seen.Add(Learner(4));
        After(5).ShouldBeNull();
        _seen[3] = _seen[3] with { Status = MemberStatus.Failed };
        After(1).ShouldBeNull();
        _seen[3] = Learner(4);
        After(9).ShouldBeNull();
        After(2)!.Kind.ShouldBe(CareKind.Promote);
    }

    [Fact]
    public void Of_three_a_dead_server_stays_until_another_votes_in_its_place()
    {
        _seen[2] = Dead(3);
        After(60).ShouldBeNull();
        _seen.Add(Server(4));
        After(1).ShouldBe(new CareDeed(3, "s3", CareKind.RemoveFailed));
    }

    [Fact]
    public void Of_five_a_dead_server_goes_when_it_was_dead_for_the_stabilization_time()
    {
        _seen.AddRange([Server(4), Dead(5)]);
        Look().ShouldBeNull();
        After(9).ShouldBeNull();
        After(1).ShouldBe(new CareDeed(5, "s5", CareKind.RemoveFailed));
    }

    [Fact]
    public void No_dead_server_goes_when_cleaning_is_off_or_too_few_would_stay()
    {
        _seen.AddRange([Server(4), Dead(5)]);
        _rules = _rules with { CleanupDeadServers = false };
        After(20).ShouldBeNull();
        _rules = new AutopilotConfiguration { MinQuorum = 5 };
        After(20).ShouldBeNull();
        _rules = new AutopilotConfiguration { MinQuorum = 4 };
        After(1)!.Kind.ShouldBe(CareKind.RemoveFailed);
    }

    [Fact]
    public void Half_of_the_servers_never_goes_however_dead_they_are()
    {
        _seen.AddRange([Dead(4), Dead(5)]);
        After(600).ShouldBeNull();
    }

    [Fact]
    public void Who_left_goes_at_once_also_the_second_of_two()
    {
        _seen.RemoveAt(2);
        _seen[1] = _seen[1] with { Status = MemberStatus.Left };
        Look().ShouldBe(new CareDeed(2, "s2", CareKind.RemoveLeft));
    }

    [Fact]
    public void Who_left_stays_as_long_as_too_few_of_the_others_answer()
    {
        _seen[1] = _seen[1] with { Status = MemberStatus.Left };
        _seen[2] = _seen[2] with { Report = null };
        Look().ShouldBeNull();
        _seen[2] = Server(3);
        Look()!.Kind.ShouldBe(CareKind.RemoveLeft);
    }

    [Fact]
    public void A_server_that_was_added_and_never_came_makes_room_after_a_minute()
    {
        _seen.Add(Learner(4) with { Id = "", Name = "(unknown)", Status = MemberStatus.None, Report = null });
        After(59).ShouldBeNull();
        After(1)!.Kind.ShouldBe(CareKind.RemoveFailed);
        _autopilot.Health.Servers.Count.ShouldBe(3);
    }

    private static ServerSight Server(ulong number) => new()
    {
        MemberId = number,
        Id = $"id{number}",
        Name = $"s{number}",
        Address = $"10.0.0.{number}:8300",
        IsVoter = true,
        IsSelf = false,
        Status = MemberStatus.Alive,
        Report = new ServerReport(HasState: true, 7, 100, 300),
    };

    private static ServerSight Learner(ulong number) => Server(number) with
    {
        IsVoter = false, Report = new ServerReport(HasState: false, 0, 0, 0),
    };

    private static ServerSight Dead(ulong number) => Server(number) with
    {
        Status = MemberStatus.Failed, Report = null,
    };

    private CareDeed? Look() => _autopilot.Look(_now, _seen, (7, 100), _rules);

    // Second by second, as the leader looks.
    private CareDeed? After(int seconds)
    {
        CareDeed? deed = null;
        for (var i = 0; i < seconds; i++)
        {
            if (i == 0)
            {
                deed ??= Look();
            }

            _now += Second;
            deed ??= Look();
        }

        return deed;
    }
}
