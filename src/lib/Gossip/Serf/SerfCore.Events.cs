using Gossip.Serf.Wire;

namespace Gossip.Serf;

// User events: a name and a few bytes for everybody, once each, in no particular order.
public sealed partial class SerfCore
{
    private readonly LamportClock _eventClock = new();
    private readonly RecentMessages<EventIdentity> _recentEvents = new();

    /// <summary>Tells everybody, this member included.</summary>
    /// <param name="coalesces">Whether receivers may take only the last of several of this name.</param>
    /// <returns>Why not; null: it is on its way.</returns>
    public string? FireEvent(string name, ReadOnlyMemory<byte> payload, bool coalesces, TimeSpan now)
    {
        _now = now;
        var happened = new UserEvent(_eventClock.Time, name, payload, coalesces);
        var encoded = SerfCodec.Encode(happened);
        if (encoded.Length > SerfLimits.UserEventBytesMax)
        {
            return $"encoded user event exceeds limit of {SerfLimits.UserEventBytesMax} bytes";
        }

        _eventClock.Next();
        HearEvent(happened);
        Spread(_events, encoded);
        Flush(now);
        return null;
    }

    /// <summary>Takes in an event; true: it is news and is passed on.</summary>
    private bool HearEvent(UserEvent happened)
    {
        var identity = new EventIdentity(happened.Name, happened.Payload);
        if (!_eventClock.Witness(happened.LTime)
            || !_recentEvents.IsNew(happened.LTime, _eventClock.Time, identity))
        {
            return false;
        }

        _listener.UserEventReceived(happened);
        return true;
    }

    /// <summary>Two events of one Lamport time are one when name and payload are.</summary>
    private sealed class EventIdentity(string name, ReadOnlyMemory<byte> payload) : IEquatable<EventIdentity>
    {
        public string Name => name;

        public ReadOnlyMemory<byte> Payload => payload;

        public bool Equals(EventIdentity? other) =>
            other is not null && name == other.Name && payload.Span.SequenceEqual(other.Payload.Span);

        public override bool Equals(object? obj) => Equals(obj as EventIdentity);

        public override int GetHashCode() => name.GetHashCode(StringComparison.Ordinal);
    }
}
