namespace Gossip.Serf;

/// <summary>Orders what different members say without a common clock: each message counts on from the newest
/// heard.</summary>
internal sealed class LamportClock
{
    /// <summary>
    /// How far a time may lie above the newest known. Honest clocks never come near it; without a bound one message
    /// with the largest number would leave nothing to count on with.
    /// </summary>
    public const ulong JumpMax = 1UL << 40;

    /// <summary>The time that the next message of this member gets.</summary>
    public ulong Time { get; private set; } = 1;

    /// <summary>Takes the time for a message and counts on.</summary>
    public ulong Next() => Time++;

    /// <summary>Hears of a time; false: it is beyond belief, drop what carried it.</summary>
    public bool Witness(ulong heard)
    {
        if (heard >= Time + JumpMax)
        {
            return false;
        }

        Time = Math.Max(Time, heard + 1);
        return true;
    }
}
