namespace Praetor.Agent.Forwarding;

/// <summary>Keeps one agent from flooding servers: a bucket that calls are taken out of.</summary>
/// <param name="perSecond">How many calls a second fill it (<c>limits.rpc_rate</c>). Negative: no limit.</param>
/// <param name="burst">How many it holds (<c>limits.rpc_max_burst</c>).</param>
/// <param name="time">The clock.</param>
internal sealed class CallRate(double perSecond, int burst, TimeProvider time)
{
    /// <summary>What is said of a call above it, in Consul's words.</summary>
    public const string Exceeded = "RPC rate limit exceeded";

    private readonly Lock _gate = new();
    private long _last = time.GetTimestamp();
    private double _calls = burst;

    /// <summary>Takes one call out; false: the bucket is empty.</summary>
    public bool TryTake()
    {
        if (perSecond < 0)
        {
            return true;
        }

        lock (_gate)
        {
            var now = time.GetTimestamp();
            _calls = Math.Min(burst, _calls + (time.GetElapsedTime(_last, now).TotalSeconds * perSecond));
            _last = now;
            if (_calls < 1)
            {
                return false;
            }

            _calls--;
            return true;
        }
    }
}
