using Praetor.Server.Model;

namespace Praetor.Server.State;

/// <summary>A record put or removed, as it goes to the storage engine.</summary>
/// <param name="Table">The record's table.</param>
/// <param name="Key">Its primary key.</param>
/// <param name="Record">The record; null: removed.</param>
/// <param name="Index">The index of the command that did it.</param>
public sealed record RecordChange(Table Table, byte[] Key, StoredRecord? Record, ulong Index)
{
    private byte[]? _bytes;

    /// <summary>The record as bytes. Empty: it is removed.</summary>
    /// <param name="keeps">Whether they are kept for the next who asks: who measures a command and writes it a moment
    /// later encodes it once, and a whole state need not be in memory twice.</param>
    internal byte[] Bytes(bool keeps = false)
    {
        var bytes = _bytes ?? (Record is null ? [] : Table.Encode(Record));
        _bytes = keeps ? bytes : _bytes;
        return bytes;
    }

    /// <summary>Keeps the bytes no longer.</summary>
    internal void Forget() => _bytes = null;
}

/// <summary>What one command does to the state. Reads see what it wrote.</summary>
public sealed class WriteTransaction : ReadView
{
    private readonly RadixEditor<StoredRecord>?[] _editors;
    private readonly List<RecordChange> _changes = [];
    private readonly List<WatchKey> _touched = [];
    private ulong _replacedAt;

    internal WriteTransaction(StateSnapshot from, ulong index)
        : base(from, tracks: false)
    {
        CommandIndex = index;
        _editors = new RadixEditor<StoredRecord>?[from.Trees.Length];
        _replacedAt = from.ReplacedAt;
    }

    /// <summary>The index of this command; records that it puts carry it.</summary>
    public ulong CommandIndex { get; private set; }

    /// <summary>Whether nothing of the state before is left.</summary>
    internal bool ReplacesAll { get; private set; }

    internal IReadOnlyList<RecordChange> Changes => _changes;

    internal IReadOnlyList<WatchKey> Touched => _touched;

    /// <summary>Puts a record in place of the one with the same key, and returns it with its indexes set.</summary>
    public T Put<T>(Table<T> table, T record)
        where T : StoredRecord
    {
        var key = table.PrimaryKeyOf(record);
        var old = Peek(table.Primary, key);
        var stored = (T)(record with { CreateIndex = old?.CreateIndex ?? CommandIndex, ModifyIndex = CommandIndex });
        Apply(table, old, stored);
        _changes.Add(new RecordChange(table, key, stored, CommandIndex));
        return stored;
    }

    /// <summary>Removes a record, if it is there.</summary>
    public void Delete<T>(Table<T> table, T record)
        where T : StoredRecord
    {
        var key = table.PrimaryKeyOf(record);
        if (Peek(table.Primary, key) is not { } old)
        {
            return;
        }

        Apply(table, old, null);
        _changes.Add(new RecordChange(table, key, null, CommandIndex));
    }

    /// <summary>Puts a whole state in place of the one that is there. Its records keep their indexes; the command's own
    /// is above all of them, and what follows stands on the new state.</summary>
    /// <param name="image">The new state. May be used once.</param>
    public void ReplaceAll(StateImage image)
    {
        CommandIndex = Math.Max(CommandIndex, image.Snapshot.Index + 1);
        _replacedAt = CommandIndex;
        ReplacesAll = true;
        Snapshot = image.Snapshot;
        Array.Clear(_editors);
        _changes.Clear();
        _touched.Clear();
    }

    /// <summary>Puts a record that is derived from others: it is indexed and watched, and never stored.</summary>
    internal void PutDerived(TableIndex index, byte[] key, StoredRecord record)
    {
        EditorOf(index.Slot).Set(key, record, CommandIndex);
        _touched.Add(new WatchKey(index.Slot, key, IsPrefix: false));
    }

    internal void RemoveDerived(TableIndex index, byte[] key)
    {
        EditorOf(index.Slot).Remove(key, CommandIndex);
        _touched.Add(new WatchKey(index.Slot, key, IsPrefix: false));
    }

    internal override RadixTree<StoredRecord> TreeOf(TableIndex index) =>
        _editors[index.Slot]?.Peek() ?? Snapshot.Trees[index.Slot];

    /// <summary>Puts a record into one index, with the indexes it has: a part of a state that is put together.
    /// Several threads may do so for different indexes.</summary>
    internal void Restore(TableIndex index, byte[] key, StoredRecord record) =>
        EditorOf(index.Slot).Set(key, record, record.ModifyIndex);

    /// <summary>Notes what follows from all that was restored, as of an index.</summary>
    internal void EndRestore(ulong index)
    {
        CommandIndex = index;
        foreach (var table in Tables.All)
        {
            table.Filled(this);
        }

        _touched.Clear();
    }

    /// <summary>Puts a record under a key of one index, and takes away the one it was found by before.</summary>
    internal void Move(int slot, byte[]? oldKey, byte[]? newKey, StoredRecord? record, ulong index)
    {
        if (oldKey is not null && (newKey is null || !oldKey.AsSpan().SequenceEqual(newKey)))
        {
            EditorOf(slot).Remove(oldKey, index);
            _touched.Add(new WatchKey(slot, oldKey, IsPrefix: false));
        }

        if (newKey is not null)
        {
            EditorOf(slot).Set(newKey, record!, index);
            _touched.Add(new WatchKey(slot, newKey, IsPrefix: false));
        }
    }

    /// <summary>Does what another server did, with the indexes that it had there.</summary>
    internal void Replay(RecordChange change)
    {
        var old = TreeOf(change.Table.PrimaryIndex).Get(change.Key);
        if (old is not null || change.Record is not null)
        {
            Apply(change.Table, old, change.Record, change.Index);
        }
    }

    /// <summary>Says, of a state from storage, when it was replaced.</summary>
    internal void CountAsReplaced(ulong index) => _replacedAt = index;

    internal StateSnapshot Finish(ulong index, ulong? floor = null)
    {
        var trees = new RadixTree<StoredRecord>[_editors.Length];
        for (var slot = 0; slot < trees.Length; slot++)
        {
            trees[slot] = _editors[slot]?.Finish() ?? Snapshot.Trees[slot];
        }

        return new StateSnapshot(index, floor ?? Snapshot.Floor, trees) { ReplacedAt = _replacedAt };
    }

    private void Apply(Table table, StoredRecord? old, StoredRecord? record) =>
        Apply(table, old, record, CommandIndex);

    private void Apply(Table table, StoredRecord? old, StoredRecord? record, ulong index)
    {
        table.Move(this, old, record, index);
        table.Changed(this, old, record);
    }

    private RadixEditor<StoredRecord> EditorOf(int slot) =>
        _editors[slot] ??= new RadixEditor<StoredRecord>(Snapshot.Trees[slot]);
}
