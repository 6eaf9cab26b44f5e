using Praetor.Agent.Cluster;
using Shouldly;
using Support;
using Xunit;

namespace Unit.Etcd;

/// <summary>What is said of an etcd in trouble, and when it counts as hung.</summary>
public sealed class EtcdTroubleTests
{
    private const long Plenty = 10L << 30;
    private const string Full = "no space left on device";

    private static readonly EtcdChildStatus Well = new(EtcdChildPhase.Ready, 7, 0, "");
    private static readonly EtcdChildStatus Down = new(EtcdChildPhase.Waiting, 0, 3, "code 2: panic: tocommit");

    [Fact]
    public void An_etcd_that_is_well_is_in_no_trouble() =>
        EtcdTrouble.Of(Well, TimeSpan.MaxValue, "", Plenty).ShouldBeNull();

    [Fact]
    public void The_end_of_an_etcd_is_told_for_a_while()
    {
        EtcdTrouble.Of(Down, TimeSpan.FromSeconds(9), "", Plenty)!.ShouldContain("ended with code 2: panic");
        EtcdTrouble.Of(Down, TimeSpan.FromSeconds(11), "", Plenty).ShouldBeNull();
    }

    [Theory]
    [InlineData("write /data/wal: no space left on device", 10L << 30)]
    [InlineData("", 1000L)]
    [InlineData("", 0L)]
    public void A_full_disk_is_named_before_its_etcd_has_ended_and_whatever_it_ended_with(string said, long free)
    {
        EtcdTrouble.Of(Well, TimeSpan.MaxValue, said, free)!.ShouldContain(Full);
        EtcdTrouble.Of(Down, TimeSpan.FromSeconds(1), said, free)!.ShouldContain(Full);
    }

    [Fact]
    public void A_disk_that_nobody_can_look_at_is_not_called_full() =>
        EtcdTrouble.Of(Well, TimeSpan.MaxValue, "", freeBytes: null).ShouldBeNull();

    [Fact]
    public void The_room_on_a_disk_can_be_told() => DiskSpace.FreeBytes("/").ShouldNotBeNull().ShouldBePositive();

    [Fact]
    public void One_that_is_silent_is_told_once_and_ended_after_a_minute()
    {
        var time = new ManualTime();
        var watch = new HungWatch(time);
        watch.Missed().ShouldBe(HungVerdict.Say);
        time.Advance(TimeSpan.FromSeconds(59));
        watch.Missed().ShouldBe(HungVerdict.Wait);
        time.Advance(TimeSpan.FromSeconds(1));
        watch.Missed().ShouldBe(HungVerdict.Kill);
        watch.Heard();
        watch.Missed().ShouldBe(HungVerdict.Say);
    }

    [Fact]
    public void One_that_is_known_to_be_silent_is_left_alone_until_it_should_have_ended()
    {
        var time = new ManualTime();
        var watch = new HungWatch(time);
        using var silence = watch.Expect(TimeSpan.FromMinutes(5));
        for (var minute = 0; minute < 5; minute++)
        {
            watch.Missed().ShouldBe(HungVerdict.Wait);
            time.Advance(TimeSpan.FromMinutes(1));
        }

        // From here on as ever.
        watch.Missed().ShouldBe(HungVerdict.Kill);
        silence.Dispose();
        watch.Heard();
        time.Advance(TimeSpan.FromSeconds(1));
        watch.Missed().ShouldBe(HungVerdict.Say);
    }
}
