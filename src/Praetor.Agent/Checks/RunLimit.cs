namespace Praetor.Agent.Checks;

/// <summary>What a timer can wait for at most; it throws for more.</summary>
internal static class TimerLimit
{
    /// <summary>Short of the 2^32 - 2 ms (49.7 days) of the runtime's timers.</summary>
    public static readonly TimeSpan Max = TimeSpan.FromDays(49);
}

/// <summary>The timeout of one run, joined with the wish to stop it.</summary>
internal sealed class RunLimit : IDisposable
{
    private readonly CancellationToken _stop;
    private readonly CancellationTokenSource _late;
    private readonly CancellationTokenSource _both;

    public RunLimit(TimeSpan timeout, TimeProvider time, CancellationToken stop)
    {
        _stop = stop;
        _late = new CancellationTokenSource(timeout < TimerLimit.Max ? timeout : TimerLimit.Max, time);
        _both = CancellationTokenSource.CreateLinkedTokenSource(_late.Token, stop);
    }

    public CancellationToken Token => _both.Token;

    /// <summary>The timeout ended the run, nobody asked for it.</summary>
    public bool IsLate => _late.IsCancellationRequested && !_stop.IsCancellationRequested;

    public void Dispose()
    {
        _both.Dispose();
        _late.Dispose();
    }
}
