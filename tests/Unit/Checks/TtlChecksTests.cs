using Praetor.Agent.Checks;
using Shouldly;
using Support;
using Xunit;

namespace Unit.Checks;

public sealed class TtlChecksTests
{
    private static readonly TimeSpan Ttl = TimeSpan.FromSeconds(10);
    private readonly ManualTime _time = new();
    private readonly RecordingSink _sink = new();
    private readonly TtlChecks _checks;

    public TtlChecksTests() => _checks = new TtlChecks(_sink, new Deadlines(_time), _time);

    [Fact]
    public void A_silent_target_becomes_critical_once()
    {
        _checks.Put(Spec());
        _time.Advance(Ttl * 3);
        _sink.All.ShouldBe([new("t", CheckStatus.Critical, "TTL expired")]);
    }

    [Fact]
    public void A_report_buys_another_ttl_and_is_quoted_when_that_ends()
    {
        _checks.Put(Spec());
        _time.Advance(Ttl * 0.9);
        _checks.Report("t", CheckStatus.Warning, "hm").ShouldBeTrue();
        _time.Advance(Ttl * 0.9);
        _sink.All.ShouldBe([new("t", CheckStatus.Warning, "hm")]);
        _time.Advance(Ttl);
        _sink.Last.ShouldBe(
            new("t", CheckStatus.Critical, "TTL expired (last output before timeout follows): hm"));
    }

    [Fact]
    public void A_long_output_is_cut_and_says_so()
    {
        _checks.Put(Spec() with { OutputMaxSize = 20 });
        _checks.Report("t", CheckStatus.Passing, new string('q', 5000));
        _sink.Last.Output.ShouldBe(new string('q', 20) + " ... (captured 20 of 5000 bytes)");
    }

    [Fact]
    public void An_unknown_check_takes_no_report() =>
        _checks.Report("nope", CheckStatus.Passing, "").ShouldBeFalse();

    [Fact]
    public void A_removed_check_never_expires()
    {
        _checks.Put(Spec());
        _checks.Remove("t").ShouldBeTrue();
        _time.Advance(Ttl * 2);
        _sink.All.ShouldBeEmpty();
    }

    [Fact]
    public void A_report_survives_a_restart()
    {
        _checks.Put(Spec());
        _checks.Report("t", CheckStatus.Passing, "fine");
        var kept = _checks.Snapshot("t")!;
        kept.ShouldBe(new TtlState("t", "fine", "passing", (ManualTime.Start + Ttl).ToUnixTimeSeconds()));

        var sink = new RecordingSink();
        var restarted = new TtlChecks(sink, new Deadlines(_time), _time);
        restarted.Put(Spec());
        restarted.Restore(kept).ShouldBeTrue();
        sink.Last.ShouldBe(new("t", CheckStatus.Passing, "fine"));
    }

    [Fact]
    public void An_expired_report_does_not_survive_a_restart()
    {
        _checks.Put(Spec());
        _checks.Report("t", CheckStatus.Passing, "fine");
        var kept = _checks.Snapshot("t")!;
        _time.Advance(Ttl);
        _checks.Restore(kept).ShouldBeFalse();
    }

    private static CheckSpec Spec() => new() { Id = "t", Ttl = Ttl };
}
