namespace Praetor.Agent.Cluster;

/// <summary>Pauses between tries that grow: each twice the one before, up to a most, and up to a half less by
/// chance, so that several who began together do not go on together.</summary>
internal sealed class Backoff(TimeSpan first, TimeSpan most, Random random)
{
    private const double SpreadPart = 0.5;

    private TimeSpan? _next;

    /// <summary>How long to wait now.</summary>
    public TimeSpan Next()
    {
        var pause = _next ?? first;
        _next = pause + pause < most ? pause + pause : most;
        return pause * (1 - (SpreadPart * random.NextDouble()));
    }

    /// <summary>It has worked: the next pause is the first one.</summary>
    public void Reset() => _next = null;
}
