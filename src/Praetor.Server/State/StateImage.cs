using Praetor.Server.Model;

namespace Praetor.Server.State;

/// <summary>
/// A whole state that is made beside the one that is served, to take its place in one step
/// (<see cref="WriteTransaction.ReplaceAll"/>).
/// </summary>
/// <remarks>
/// Used by one thread, and not by the writer's: taking a state apart and putting its trees together lasts seconds. Keys
/// that nest byte by byte make the trees as deep as a key may be long, so the thread needs a stack like the writer's.
/// </remarks>
public sealed class StateImage
{
    private readonly WriteTransaction _tx = new(StateSnapshot.Empty(Tables.Slots), 0);
    private readonly List<RecordChange> _records = [];
    private ulong _lastIndex;
    private StateSnapshot? _snapshot;

    /// <summary>How many records there are.</summary>
    public int Count => _records.Count;

    /// <summary>What is in it so far, for reading in between.</summary>
    public ReadView View => _tx;

    /// <summary>All records, as they go to storage.</summary>
    internal IReadOnlyList<RecordChange> Records => _records;

    /// <summary>The state; nothing can be added any more.</summary>
    internal StateSnapshot Snapshot => _snapshot ??= Finish();

    /// <summary>Adds a record with the indexes that it has; false: one with its key is there already.</summary>
    public bool TryAdd<T>(Table<T> table, T record)
        where T : StoredRecord
    {
        var key = table.PrimaryKeyOf(record);
        if (_tx.Peek(table.Primary, key) is not null)
        {
            return false;
        }

        _tx.Restore(table, record);
        _records.Add(new RecordChange(table, key, record, record.ModifyIndex));
        Reach(record.ModifyIndex);
        return true;
    }

    /// <summary>Says that the state is at least at an index.</summary>
    public void Reach(ulong index) => _lastIndex = Math.Max(_lastIndex, index);

    private StateSnapshot Finish()
    {
        _tx.EndRestore();
        return _tx.Finish(_lastIndex);
    }
}
