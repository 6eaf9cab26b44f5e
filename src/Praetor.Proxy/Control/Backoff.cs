namespace Praetor.Proxy.Control;

/// <summary>Chance that many tasks may draw from.</summary>
internal sealed class Chance(Random random)
{
    private readonly Lock _lock = new();

    /// <summary>A number from 0 to below 1.</summary>
    public double Next()
    {
        lock (_lock)
        {
            return random.NextDouble();
        }
    }
}

/// <summary>Pauses between attempts that grow with each failure, half by chance so that many do not return at
/// once.</summary>
internal sealed class Backoff(TimeProvider time, Chance chance)
{
    private TimeSpan _next = Limits.WatchBackoff;

    /// <summary>An attempt succeeded.</summary>
    public void Reset() => _next = Limits.WatchBackoff;

    /// <summary>Waits before the next attempt; ends early and quietly when stopped.</summary>
    public async Task PauseAsync(CancellationToken stop)
    {
        var pause = _next * (0.5 + (chance.Next() / 2));
        _next = _next * 2 < Limits.WatchBackoffLimit ? _next * 2 : Limits.WatchBackoffLimit;
        await Watches.PauseAsync(pause, time, stop);
    }
}
