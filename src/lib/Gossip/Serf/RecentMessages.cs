namespace Gossip.Serf;

/// <summary>Remembers what came at the last Lamport times, so that each message counts once.</summary>
/// <typeparam name="T">What makes two messages of the same time the same.</typeparam>
internal sealed class RecentMessages<T>
    where T : IEquatable<T>
{
    private readonly Slot?[] _slots = new Slot?[SerfLimits.RecentTimes];

    /// <summary>Messages before this time are not wanted.</summary>
    public ulong TimeMin { get; set; }

    /// <summary>Whether this is news; it is remembered then.</summary>
    /// <param name="now">The clock, having witnessed the message's time.</param>
    public bool IsNew(ulong time, ulong now, T message)
    {
        if (time < TimeMin || (now > SerfLimits.RecentTimes && time < now - SerfLimits.RecentTimes))
        {
            return false;
        }

        var index = time % SerfLimits.RecentTimes;
        if (_slots[index] is not { } slot || slot.Time != time)
        {
            // An older time that still fits the window must not push out a newer one of the same slot.
            if (_slots[index] is { } newer && newer.Time > time)
            {
                return false;
            }

            _slots[index] = new Slot(time, [message]);
            return true;
        }

        if (slot.Messages.Count >= SerfLimits.PerTimeMax || slot.Messages.Contains(message))
        {
            return false;
        }

        slot.Messages.Add(message);
        return true;
    }

    /// <summary>All that is remembered, in no order.</summary>
    public IEnumerable<(ulong Time, IReadOnlyList<T> Messages)> All() =>
        _slots.OfType<Slot>().Select(static slot => (slot.Time, (IReadOnlyList<T>)slot.Messages));

    private sealed record Slot(ulong Time, List<T> Messages);
}
