using Praetor.Agent.Connect;
using Shouldly;
using Xunit;

namespace Unit.Connect;

public sealed class WatchedTests
{
    [Fact]
    public async Task A_timer_that_fires_when_its_reader_has_gone_harms_nobody()
    {
        var time = new LateTime();
        var watched = new Watched<string>(time);
        var reading = watched.ReadAsync(0, TimeSpan.FromMinutes(1), CancellationToken.None);
        watched.Set(static _ => "there", 1);
        (await reading.WaitAsync(TimeSpan.FromSeconds(20))).ShouldNotBeNull().Value.ShouldBe("there");

        // Timers call back on threads where an exception ends the process.
        Should.NotThrow(() => time.Fire());
    }

    /// <summary>A clock whose timers were on their way when they were disposed of.</summary>
    private sealed class LateTime : TimeProvider
    {
        public Action Fire { get; private set; } = static () => { };

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            Fire = () => callback(state);
            return System.CreateTimer(callback, state, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        }
    }
}
