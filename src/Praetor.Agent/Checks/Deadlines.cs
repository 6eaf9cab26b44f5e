namespace Praetor.Agent.Checks;

/// <summary>One timer for all deadlines of the checks; armed for the earliest, asleep when there is none.</summary>
/// <remarks>Callbacks run outside the lock, one after the other; they must be short and never block.</remarks>
internal sealed class Deadlines : IDisposable
{
    private readonly Lock _gate = new();
    private readonly SortedSet<Deadline> _waiting = new(Deadline.ByDue);
    private readonly TimeProvider _time;
    private readonly ITimer _timer;

    // From 1: a deadline never set has 0 and equals no other.
    private long _sequence = 1;
    private bool _isDisposed;

    public Deadlines(TimeProvider time)
    {
        _time = time;
        _timer = time.CreateTimer(
            static self => ((Deadlines)self!).Tick(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Sets or moves a deadline.</summary>
    public void Set(Deadline deadline, TimeSpan fromNow)
    {
        lock (_gate)
        {
            _waiting.Remove(deadline);
            deadline.Due = Now() + Math.Clamp(fromNow.Ticks, 0, long.MaxValue / 2);
            deadline.Sequence = _sequence++;
            _waiting.Add(deadline);
            if (ReferenceEquals(_waiting.Min, deadline))
            {
                Arm();
            }
        }
    }

    /// <summary>Takes a deadline back; nothing happens when it was not set.</summary>
    public void Clear(Deadline deadline)
    {
        lock (_gate)
        {
            _waiting.Remove(deadline);
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _isDisposed = true;
            _waiting.Clear();
        }

        _timer.Dispose();
    }

    private void Tick()
    {
        while (NextDue() is { } deadline)
        {
            deadline.Callback();
        }
    }

    private Deadline? NextDue()
    {
        lock (_gate)
        {
            if (_waiting.Min is not { } first)
            {
                return null;
            }

            if (first.Due > Now())
            {
                Arm();
                return null;
            }

            _waiting.Remove(first);
            return first;
        }
    }

    private void Arm()
    {
        if (_isDisposed || _waiting.Min is not { } first)
        {
            return;
        }

        // Rounded up to whole milliseconds, the resolution of timers: rounded down it would spin until the time has
        // come.
        var wait = TimeSpan.FromMilliseconds(Math.Ceiling(TimeSpan.FromTicks(first.Due - Now()).TotalMilliseconds));
        if (wait < TimeSpan.Zero)
        {
            wait = TimeSpan.Zero;
        }

        // What is farther away is armed again when the timer has come and nothing is due.
        _timer.Change(wait < TimerLimit.Max ? wait : TimerLimit.Max, Timeout.InfiniteTimeSpan);
    }

    private long Now() => _time.GetElapsedTime(0).Ticks;
}

/// <summary>A point in time at which something is to be done.</summary>
internal sealed class Deadline(Action callback)
{
    public static readonly IComparer<Deadline> ByDue = Comparer<Deadline>.Create(
        static (a, b) => a.Due != b.Due ? a.Due.CompareTo(b.Due) : a.Sequence.CompareTo(b.Sequence));

    public Action Callback { get; } = callback;

    public long Due { get; set; }

    public long Sequence { get; set; }
}
