using Praetor.Agent.Checks;
using Shouldly;
using Xunit;

namespace Unit.Checks;

public sealed class ThresholdsTests
{
    [Fact]
    public void Without_thresholds_every_result_counts() => Judged(new CheckSpec { Id = "c" }, "pcwc").ShouldBe("pcwc");

    [Fact]
    public void The_first_result_counts_at_once() =>
        Judged(new CheckSpec { Id = "c", SuccessBeforePassing = 3 }, "p").ShouldBe("p");

    [Fact]
    public void A_check_recovers_only_at_the_nth_success() =>
        Judged(new CheckSpec { Id = "c", SuccessBeforePassing = 2 }, "ppcpppc").ShouldBe("ppc-ppc");

    [Fact]
    public void A_check_fails_only_at_the_nth_failure() =>
        Judged(new CheckSpec { Id = "c", FailuresBeforeCritical = 2 }, "ccpcccp").ShouldBe("ccp-ccp");

    [Fact]
    public void A_warning_is_a_success() =>
        Judged(new CheckSpec { Id = "c", SuccessBeforePassing = 2 }, "ccwwp").ShouldBe("cc-wp");

    [Fact]
    public void A_failing_check_warns_before_it_is_critical() =>
        Judged(new CheckSpec { Id = "c", FailuresBeforeWarning = 2, FailuresBeforeCritical = 4 }, "pccccc")
            .ShouldBe("p-wwcc");

    [Theory]
    [InlineData(0, 0, "MaxOutputMaxSize must be positive", -1, "http://x")]
    [InlineData(1, 1, "Interval and TTL cannot both be specified", 0, "")]
    [InlineData(0, 0, "Interval must be > 0 for Script, HTTP, or TCP checks", 0, "http://x")]
    [InlineData(0, 0, "TTL must be > 0 for TTL checks", 0, "")]
    [InlineData(1, 0, null, 0, "http://x")]
    public void A_check_says_why_it_cannot_run(int interval, int ttl, string? problem, int output, string http) =>
        new CheckSpec
        {
            Id = "c",
            Interval = TimeSpan.FromSeconds(interval),
            Ttl = TimeSpan.FromSeconds(ttl),
            OutputMaxSize = output,
            Http = http,
        }.Problem().ShouldBe(problem);

    private static string Judged(CheckSpec spec, string results)
    {
        var thresholds = new Thresholds(spec);
        return string.Concat(results.Select(result => thresholds.Judge(Status(result)) switch
        {
            CheckStatus.Passing => 'p',
            CheckStatus.Warning => 'w',
            CheckStatus.Critical => 'c',
            _ => '-',
        }));
    }

    private static CheckStatus Status(char result) => result switch
    {
        'p' => CheckStatus.Passing,
        'w' => CheckStatus.Warning,
        _ => CheckStatus.Critical,
    };
}
