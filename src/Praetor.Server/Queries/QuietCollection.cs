namespace Praetor.Server.Queries;

/// <summary>Collects what many who wait have left behind, while nobody waits for that to end.</summary>
/// <remarks>
/// The problem: who begins to wait leaves some kilobytes of young objects that live as long as the wait. The next
/// collection moves them, and with thousands of waits it came when they were woken: in the middle of 5,000 answers.
/// The idea: when so many have begun to wait, and then none for a moment, collect then.
/// </remarks>
internal sealed class QuietCollection
{
    /// <summary>Fewer waits than this are no burden.</summary>
    public const int WaitsMin = 1024;

    /// <summary>How long no wait has begun.</summary>
    public static readonly TimeSpan Quiet = TimeSpan.FromMilliseconds(500);

    // The timer is set anew once in so many waits, not for each.
    private const int Step = 256;

    // What waits is young or was moved once.
    private const int Generation = 1;

    private readonly ITimer _timer;
    private readonly Action _collect;
    private int _begun;

    public QuietCollection(TimeProvider time, Action? collect = null)
    {
        _collect = collect ?? (static () => GC.Collect(Generation, GCCollectionMode.Forced, blocking: true));
        _timer = time.CreateTimer(
            static self => ((QuietCollection)self!).BecameQuiet(), this,
            Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Notes that somebody begins to wait.</summary>
    public void WaitBegan()
    {
        var begun = Interlocked.Increment(ref _begun);
        if (begun >= WaitsMin && begun % Step == 0)
        {
            _timer.Change(Quiet, Timeout.InfiniteTimeSpan);
        }
    }

    private void BecameQuiet()
    {
        Interlocked.Exchange(ref _begun, 0);
        _collect();
    }
}
