namespace Praetor.Agent.Cluster;

/// <summary>What to do about a process that has not answered.</summary>
internal enum HungVerdict
{
    /// <summary>Nothing: it is known to be silent, or it was said already.</summary>
    Wait,

    /// <summary>Say that it is silent.</summary>
    Say,

    /// <summary>End it: it stands still.</summary>
    Kill,
}

/// <summary>Tells a process that stands still from one that is slow for a moment, or is known to be busy.</summary>
internal sealed class HungWatch(TimeProvider time)
{
    /// <summary>How long it may be silent.</summary>
    public static readonly TimeSpan HungAfter = TimeSpan.FromMinutes(1);

    private Expected? _expected;
    private long _heardAt = time.GetTimestamp();
    private bool _isSaid;

    /// <summary>It has answered, or begins anew.</summary>
    public void Heard() => (_heardAt, _isSaid) = (time.GetTimestamp(), false);

    /// <summary>It has not answered.</summary>
    public HungVerdict Missed()
    {
        if (Volatile.Read(ref _expected) is { } expected && time.GetElapsedTime(expected.From) < expected.Limit)
        {
            Heard();
            return HungVerdict.Wait;
        }

        if (time.GetElapsedTime(_heardAt) >= HungAfter)
        {
            return HungVerdict.Kill;
        }

        var verdict = _isSaid ? HungVerdict.Wait : HungVerdict.Say;
        _isSaid = true;
        return verdict;
    }

    /// <summary>It is known to be silent until what is given back is disposed, or the limit is over. One at a
    /// time.</summary>
    public IDisposable Expect(TimeSpan limit)
    {
        var expected = new Expected(this, time.GetTimestamp(), limit);
        Volatile.Write(ref _expected, expected);
        return expected;
    }

    private sealed class Expected(HungWatch watch, long from, TimeSpan limit) : IDisposable
    {
        public long From => from;

        public TimeSpan Limit => limit;

        public void Dispose() => Interlocked.CompareExchange(ref watch._expected, null, this);
    }
}
