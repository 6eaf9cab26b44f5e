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
internal sealed partial class CoordinateSender(
    IMembership membership,
    INetworkCoordinates coordinates,
    Func<CoordinateUpdate, CancellationToken, Task<string?>> send,
    CoordinateRate rate,
    TimeProvider time,
    Random random,
    ILogger log)
{
    public async Task RunAsync(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            await Task.Delay(rate.Pause(membership.Members(wan: false).Count, random), time, stop);
            var update = new CoordinateUpdate(
                membership.Self(wan: false).Name, "", coordinates.Own(wan: false));
            if (await send(update, stop) is { } problem)
            {
                Log.Refused(log, problem);
            }
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Warning, "the coordinate was not taken: error={Problem}")]
        public static partial void Refused(ILogger log, string problem);
    }
}
