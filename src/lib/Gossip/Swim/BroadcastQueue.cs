using Gossip.Wire;

namespace Gossip.Swim;

/// <summary>Messages for everybody, each sent a limited number of times on packets that have room.</summary>
/// <remarks>
/// Those sent least often go first, so that news overtakes what most have heard; among those the largest that still
/// fits, so that packets are filled. News of somebody takes the place of older news of the same.
/// </remarks>
/// <param name="retransmitMultiplier">See <see cref="SwimConfig.RetransmitMultiplier"/>.</param>
/// <param name="members">How many members there are now.</param>
public sealed class BroadcastQueue(int retransmitMultiplier, Func<int> members)
{
    /// <summary>After so many in a row that do not fit, the packet is taken to be full.</summary>
    private const int MisfitsMax = 32;

    private readonly SortedSet<Entry> _entries = new(Comparer<Entry>.Create(Compare));
    private readonly Dictionary<string, Entry> _named = new(StringComparer.Ordinal);
    private readonly List<Entry> _picked = [];
    private long _numbers;

    public int Count => _entries.Count;

    /// <summary>Queues a message.</summary>
    /// <param name="name">Whose news it is; it replaces what is queued under that name. Null: it replaces
    /// nothing.</param>
    /// <param name="bytes">The encoded size of the message.</param>
    /// <param name="finished">Called when it has been sent often enough, or was replaced or dropped.</param>
    public void Enqueue(string? name, SwimMessage message, int bytes, Action? finished = null)
    {
        if (name is not null && _named.Remove(name, out var old))
        {
            _entries.Remove(old);
            old.Finished?.Invoke();
        }
        var entry = new Entry(name, message, bytes, _numbers++, finished);
        _entries.Add(entry);
        if (name is not null)
        {
            _named[name] = entry;
        }
        Prune(Math.Max(SwimLimits.BroadcastsMax, 2 * members()));
    }

    /// <summary>Adds to a packet what fits and counts it as sent.</summary>
    /// <param name="overhead">Bytes that each message costs beside its own.</param>
    /// <param name="bytesMax">Bytes that are free.</param>
    /// <returns>Bytes used.</returns>
    public int Collect(int overhead, int bytesMax, List<SwimMessage> packet)
    {
        if (_entries.Count == 0)
        {
            return 0;
        }
        var used = Pick(overhead, bytesMax, packet);
        var limit = SwimScale.RetransmitLimit(retransmitMultiplier, members());
        foreach (var entry in _picked)
        {
            CountAsSent(entry, limit);
        }
        _picked.Clear();
        return used;
    }

    /// <summary>Drops what was sent most often until no more than this many are left.</summary>
    public void Prune(int entriesMax)
    {
        while (_entries.Count > entriesMax)
        {
            var last = _entries.Max!;
            Remove(last);
            last.Finished?.Invoke();
        }
    }

    private static int Compare(Entry? left, Entry? right)
    {
        var order = left!.Transmits.CompareTo(right!.Transmits);
        order = order != 0 ? order : right.Bytes.CompareTo(left.Bytes);
        return order != 0 ? order : right.Number.CompareTo(left.Number);
    }

    private int Pick(int overhead, int bytesMax, List<SwimMessage> packet)
    {
        var used = 0;
        var misfits = 0;
        foreach (var entry in _entries)
        {
            if (packet.Count >= SwimLimits.PacketMessagesMax || misfits > MisfitsMax)
            {
                break;
            }
            if (used + overhead + entry.Bytes > bytesMax)
            {
                misfits++;
                continue;
            }
            misfits = 0;
            used += overhead + entry.Bytes;
            packet.Add(entry.Message);
            _picked.Add(entry);
        }
        return used;
    }

    private void CountAsSent(Entry entry, int limit)
    {
        _entries.Remove(entry);
        entry.Transmits++;
        if (entry.Transmits < limit)
        {
            _entries.Add(entry);
            return;
        }
        if (entry.Name is not null)
        {
            _named.Remove(entry.Name);
        }
        entry.Finished?.Invoke();
    }

    private void Remove(Entry entry)
    {
        _entries.Remove(entry);
        if (entry.Name is not null)
        {
            _named.Remove(entry.Name);
        }
    }

    private sealed class Entry(string? name, SwimMessage message, int bytes, long number, Action? finished)
    {
        public string? Name => name;

        public SwimMessage Message => message;

        public int Bytes => bytes;

        public long Number => number;

        public Action? Finished => finished;

        public int Transmits { get; set; }
    }
}
