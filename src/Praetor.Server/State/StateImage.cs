using System.Runtime.ExceptionServices;
using Praetor.Server.Model;

namespace Praetor.Server.State;

/// <summary>
/// A whole state that is put together: beside the one that is served, to take its place in one step
/// (<see cref="WriteTransaction.ReplaceAll"/>), or from storage.
/// </summary>
/// <remarks>
/// Used by one thread, and for a restore not by the writer's: taking a state apart and putting its trees together lasts
/// a while. Records go into the primary index as they come; the others are filled at the end, several at once, since no
/// two of them have anything in common. Keys that nest byte by byte make the trees as deep as a key may be long, so the
/// thread needs a stack like the writer's.
/// </remarks>
public sealed class StateImage
{
    // Below it a second thread costs more than it saves.
    private const int CountMinForThreads = 5_000;

    // More threads than there are large indexes would find nothing to do.
    private const int ThreadsMax = 4;

    private readonly WriteTransaction _tx = new(StateSnapshot.Empty(Tables.Slots), 0);
    private readonly byte[]?[] _highest = new byte[]?[Tables.Slots];
    private ulong _lastIndex;
    private StateSnapshot? _snapshot;

    /// <summary>How many records there are.</summary>
    public int Count { get; private set; }

    /// <summary>What is in it so far, for reading in between: only primary indexes are filled before the
    /// end.</summary>
    public ReadView View => _tx;

    /// <summary>The state; nothing can be added any more.</summary>
    internal StateSnapshot Snapshot => _snapshot ??= Finish(0).Finish(_lastIndex);

    /// <summary>Adds a record with the indexes that it has; false: one with its key is there already.</summary>
    public bool TryAdd(Table table, StoredRecord record)
    {
        var key = table.PrimaryKeyOf(record);
        var primary = table.PrimaryIndex;

        // States come mostly in the order of their keys, so there is mostly nothing to search for.
        ref var highest = ref _highest[primary.Slot];
        if (highest is null || key.AsSpan().SequenceCompareTo(highest) > 0)
        {
            highest = key;
        }
        else if (_tx.TreeOf(primary).Get(key) is not null)
        {
            return false;
        }

        _tx.Restore(primary, key, record);
        Count++;
        Reach(record.ModifyIndex);
        return true;
    }

    /// <summary>Says that the state is at least at an index.</summary>
    public void Reach(ulong index) => _lastIndex = Math.Max(_lastIndex, index);

    /// <summary>The state as it was kept somewhere; nothing can be added any more.</summary>
    /// <param name="last">The index of the last command in it.</param>
    /// <remarks>Removals leave nothing, so what is derived counts as changed at the last index: a reader who waits gets
    /// one answer too many, never one too few.</remarks>
    internal StateSnapshot FinishAsLoaded(ulong last)
    {
        var tx = Finish(last);
        tx.CountAsReplaced(ReplacedMark.IndexOf(tx));
        return _snapshot = tx.Finish(last, floor: last);
    }

    private WriteTransaction Finish(ulong derivedAt)
    {
        FillIndexes();
        _tx.EndRestore(derivedAt);
        return _tx;
    }

    private void FillIndexes()
    {
        var work = Tables.All.OrderByDescending(table => _tx.Count(table.PrimaryIndex))
            .SelectMany(static table => Enumerable.Range(0, table.SecondaryCount).Select(i => (table, i))).ToArray();
        var next = -1;
        ExceptionDispatchInfo? failure = null;
        var threads = Count < CountMinForThreads ? 1 : Math.Min(ThreadsMax, Environment.ProcessorCount);
        var others = Enumerable.Range(1, threads - 1)
            .Select(_ => StateThread.Start("state indexes", TryTakeAll)).ToList();
        TryTakeAll();
        others.ForEach(static thread => thread.Join());
        failure?.Throw();

        void TryTakeAll()
        {
            try
            {
                while (Interlocked.Increment(ref next) is var at && at < work.Length)
                {
                    work[at].table.Fill(_tx, work[at].i);
                }
            }
            catch (Exception e) // supervisor: whatever it is, who waits hears of it
            {
                failure = ExceptionDispatchInfo.Capture(e);
            }
        }
    }
}
