using Praetor.Server.Model;

namespace Praetor.Server.State;

/// <summary>The whole state at one index. Immutable: a reader keeps it for as long as it likes.</summary>
public sealed class StateSnapshot
{
    internal StateSnapshot(ulong index, ulong floor, RadixTree<StoredRecord>[] trees)
    {
        Index = index;
        Floor = floor;
        Trees = trees;
    }

    /// <summary>The index of the last command in it.</summary>
    public ulong Index { get; }

    /// <summary>
    /// The index at which the state was loaded. Storage does not know when something was removed before that, so
    /// lists and absent things count as changed then: who waits gets one answer too many, and misses none.
    /// </summary>
    internal ulong Floor { get; }

    /// <summary>
    /// The index at which the whole state was replaced; 0: it never was. Everything counts as changed then: records
    /// keep the indexes that they came with, and what readers wait behind must not go backwards.
    /// </summary>
    internal ulong ReplacedAt { get; init; }

    internal RadixTree<StoredRecord>[] Trees { get; }

    internal static StateSnapshot Empty(int slots)
    {
        var trees = new RadixTree<StoredRecord>[slots];
        Array.Fill(trees, RadixTree<StoredRecord>.Empty);
        return new StateSnapshot(0, 0, trees);
    }

    /// <summary>All records, as they go to storage, in the order of tables and keys; each is made as it is asked
    /// for.</summary>
    internal IEnumerable<RecordChange> Records()
    {
        foreach (var table in Tables.All)
        {
            foreach (var record in Trees[table.PrimaryIndex.Slot].Scan([]))
            {
                yield return new RecordChange(table, table.PrimaryKeyOf(record), record, record.ModifyIndex);
            }
        }
    }

    internal ulong LastIndexOf(in WatchKey key)
    {
        var tree = Trees[key.Slot];
        if (!key.IsPrefix && tree.Get(key.Key) is { } record)
        {
            return Math.Max(ReplacedAt, record.ModifyIndex);
        }

        return Math.Max(Math.Max(ReplacedAt, Floor), tree.LastIndexUnder(key.Key));
    }
}

/// <summary>Something whose change a reader waits for: a key of an index, or all keys that begin alike.</summary>
internal readonly record struct WatchKey(int Slot, byte[] Key, bool IsPrefix);
