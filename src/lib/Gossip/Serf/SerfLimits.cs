namespace Gossip.Serf;

/// <summary>What bounds the memory of serf's layer, whatever others send.</summary>
public static class SerfLimits
{
    /// <summary>A user event's whole message: serf's own bound, so that it fits on packets beside other news.</summary>
    public const int UserEventBytesMax = 512;

    /// <summary>
    /// The largest message of others that is taken in and passed on: serf's own upper bound for what its limits may be
    /// set to. What is larger could not be passed on in a packet.
    /// </summary>
    public const int MessageBytesMax = 9 * 1024;

    /// <summary>A query's whole message.</summary>
    public const int QueryBytesMax = 1024;

    /// <summary>An answer's whole message: it travels in one packet.</summary>
    public const int QueryResponseBytesMax = 1024;

    /// <summary>Lamport times for which events and queries are remembered, to drop what comes twice.</summary>
    public const int RecentTimes = 512;

    /// <summary>Events or queries remembered for one Lamport time; honest members seldom share one.</summary>
    public const int PerTimeMax = 64;

    /// <summary>Intents of members that are not known yet.</summary>
    public const int IntentsMax = 4096;

    /// <summary>Queries of this member that still wait for answers.</summary>
    public const int OwnQueriesMax = 256;

    /// <summary>Answers that one query of ours takes.</summary>
    public const int AnswersMax = 16_384;

    /// <summary>Copies of an answer that others are asked to relay; more is a way to make us flood.</summary>
    public const int RelaysMax = 5;

    /// <summary>The longest time that a member remembers a query for which it was asked.</summary>
    public static readonly TimeSpan QueryTimeMax = TimeSpan.FromMinutes(1);
}
