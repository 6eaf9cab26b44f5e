namespace Praetor.Server.State;

/// <summary>
/// Reads one snapshot and notes what the answer depends on: the highest index of all that was looked at, and the
/// keys whose change would change the answer.
/// </summary>
/// <remarks>Used by one thread. Reads named Peek are not noted.</remarks>
public class ReadView
{
    private readonly List<WatchKey>? _watched;
    private ulong _index;

    /// <summary>A view of a snapshot.</summary>
    /// <param name="snapshot">What to read.</param>
    /// <param name="tracks">Whether to keep the keys for a later watch; the index is noted always.</param>
    public ReadView(StateSnapshot snapshot, bool tracks)
    {
        Snapshot = snapshot;
        _watched = tracks ? [] : null;
    }

    /// <summary>What is read. A <see cref="WriteTransaction"/> replaces it as it goes.</summary>
    public StateSnapshot Snapshot { get; private protected set; }

    /// <summary>The index of the answer: that of the last change to anything noted; never 0.</summary>
    public ulong Index => Math.Max(1, _index);

    internal IReadOnlyList<WatchKey> Watched => _watched ?? [];

    /// <summary>The record at a key, noted.</summary>
    public T? Get<T>(TableIndex<T> index, byte[] key)
        where T : StoredRecord
    {
        Note(new WatchKey(index.Slot, key, IsPrefix: false));
        return Peek(index, key);
    }

    /// <summary>The records under a prefix in key order, noted.</summary>
    public IEnumerable<T> Scan<T>(TableIndex<T> index, byte[] prefix)
        where T : StoredRecord
    {
        NotePrefix(index, prefix);
        return PeekScan(index, prefix);
    }

    /// <summary>The record at a key, not noted.</summary>
    public T? Peek<T>(TableIndex<T> index, ReadOnlySpan<byte> key)
        where T : StoredRecord => (T?)TreeOf(index).Get(key);

    /// <summary>The records under a prefix in key order, not noted.</summary>
    public IEnumerable<T> PeekScan<T>(TableIndex<T> index, byte[] prefix)
        where T : StoredRecord
    {
        foreach (var record in TreeOf(index).Scan(prefix))
        {
            yield return (T)record;
        }
    }

    /// <summary>Notes that the answer depends on everything under a prefix.</summary>
    public void NotePrefix(TableIndex index, byte[] prefix) =>
        Note(new WatchKey(index.Slot, prefix, IsPrefix: true));

    /// <summary>Notes that the answer depends on one key.</summary>
    public void NoteKey(TableIndex index, byte[] key) => Note(new WatchKey(index.Slot, key, IsPrefix: false));

    /// <summary>How many records an index holds.</summary>
    public int Count(TableIndex index) => TreeOf(index).Count;

    internal virtual RadixTree<StoredRecord> TreeOf(TableIndex index) => Snapshot.Trees[index.Slot];

    private void Note(in WatchKey key)
    {
        _index = Math.Max(_index, LastIndexOf(key));
        _watched?.Add(key);
    }

    private ulong LastIndexOf(in WatchKey key) => Snapshot.LastIndexOf(key);
}
