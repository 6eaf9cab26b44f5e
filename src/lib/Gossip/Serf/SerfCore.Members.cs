using System.Net;
using Gossip.Serf.Wire;
using Gossip.Swim;
using Gossip.Wire;

namespace Gossip.Serf;

// Who is there and why somebody is not. SWIM says that a member is silent; the intents say whether it meant to be.
public sealed partial class SerfCore
{
    private readonly Dictionary<string, Entry> _members = new(StringComparer.Ordinal);

    // Intents can overtake the news that their member exists.
    private readonly Dictionary<string, Intent> _unknown = new(StringComparer.Ordinal);
    private readonly HashSet<long> _joins = [];
    private bool _isLeaving;
    private bool _hasLeft;

    /// <summary>All members that are known, whatever became of them, by name.</summary>
    public IReadOnlyList<SerfMember> Members() =>
        [.. _members.Values.Select(Seen).OrderBy(static member => member.Name, StringComparer.Ordinal)];

    /// <summary>A member; null: it is not known.</summary>
    public SerfMember? Find(string name) => _members.TryGetValue(name, out var entry) ? Seen(entry) : null;

    /// <summary>Makes this member's pool and the seed's one.</summary>
    /// <returns>A number that <see cref="ISerfListener.JoinCompleted"/> repeats.</returns>
    public long Join(IPEndPoint seed, TimeSpan now)
    {
        _now = now;
        var join = _swim.Join(seed, now);
        _joins.Add(join);
        Flush(now);
        return join;
    }

    /// <summary>Leaves: says so, waits until it was heard, and tells by <see
    /// cref="ISerfListener.LeaveCompleted"/>.</summary>
    public void Leave(TimeSpan now)
    {
        _now = now;
        if (_isLeaving)
        {
            return;
        }

        _isLeaving = true;
        var intent = new LeaveIntent(_clock.Next(), Name, Prune: false);
        HearLeave(intent);
        var isSaid = false;
        void Said(TimeSpan at)
        {
            // By its broadcast being done, or after a time: whichever is first.
            if (!isSaid)
            {
                isSaid = true;
                _swim.Leave(at);
                Later(_config.BroadcastTimeout, LeaveWasSpread);
            }
        }

        if (AnyOtherLives())
        {
            Spread(_intents, intent, () => _later.Add(Said));
            Later(_config.BroadcastTimeout, Said);
        }
        else
        {
            Said(now);
        }

        Flush(now);
    }

    /// <summary>Declares a failed member as left, so that nobody tries to reach it any more.</summary>
    /// <param name="prune">Whether it is forgotten altogether.</param>
    /// <returns>Whether such a member is known.</returns>
    public bool ForceLeave(string name, bool prune, TimeSpan now)
    {
        _now = now;
        if (!_members.ContainsKey(name))
        {
            return false;
        }

        var intent = new LeaveIntent(_clock.Next(), name, prune);
        HearLeave(intent);
        if (AnyOtherLives())
        {
            Spread(_intents, intent);
        }

        Flush(now);
        return true;
    }

    // Of joins that somebody asked for; attempts to reach failed members are this layer's own affair.
    private void JoinCompleted(long join, IPEndPoint seed, string? error)
    {
        if (!_joins.Remove(join))
        {
            return;
        }

        if (error is null)
        {
            _later.Add(_ => AnnounceJoin());
        }

        _listener.JoinCompleted(join, seed, error);
    }

    private void AnnounceJoin()
    {
        var intent = new JoinIntent(_clock.Next(), Name);
        HearJoin(intent);
        Spread(_intents, intent);
    }

    private void LeaveWasSpread(TimeSpan now)
    {
        if (!_hasLeft)
        {
            _hasLeft = true;
            var hearers = AnyOtherLives();
            Later(hearers ? _config.LeavePropagateDelay : TimeSpan.Zero, _ => _listener.LeaveCompleted());
        }
    }

    private bool AnyOtherLives() =>
        _members.Values.Any(entry => entry.Status == SerfStatus.Alive && entry.Member.Name != Name);

    private void Joined(Member member)
    {
        if (!_members.TryGetValue(member.Name, out var entry))
        {
            entry = new Entry(member);
            _members.Add(member.Name, entry);
            if (_unknown.Remove(member.Name, out var intent))
            {
                entry.StatusTime = intent.Time;
                entry.Status = intent.Leaves ? SerfStatus.Leaving : SerfStatus.Alive;
            }
        }
        else
        {
            entry.Status = SerfStatus.Alive;
            entry.Take(member);
        }

        _listener.MemberChanged(MemberChange.Joined, Seen(entry));
    }

    private void Updated(Member member)
    {
        if (_members.TryGetValue(member.Name, out var entry))
        {
            entry.Take(member);
            _listener.MemberChanged(MemberChange.Updated, Seen(entry));
        }
    }

    private void Gone(Member member)
    {
        if (!_members.TryGetValue(member.Name, out var entry))
        {
            return;
        }

        entry.Take(member);
        entry.GoneAt = _now;

        // Its own word in SWIM's claim counts like an intent: the intent may have been lost on the way.
        var meantTo = entry.Status == SerfStatus.Leaving || member.State == MemberState.Left;
        entry.Status = meantTo ? SerfStatus.Left : SerfStatus.Failed;
        _listener.MemberChanged(meantTo ? MemberChange.Left : MemberChange.Failed, Seen(entry));
    }

