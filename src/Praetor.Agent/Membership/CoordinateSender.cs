using Gossip.Coordinates;
using Microsoft.Extensions.Logging;
using Praetor.Server.Coordinates;

namespace Praetor.Agent.Membership;

/// <summary>How often an agent tells its place.</summary>
/// <param name="IntervalMin">Not more often than this.</param>
/// <param name="PerSecond">How many updates a second all agents together make.</param>
internal sealed record CoordinateRate(TimeSpan IntervalMin, double PerSecond)
{
    private const int SpreadFraction = 16;

    /// <summary>The pause between two updates in a cluster of this size.</summary>
    public TimeSpan Pause(int members, Random random)
    {
        var even = TimeSpan.FromSeconds(PerSecond > 0 ? members / PerSecond : 0);
        var pause = even > IntervalMin ? even : IntervalMin;
        return pause + (pause / SpreadFraction * random.NextDouble());
    }
}

/// <summary>Tells the servers where this agent is, again and again: the larger the cluster, the rarer.</summary>
/// <remarks>
/// A place that is settled is told every <see cref="SettledTurns"/> intervals only: in a quiet cluster most of what
/// agents ask of a server are these tellings.
/// </remarks>
internal sealed partial class CoordinateSender(
    IMembership membership,
    INetworkCoordinates coordinates,
    Func<CoordinateUpdate, CancellationToken, Task<string?>> send,
    CoordinateRate rate,
    TimeProvider time,
    Random random,
    ILogger log)
{
    /// <summary>A place that has not moved is told again after so many of the shortest intervals, which is once a
    /// minute with Consul's of 15 s: who registers a node anew has its place again by then. In a cluster so large
    /// that its agents' turns come no more often anyway, it is told at each.</summary>
    public const int SettledTurns = 4;

    /// <summary>The first so many tellings go out at every turn, which is for two minutes with Consul's 15 s: until
    /// then the place is still being found.</summary>
    public const int YoungTurns = 8;

    /// <summary>A place has moved when the round trip to somebody may have changed by more than so much. Less is
    /// what probes between machines that have something to do differ by anyway.</summary>
    public static readonly TimeSpan Moved = TimeSpan.FromMilliseconds(5);

    private Coordinate? _told;
    private long _toldAt;
    private int _tellings;

    public async Task RunAsync(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            await Task.Delay(rate.Pause(membership.Members(wan: false).Count, random), time, stop);
            var own = coordinates.Own(wan: false);
            if (IsSettled(own))
            {
                continue;
            }

            if (await send(new CoordinateUpdate(membership.Self(wan: false).Name, "", own), stop) is { } problem)
            {
                _told = null;
                Log.Refused(log, problem);
                continue;
            }

            (_told, _toldAt, _tellings) = (own, time.GetTimestamp(), _tellings + 1);
        }
    }

    private bool IsSettled(Coordinate own) =>
        _told is { } told
        && _tellings >= YoungTurns
        && time.GetElapsedTime(_toldAt) < rate.IntervalMin * SettledTurns
        && own.SecondsMovedFrom(told) < Moved.TotalSeconds;

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Warning, "the coordinate was not taken: error={Problem}")]
        public static partial void Refused(ILogger log, string problem);
    }
}
