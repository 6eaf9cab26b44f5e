using Gossip.Coordinates;
using Gossip.Serf.Wire;
using Gossip.Swim;

namespace Gossip.Serf;

// What this layer adds to an exchange of everything known, and to answers to pings.
public sealed partial class SerfCore
{
    private readonly Dictionary<string, Coordinate> _coordinates = new(StringComparer.Ordinal);

    /// <summary>Where this member is in the network, as far as it knows.</summary>
    public Coordinate Coordinate => _places.Current;

    /// <summary>Where another member said it is, when it last answered this one; null: it has not yet.</summary>
    public Coordinate? CoordinateOf(string name) =>
        name == Name ? Coordinate : _coordinates.GetValueOrDefault(name);

    private ReadOnlyMemory<byte> AckPayload() => CoordinateCodec.ToAckPayload(Coordinate);

    private void PingCompleted(Member member, TimeSpan roundTrip, ReadOnlyMemory<byte> payload)
    {
        if (CoordinateCodec.TryReadAckPayload(payload.Span, out var theirs)
            && _places.Update(member.Name, theirs, roundTrip) is null && _members.ContainsKey(member.Name))
        {
            _coordinates[member.Name] = theirs;
        }
    }

    private ReadOnlyMemory<byte> LocalState()
    {
        var times = _members.Select(static pair => new StatusLTime(pair.Key, pair.Value.StatusTime)).ToList();
        var left = _members.Values.Where(static entry => entry.Status == SerfStatus.Left)
            .Select(static entry => entry.Member.Name).ToList();
        var events = _recentEvents.All()
            .Select(static slot => new UserEventsAt(
                slot.Time, [.. slot.Messages.Select(static m => new RecentUserEvent(m.Name, m.Payload))])).ToList();
        return SerfCodec.Encode(new SerfPushPull(
            _clock.Time, times, left, _eventClock.Time, events, _queryClock.Time));
    }

    private void MergeState(ReadOnlyMemory<byte> state, bool join)
    {
        if (!SerfCodec.TryDecode(state.Span, out var message) || message is not SerfPushPull theirs)
        {
            _listener.Note(SwimNote.Unexpected, "an exchange whose state is none of serf's");
            return;
        }

        // The clocks stand one behind the next message, which is yet to come.
        if ((theirs.LTime > 0 && !_clock.Witness(theirs.LTime - 1))
            || (theirs.EventLTime > 0 && !_eventClock.Witness(theirs.EventLTime - 1))
            || (theirs.QueryLTime > 0 && !_queryClock.Witness(theirs.QueryLTime - 1)))
        {
            return;
        }

        var left = theirs.LeftMembers.ToHashSet(StringComparer.Ordinal);
        foreach (var (name, time) in theirs.StatusLTimes)
        {
            if (left.Contains(name))
            {
                HearLeave(new LeaveIntent(time, name, Prune: false));
            }
            else
            {
                HearJoin(new JoinIntent(time, name));
            }
        }

        if (join && _config.IgnoresOldEvents && _joins.Count > 0)
        {
            _recentEvents.TimeMin = Math.Max(_recentEvents.TimeMin, theirs.EventLTime);
        }

        foreach (var slot in theirs.Events)
        {
            foreach (var happened in slot.Events)
            {
                HearEvent(new UserEvent(slot.LTime, happened.Name, happened.Payload, CanCoalesce: false));
            }
        }
    }
}
