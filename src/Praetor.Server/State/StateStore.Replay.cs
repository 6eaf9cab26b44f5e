using Praetor.Server.Replication;

namespace Praetor.Server.State;

/// <summary>What the state takes over from other servers.</summary>
public sealed partial class StateStore
{
    /// <summary>Does what another server committed; ends when it is published.</summary>
    /// <remarks>An entry whose last index the state has already adds nothing.</remarks>
    internal Task ReplayAsync(LogEntry entry) => SubmitAsync(new Replay(entry.LastIndex, entry.Changes, isAll: false));

    /// <summary>Puts a whole state in place of this one.</summary>
    internal Task ReplaceAsync(ulong lastIndex, IReadOnlyList<RecordChange> records) =>
        SubmitAsync(new Replay(lastIndex, records, isAll: true));

    private void TakeOver(Replay replay)
    {
        if (replay.IsAll || replay.LastIndex > _current.Index)
        {
            if (replay.IsAll)
            {
                // What was removed meanwhile nobody knows any more, as after a restart.
                Volatile.Write(ref _current, StateOf(replay));
                Watches.FireAll();
                Replaced?.Invoke();
            }
            else
            {
                var tx = new WriteTransaction(_current, replay.LastIndex);
                foreach (var change in replay.Changes)
                {
                    tx.Replay(change);
                }

                Volatile.Write(ref _current, tx.Finish(replay.LastIndex));
                Watches.Fire(tx.Touched);
            }
        }

        ((IPendingCommand)replay).Complete();
    }

    private static StateSnapshot StateOf(Replay replay)
    {
        var image = new StateImage();
        foreach (var change in replay.Changes)
        {
            if (change.Record is { } record)
            {
                image.TryAdd(change.Table, record);
            }
        }

        return image.FinishAsLoaded(replay.LastIndex);
    }

    /// <summary>Changes that are durable already, in the queue of the writer.</summary>
    private sealed class Replay(ulong lastIndex, IReadOnlyList<RecordChange> changes, bool isAll) : Command<bool>
    {
        public ulong LastIndex => lastIndex;

        public IReadOnlyList<RecordChange> Changes => changes;

        public bool IsAll => isAll;

        protected override Outcome<bool> Apply(WriteTransaction tx) => true;
    }
}
