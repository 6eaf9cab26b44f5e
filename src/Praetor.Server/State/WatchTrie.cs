namespace Praetor.Server.State;

/// <summary>Wants to know when something that it read has changed.</summary>
internal interface IWatcher
{
    /// <summary>Called by the writer, once per change or batch; must return at once.</summary>
    void Changed();
}

/// <summary>
/// Who waits for which keys. The writer consults it for each key it changed: one hash look-up for the key itself and
/// one for each distinct length of the prefixes waited for, whatever the number of waiters.
/// </summary>
internal sealed class WatchTrie
{
    private readonly Lock _gate = new();
    private readonly SlotWatches[] _slots;

    public WatchTrie(int slots)
    {
        _slots = new SlotWatches[slots];
        for (var i = 0; i < slots; i++)
        {
            _slots[i] = new SlotWatches();
        }
    }

    public void Add(IReadOnlyList<WatchKey> keys, IWatcher watcher)
    {
        lock (_gate)
        {
            foreach (var key in keys)
            {
                _slots[key.Slot].Add(key, watcher);
            }
        }
    }

    public void Remove(IReadOnlyList<WatchKey> keys, IWatcher watcher)
    {
        lock (_gate)
        {
            foreach (var key in keys)
            {
                _slots[key.Slot].Remove(key, watcher);
            }
        }
    }

    /// <summary>Tells everybody who waits for one of these keys, or for a prefix of it.</summary>
    public void Fire(IEnumerable<WatchKey> changed)
    {
        HashSet<IWatcher>? woken = null;
        lock (_gate)
        {
            foreach (var key in changed)
            {
                _slots[key.Slot].Collect(key.Key, ref woken);
            }
        }

        Tell(woken);
    }

    /// <summary>Tells everybody who waits for anything.</summary>
    public void FireAll()
    {
        HashSet<IWatcher>? woken = null;
        lock (_gate)
        {
            foreach (var slot in _slots)
            {
                slot.CollectAll(ref woken);
            }
        }

        Tell(woken);
    }

    private static void Tell(HashSet<IWatcher>? woken)
    {
        if (woken is null)
        {
            return;
        }

        foreach (var watcher in woken)
        {
            watcher.Changed();
        }
    }

    private sealed class SlotWatches
    {
        private readonly Dictionary<byte[], List<IWatcher>> _exact = new(ByteKeyComparer.Instance);
        private readonly SortedDictionary<int, Dictionary<byte[], List<IWatcher>>> _prefixes = [];

        public void Add(in WatchKey key, IWatcher watcher)
        {
            var map = key.IsPrefix ? PrefixesOf(key.Key.Length) : _exact;
            if (!map.TryGetValue(key.Key, out var list))
            {
                map.Add(key.Key, list = []);
            }

            list.Add(watcher);
        }

        public void Remove(in WatchKey key, IWatcher watcher)
        {
            var map = key.IsPrefix ? PrefixesOf(key.Key.Length) : _exact;
            if (map.TryGetValue(key.Key, out var list) && list.Remove(watcher) && list.Count == 0)
            {
                map.Remove(key.Key);
            }

            if (key.IsPrefix && map.Count == 0)
            {
                _prefixes.Remove(key.Key.Length);
            }
        }

        public void Collect(ReadOnlySpan<byte> key, ref HashSet<IWatcher>? woken)
        {
            if (_exact.Count > 0)
            {
                Collect(_exact, key, ref woken);
            }

            foreach (var (length, map) in _prefixes)
            {
                if (length > key.Length)
                {
                    return;
                }

                Collect(map, key[..length], ref woken);
            }
        }

        public void CollectAll(ref HashSet<IWatcher>? woken)
        {
            foreach (var list in _exact.Values.Concat(_prefixes.Values.SelectMany(static map => map.Values)))
            {
                (woken ??= new HashSet<IWatcher>(ReferenceEqualityComparer.Instance)).UnionWith(list);
            }
        }

        private static void Collect(
            Dictionary<byte[], List<IWatcher>> map, ReadOnlySpan<byte> key, ref HashSet<IWatcher>? woken)
        {
            if (map.GetAlternateLookup<ReadOnlySpan<byte>>().TryGetValue(key, out var list))
            {
                (woken ??= new HashSet<IWatcher>(ReferenceEqualityComparer.Instance)).UnionWith(list);
            }
        }

        private Dictionary<byte[], List<IWatcher>> PrefixesOf(int length)
        {
            if (!_prefixes.TryGetValue(length, out var map))
            {
                _prefixes.Add(length, map = new Dictionary<byte[], List<IWatcher>>(ByteKeyComparer.Instance));
            }

            return map;
        }
    }
}

/// <summary>Compares keys by their bytes, and finds them by spans.</summary>
internal sealed class ByteKeyComparer
    : IEqualityComparer<byte[]>, IAlternateEqualityComparer<ReadOnlySpan<byte>, byte[]>
{
    public static readonly ByteKeyComparer Instance = new();

    public bool Equals(byte[]? x, byte[]? y) => x.AsSpan().SequenceEqual(y);

    public int GetHashCode(byte[] obj) => GetHashCode(obj.AsSpan());

    public bool Equals(ReadOnlySpan<byte> alternate, byte[] other) => alternate.SequenceEqual(other);

    public int GetHashCode(ReadOnlySpan<byte> alternate)
    {
        var hash = default(HashCode);
        hash.AddBytes(alternate);
        return hash.ToHashCode();
    }

    public byte[] Create(ReadOnlySpan<byte> alternate) => alternate.ToArray();
}
