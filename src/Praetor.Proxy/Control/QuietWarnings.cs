namespace Praetor.Proxy.Control;

/// <summary>Warns of connections that fail, at most once a second: a flood of them must not become a flood of
/// lines.</summary>
internal sealed class QuietWarnings(ControlScope scope)
{
    private readonly Lock _lock = new();
    private long _next;
    private long _left;

    /// <summary>Warns, or counts what is not said.</summary>
    public void Warn(string message)
    {
        long left;
        lock (_lock)
        {
            var now = scope.Time.GetTimestamp();
            if (now < _next)
            {
                _left++;
                return;
            }

            _next = now + scope.Time.TimestampFrequency;
            left = _left;
            _left = 0;
        }

        scope.Log(ProxyLogLevel.Warn, left == 0 ? message : $"{message} ({left} more like this were not logged)");
    }
}
