namespace Gossip.Coordinates;

/// <summary>serf's tuning of the Vivaldi algorithm. All members of a pool must use the same.</summary>
public static class VivaldiRules
{
    /// <summary>The error of a member that has measured nothing, and the largest there is.</summary>
    public const double ErrorMax = 1.5;

    /// <summary>How much one measurement may change the error.</summary>
    public const double ErrorShare = 0.25;

    /// <summary>How far one measurement may move the place.</summary>
    public const double MoveShare = 0.25;

    /// <summary>How many measurements the adjustment is averaged over.</summary>
    public const int AdjustmentWindow = 20;

    /// <summary>The least height, in seconds: small against any network, but above zero.</summary>
    public const double HeightMin = 10e-6;

    /// <summary>Of so many measurements of one member the median counts, so that single stalls do not.</summary>
    public const int LatencyFilterSize = 3;

    /// <summary>
    /// At this distance in seconds from the origin the pull back to it is one second; it grows by the square.
    /// </summary>
    public const double GravityDistance = 150;

    /// <summary>Below this many seconds two places, or a round trip, count as the same, or as zero.</summary>
    public const double ZeroThreshold = 1e-6;

    /// <summary>Longer round trips are not believed.</summary>
    public static readonly TimeSpan RoundTripMax = TimeSpan.FromSeconds(10);
}
