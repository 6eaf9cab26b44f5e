using Shouldly;
using Support;
using Xunit;

namespace Unit;

public sealed class ManualTimeTests
{
    private readonly ManualTime _time = new();

    [Fact]
    public void A_delay_ends_when_its_time_has_come()
    {
        var delay = Task.Delay(TimeSpan.FromSeconds(2), _time, TestContext.Current.CancellationToken);
        _time.Advance(TimeSpan.FromSeconds(1.9));
        delay.IsCompleted.ShouldBeFalse();
        _time.Advance(TimeSpan.FromSeconds(0.1));
        delay.IsCompletedSuccessfully.ShouldBeTrue();
        _time.PendingTimers.ShouldBe(0);
    }

    [Fact]
    public void A_cancellation_timeout_follows_the_clock()
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(1), _time);
        _time.Advance(TimeSpan.FromMinutes(1));
        limit.IsCancellationRequested.ShouldBeTrue();
    }

    [Fact]
    public void A_periodic_timer_fires_at_each_of_its_times()
    {
        var fired = new List<TimeSpan>();
        var second = TimeSpan.FromSeconds(1);
        using var timer = _time.CreateTimer(
            _ => fired.Add(_time.GetUtcNow() - ManualTime.Start), null, second, second);
        _time.Advance(second * 3.5);
        fired.ShouldBe([second, second * 2, second * 3]);
    }
}
