using Languages;
using Shouldly;
using Xunit;

namespace Unit.Languages;

public sealed class GoDurationTests
{
    [Theory]
    [InlineData("0", 0L)]
    [InlineData("0s", 0L)]
    [InlineData("5s", 5_000_000_000L)]
    [InlineData("1h2m3.5s", 3_723_500_000_000L)]
    [InlineData("100ms", 100_000_000L)]
    [InlineData("-1.5h", -5_400_000_000_000L)]
    [InlineData("+5ns", 5L)]
    [InlineData(".5s", 500_000_000L)]
    [InlineData("5.s", 5_000_000_000L)]
    [InlineData("12us", 12_000L)]
    [InlineData("12µs", 12_000L)]
    [InlineData("12μs", 12_000L)]
    [InlineData("0.3333333333333333333h", 1_199_999_999_999L)]
    [InlineData("9007199254.740993ms", 9_007_199_254_740_993L)]
    public void Durations_of_Go_are_read(string text, long nanoseconds)
    {
        GoDuration.TryParseNanoseconds(text, out var read).ShouldBeTrue();
        read.ShouldBe(nanoseconds);
    }

    [Theory]
    [InlineData("")]
    [InlineData("3")]
    [InlineData("-")]
    [InlineData("s")]
    [InlineData(".")]
    [InlineData(".s")]
    [InlineData("1d")]
    [InlineData("1 s")]
    [InlineData("1S")]
    [InlineData("--1s")]
    [InlineData("9223372036854775808ns")]
    [InlineData("99999999999999999999h")]
    [InlineData("3000000h")]
    public void What_is_no_duration_is_refused(string text) =>
        GoDuration.TryParseNanoseconds(text, out _).ShouldBeFalse();

    [Theory]
    [InlineData(0L, "0s")]
    [InlineData(1L, "1ns")]
    [InlineData(1_100L, "1.1µs")]
    [InlineData(2_200_000L, "2.2ms")]
    [InlineData(100_000_000L, "100ms")]
    [InlineData(3_300_000_000L, "3.3s")]
    [InlineData(60_000_000_000L, "1m0s")]
    [InlineData(245_000_000_000L, "4m5s")]
    [InlineData(245_001_000_000L, "4m5.001s")]
    [InlineData(18_367_001_000_000L, "5h6m7.001s")]
    [InlineData(3_600_000_000_000L, "1h0m0s")]
    [InlineData(480_000_000_001L, "8m0.000000001s")]
    [InlineData(long.MaxValue, "2562047h47m16.854775807s")]
    [InlineData(long.MinValue, "-2562047h47m16.854775808s")]
    public void Durations_are_written_as_Go_writes_them(long nanoseconds, string text) =>
        GoDuration.FormatNanoseconds(nanoseconds).ShouldBe(text);

    [Theory]
    [InlineData("1ns", 1)]
    [InlineData("99ns", 1)]
    [InlineData("199ns", 1)]
    [InlineData("-1ns", -1)]
    [InlineData("0ns", 0)]
    public void The_shortest_duration_is_more_than_none(string text, long ticks)
    {
        GoDuration.TryParse(text, out var duration).ShouldBeTrue();
        duration.Ticks.ShouldBe(ticks);
    }

    [Fact]
    public void A_time_span_goes_there_and_back()
    {
        GoDuration.TryParse("1m30.25s", out var duration).ShouldBeTrue();
        duration.ShouldBe(TimeSpan.FromSeconds(90.25));
        GoDuration.Format(duration).ShouldBe("1m30.25s");
    }

    [Fact]
    public void What_is_written_is_read_back_equal()
    {
        var random = new Random(7);
        for (var i = 0; i < 20_000; i++)
        {
            var nanoseconds = random.NextInt64(long.MinValue + 1, long.MaxValue) >> random.Next(63);
            GoDuration.TryParseNanoseconds(GoDuration.FormatNanoseconds(nanoseconds), out var back).ShouldBeTrue();
            back.ShouldBe(nanoseconds);
        }
    }
}
