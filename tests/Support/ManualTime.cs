namespace Support;

/// <summary>A clock that moves only when a test says so; drives timers, Task.Delay and cancellation timeouts.</summary>
/// <remarks>Timers fire inside <see cref="Advance"/>, on the caller's thread, in order of their due times.</remarks>
public sealed class ManualTime : TimeProvider
{
    /// <summary>Where the clock starts unless told otherwise.</summary>
    public static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly Lock _gate = new();
    private readonly List<ManualTimer> _timers = [];
    private readonly List<(int Count, TaskCompletionSource Reached)> _awaited = [];
    private readonly DateTimeOffset _start;
    private TimeSpan _elapsed;

    public ManualTime(DateTimeOffset? start = null) => _start = start ?? Start;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override TimeZoneInfo LocalTimeZone => TimeZoneInfo.Utc;

    /// <summary>How many timers wait for their time; a test asserts it to see that none leaks.</summary>
    public int PendingTimers
    {
        get { lock (_gate) { return _timers.Count; } }
    }

    /// <summary>Ends as soon as so many timers wait for their time: what runs on other threads sleeps again.</summary>
    public Task TimersAsync(int count)
    {
        lock (_gate)
        {
            var reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            _awaited.Add((count, reached));
            CompleteAwaited();
            return reached.Task;
        }
    }

    public override DateTimeOffset GetUtcNow() => _start + Elapsed();

    public override long GetTimestamp() => Elapsed().Ticks;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new ManualTimer(this, callback, state);
        timer.Change(dueTime, period);
        return timer;
    }

    /// <summary>Moves the clock, stopping at every timer on the way.</summary>
    public void Advance(TimeSpan span)
    {
        var end = Elapsed() + span;
        while (NextUntil(end) is { } due)
        {
            due.Fire();
        }

        lock (_gate)
        {
            _elapsed = end;
        }
    }

    private void CompleteAwaited() =>
        _awaited.RemoveAll(awaited => _timers.Count >= awaited.Count && awaited.Reached.TrySetResult());

    private TimeSpan Elapsed()
    {
        lock (_gate)
        {
            return _elapsed;
        }
    }

    // Callbacks run outside the lock: they create and change timers themselves.
    private ManualTimer? NextUntil(TimeSpan end)
    {
        lock (_gate)
        {
            var next = _timers.MinBy(static timer => timer.Due);
            if (next is null || next.Due > end)
            {
                return null;
            }

            _elapsed = next.Due > _elapsed ? next.Due : _elapsed;
            next.Due += next.Period;
            if (next.Period <= TimeSpan.Zero)
            {
                _timers.Remove(next);
            }

            return next;
        }
    }

    private sealed class ManualTimer(ManualTime time, TimerCallback callback, object? state) : ITimer
    {
        public TimeSpan Due { get; set; }

        public TimeSpan Period { get; private set; }

        public void Fire() => callback(state);

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            lock (time._gate)
            {
                time._timers.Remove(this);
                Period = period;
                Due = time._elapsed + dueTime;
                if (dueTime != Timeout.InfiniteTimeSpan)
                {
                    time._timers.Add(this);
                    time.CompleteAwaited();
                }

                return true;
            }
        }

        public void Dispose() => Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