    /// <summary>Takes in that somebody leaves; true: it is news and is passed on.</summary>
    private bool HearLeave(LeaveIntent leave)
    {
        if (!_clock.Witness(leave.LTime))
        {
            return false;
        }

        if (!_members.TryGetValue(leave.Node, out var entry))
        {
            return Remember(leave.Node, leave.LTime, leaves: true);
        }

        if (leave.LTime <= entry.StatusTime)
        {
            return false;
        }

        if (leave.Node == Name && !_isLeaving)
        {
            // Somebody thinks that this member left, perhaps because it did before a restart.
            _later.Add(_ => AnnounceJoin());
            return false;
        }

        entry.StatusTime = leave.LTime;
        switch (entry.Status)
        {
            case SerfStatus.Alive:
                entry.Status = SerfStatus.Leaving;
                break;
            case SerfStatus.Failed:
                entry.Status = SerfStatus.Left;
                _listener.MemberChanged(MemberChange.Left, Seen(entry));
                break;
        }

        if (leave.Prune && leave.Node != Name)
        {
            Prune(entry);
        }

        return true;
    }

    // One that still leaves is given the time to do so.
    private void Prune(Entry entry)
    {
        if (entry.Status != SerfStatus.Leaving)
        {
            Forget(entry);
            return;
        }

        Later(_config.BroadcastTimeout + _config.LeavePropagateDelay, _ =>
        {
            if (entry.Status is SerfStatus.Left or SerfStatus.Failed)
            {
                Forget(entry);
            }
        });
    }

    /// <summary>Takes in that somebody joined; true: it is news and is passed on.</summary>
    private bool HearJoin(JoinIntent join)
    {
        if (!_clock.Witness(join.LTime))
        {
            return false;
        }

        if (!_members.TryGetValue(join.Node, out var entry))
        {
            return Remember(join.Node, join.LTime, leaves: false);
        }

        if (join.LTime <= entry.StatusTime)
        {
            return false;
        }

        entry.StatusTime = join.LTime;
        if (entry.Status == SerfStatus.Leaving)
        {
            entry.Status = SerfStatus.Alive;
        }

        return true;
    }

    private bool Remember(string name, ulong time, bool leaves)
    {
        if (name.Length is 0 or > SwimLimits.NameCharsMax)
        {
            return false;
        }

        var isKnown = _unknown.TryGetValue(name, out var old);
        if ((isKnown && old.Time >= time) || (!isKnown && _unknown.Count >= SerfLimits.IntentsMax))
        {
            return false;
        }

        _unknown[name] = new Intent(time, leaves, _now);
        return true;
    }

    private void Reap(TimeSpan now)
    {
        Later(_config.ReapInterval, Reap);
        foreach (var entry in _members.Values.ToArray())
        {
            var limit = entry.Status switch
            {
                SerfStatus.Failed => ReconnectTimeoutOf(entry),
                SerfStatus.Left => _config.TombstoneTimeout,
                _ => TimeSpan.MaxValue,
            };
            if (limit != TimeSpan.MaxValue && now - entry.GoneAt > limit)
            {
                Forget(entry);
            }
        }

        foreach (var (name, intent) in _unknown.ToArray())
        {
            if (now - intent.HeardAt > _config.IntentTimeout)
            {
                _unknown.Remove(name);
            }
        }
    }

    private TimeSpan ReconnectTimeoutOf(Entry entry) =>
        _config.ReconnectTimeoutOf?.Invoke(Decoded(entry.Member.Meta)) ?? _config.ReconnectTimeout;

    private void Forget(Entry entry)
    {
        _members.Remove(entry.Member.Name);
        _coordinates.Remove(entry.Member.Name);
        _places.Forget(entry.Member.Name);
        _listener.MemberChanged(MemberChange.Reaped, Seen(entry));
    }

    // The more have failed, the likelier this member tries; in a large pool somebody always does.
    private void Reconnect(TimeSpan now)
    {
        Later(_config.ReconnectInterval, Reconnect);
        var failed = _members.Values.Where(static entry => entry.Status == SerfStatus.Failed).ToArray();
        var alive = Math.Max(1, _members.Values.Count(static entry => entry.Status == SerfStatus.Alive));
        if (_isLeaving || failed.Length == 0 || _random.NextDouble() > (double)failed.Length / alive)
        {
            return;
        }

        _swim.Join(failed[_random.Next(failed.Length)].Member.Address, now);
    }

    private string? RefuseMerge(IReadOnlyList<PushNodeState> remote)
    {
        var members = new List<SerfMember>(remote.Count);
        foreach (var state in remote)
        {
            var status = state.State switch
            {
                MemberState.Alive or MemberState.Suspect => SerfStatus.Alive,
                MemberState.Left => SerfStatus.Left,
                _ => SerfStatus.Failed,
            };
            members.Add(new SerfMember(
                state.Name, state.Address, Decoded(state.Meta), status, state.Versions));
        }

        return _listener.RefuseMerge(members);
    }

    private SerfMember Seen(Entry entry) => Seen(entry.Member, entry.Status);

    private SerfMember Seen(Member member, SerfStatus status) => new(
        member.Name, member.Address, member.Name == Name ? _tags : Decoded(member.Meta), status,
        member.Versions);

    private readonly record struct Intent(ulong Time, bool Leaves, TimeSpan HeardAt);

    private sealed class Entry(Member member)
    {
        public Member Member { get; private set; } = member;

        public SerfStatus Status { get; set; } = SerfStatus.Alive;

        /// <summary>The Lamport time of the intent that the status comes from.</summary>
        public ulong StatusTime { get; set; }

        public TimeSpan GoneAt { get; set; }

        public void Take(Member member) => Member = member;
    }
}
