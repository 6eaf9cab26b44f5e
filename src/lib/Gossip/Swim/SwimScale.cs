namespace Gossip.Swim;

/// <summary>How times and counts grow with the number of members: memberlist's formulas.</summary>
internal static class SwimScale
{
    /// <summary>Up to this many members the push-pull interval is not stretched.</summary>
    private const int PushPullMembersMin = 32;

    /// <summary>The shortest time a suspect has for its refutation.</summary>
    public static TimeSpan SuspicionTimeout(int multiplier, int members, TimeSpan probeInterval)
    {
        var scale = Math.Max(1, Math.Log10(Math.Max(1, members)));
        return probeInterval * (multiplier * Math.Floor(scale * 1000) / 1000);
    }

    /// <summary>How often a broadcast is sent in all.</summary>
    public static int RetransmitLimit(int multiplier, int members) =>
        multiplier * (int)Math.Ceiling(Math.Log10(members + 1));

    /// <summary>
    /// Each doubling beyond 32 members adds one base interval, so that the whole pool's load stays linear.
    /// </summary>
    public static TimeSpan PushPullInterval(TimeSpan interval, int members) => members <= PushPullMembersMin
        ? interval
        : interval * (Math.Ceiling(Math.Log2(members) - Math.Log2(PushPullMembersMin)) + 1);
}
