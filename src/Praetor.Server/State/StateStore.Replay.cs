using Praetor.Server.Model;
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
            var from = replay.IsAll ? StateSnapshot.Empty(Tables.Slots) : _current;
            var tx = new WriteTransaction(from, replay.LastIndex);
            foreach (var change in replay.Changes)
            {
                tx.Replay(change);
            }

            if (replay.IsAll)
            {
                tx.CountAsReplaced(ReplacedMark.IndexOf(tx));
            }

            // What was removed meanwhile nobody knows any more, as after a restart.
            var next = tx.Finish(replay.LastIndex, replay.IsAll ? replay.LastIndex : null);
            Volatile.Write(ref _current, next);
            if (replay.IsAll)
            {
                Watches.FireAll();
                Replaced?.Invoke();
            }
            else
            {
                Watches.Fire(tx.Touched);
            }
        }

        ((IPendingCommand)replay).Complete();
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
