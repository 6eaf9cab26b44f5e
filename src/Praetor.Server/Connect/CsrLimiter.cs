namespace Praetor.Server.Connect;

/// <summary>Keeps signing from taking the whole machine when all proxies want certificates at once.</summary>
/// <remarks>
/// With <see cref="CaSettings.CsrMaxConcurrent"/> set, that many requests are served at a time. Else a bucket fills at
/// <see cref="CaSettings.CsrMaxPerSecond"/>, holding one second's worth. Whoever finds no room is told
/// <see cref="Refusal"/> and tries again with a delay of its own.
/// </remarks>
public sealed class CsrLimiter(TimeProvider time)
{
    /// <summary>What a client is told, with status 429.</summary>
    public const string Refusal = "Rate limit reached, try again later";

    private readonly Lock _gate = new();
    private long _last = time.GetTimestamp();
    private double _tokens = 1;
    private int _running;

    /// <summary>Asks for room for one request. When it is given, <see cref="Leave"/> must follow.</summary>
    public bool TryEnter(CaSettings settings)
    {
        lock (_gate)
        {
            var now = time.GetTimestamp();
            var room = Math.Max(1, settings.CsrMaxPerSecond);
            _tokens = Math.Min(
                room, _tokens + (time.GetElapsedTime(_last, now).TotalSeconds * settings.CsrMaxPerSecond));
            _last = now;
            var admitted = settings switch
            {
                { CsrMaxConcurrent: > 0 } => _running < settings.CsrMaxConcurrent,
                { CsrMaxPerSecond: <= 0 } => true,
                _ => _tokens >= 1,
            };
            if (admitted)
            {
                _tokens = Math.Max(0, _tokens - 1);
                _running++;
            }

            return admitted;
        }
    }

    /// <summary>Gives the room back.</summary>
    public void Leave()
    {
        lock (_gate)
        {
            _running--;
        }
    }
}
