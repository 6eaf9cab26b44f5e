namespace Praetor.Agent.Telemetry;

/// <summary>Observations of one thing, summed by intervals and over all time.</summary>
/// <remarks>
/// Every processor sums for itself and the sums are put together when somebody reads, so that threads that observe the
/// same thing at the same time neither wait for each other nor pass a cache line around.
/// </remarks>
internal sealed class Tally
{
    // More would make reading and memory dear on large machines, and gain nothing.
    private const int PartsMax = 16;

    private static readonly int Parts = Math.Min(Environment.ProcessorCount, PartsMax);

    private readonly Part?[] _parts = new Part?[Parts];

    /// <summary>Adds an observation to the interval of this number.</summary>
    public void Add(double value, long interval)
    {
        ref var mine = ref _parts[(int)((uint)Thread.GetCurrentProcessorId() % (uint)Parts)];
        var part = Volatile.Read(ref mine);
        if (part is null)
        {
            var made = new Part();
            part = Interlocked.CompareExchange(ref mine, made, null) ?? made;
        }

        part.Add(value, interval);
    }

    /// <summary>The sums of the interval of this number, and of all time.</summary>
    public (Aggregate Interval, Aggregate Total) Read(long interval)
    {
        var (last, total) = (default(Aggregate), default(Aggregate));
        for (var i = 0; i < _parts.Length; i++)
        {
            if (Volatile.Read(ref _parts[i]) is { } part)
            {
                var (partLast, partTotal) = part.Read(interval);
                (last, total) = (last.With(partLast), total.With(partTotal));
            }
        }

        return (last, total);
    }

    // The lock is almost never contended: only a thread that was moved to another processor, or a reader, meets
    // another.
    private sealed class Part
    {
        private readonly Lock _gate = new();
        private Aggregate _total;
        private Aggregate _current;
        private Aggregate _last;
        private long _interval;

        public void Add(double value, long interval)
        {
            lock (_gate)
            {
                Roll(interval);
                _current = _current.With(value);
                _total = _total.With(value);
            }
        }

        public (Aggregate Last, Aggregate Total) Read(long interval)
        {
            lock (_gate)
            {
                Roll(interval + 1);
                return (_last, _total);
            }
        }

        private void Roll(long interval)
        {
            if (interval <= _interval)
            {
                return;
            }

            _last = interval == _interval + 1 ? _current : default;
            _current = default;
            _interval = interval;
        }
    }
}
