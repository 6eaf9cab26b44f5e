using Praetor.Server.Model;
using Praetor.Server.Storage;

namespace Praetor.Server.State;

/// <summary>
/// The state of a datacenter: one writer, many readers.
/// </summary>
/// <remarks>
/// The problem: thousands of readers must see a consistent state without waiting, writers must be told only what is
/// durable, and a sync of the disk costs as much as a hundred changes in memory.
/// The idea: one thread owns the state. It takes all commands that gathered while the batch before was being synced,
/// applies them one after another to the next version of immutable trees, hands the changes to the storage engine as
/// one batch, and only then publishes the version, wakes those who wait for what changed, and answers.
/// Why it is safe: nobody sees a version before its batch is durable, since publishing comes after the commit, and
/// every command sees all commands before it, since one thread applies them in order. A batch that fails is dropped
/// whole: the next one starts from the version that was published last.
/// </remarks>
public sealed partial class StateStore : IDisposable
{
    /// <summary>How many commands may wait for the writer; more are refused at once rather than pile up.</summary>
    public const int PendingCommandsMax = 16 * 1024;

    /// <summary>How many commands one batch takes, so that its sync and its answers stay short.</summary>
    public const int BatchCommandsMax = 1024;

    // HTTP's status of what will be too large again.
    private const int TooLarge = 413;

    // A reader of an empty state waits behind index 1, the lowest that an answer has; the first change lies beyond it.
    private const ulong FirstIndex = 2;

    private static readonly Refusal Overloaded =
        new(503, $"the server has {PendingCommandsMax} writes waiting; try again later");

    private static readonly Refusal Stopped = new(500, "the server is stopping");

    private readonly IStorageEngine _engine;
    private readonly Lock _gate = new();
    private readonly AutoResetEvent _arrived = new(false);
    private readonly Thread _writer;
    private List<IPendingCommand> _pending = [];
    private StateSnapshot _current;
    private bool _stopping;
    private volatile string? _failure;

    /// <summary>Loads the state from the engine and starts the writer.</summary>
    /// <exception cref="StorageFailedException">The state cannot be read.</exception>
    public StateStore(IStorageEngine engine)
    {
        _engine = engine;
        _current = Load(engine);
        Watches = new WatchTrie(Tables.Slots);
        _writer = StateThread.Start("state writer", Run);
    }

    /// <summary>Told, once, when durability cannot be promised any more: the process must end.</summary>
    public event Action<StorageFailedException>? Failed;

    /// <summary>Told by the writer that the whole state was replaced; must return at once.</summary>
    public event Action? Replaced;

    /// <summary>The newest durable state.</summary>
    public StateSnapshot Current => Volatile.Read(ref _current);

    /// <summary>The storage engine's name.</summary>
    public string EngineName => _engine.Name;

    internal WatchTrie Watches { get; }

    /// <summary>Hands a command to the writer; ends when it is durable, or refused.</summary>
    public Task<Outcome<T>> SubmitAsync<T>(Command<T> command)
    {
        var refusal = Enqueue(command);
        if (refusal is not null)
        {
            ((IPendingCommand)command).Refuse(refusal);
        }

        return command.Done;
    }

    /// <summary>Finishes what is waiting and stops the writer.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            if (_stopping)
            {
                return;
            }

            _stopping = true;
        }

        _arrived.Set();
        _writer.Join();
        _engine.Dispose();
        _arrived.Dispose();
    }

    private static StateSnapshot Load(IStorageEngine engine)
    {
        var image = new StateImage();
        var rows = new RowsDecoder((table, record) => image.TryAdd(table, record));
        var last = engine.Load(rows.Add);
        rows.End();
        return image.FinishAsLoaded(last);
    }

    private Refusal? Enqueue(IPendingCommand command)
    {
        lock (_gate)
        {
            if (_stopping)
            {
                return Stopped;
            }

            if (_pending.Count >= PendingCommandsMax)
            {
                return Overloaded;
            }

            _pending.Add(command);
            if (_pending.Count == 1)
            {
                _arrived.Set();
            }
        }

        return null;
    }

    private void Run()
    {
        var batch = new List<IPendingCommand>();
        while (true)
        {
            bool stopping;
            lock (_gate)
            {
                // Read together: what came before the end was decided is in this batch or was.
                (batch, _pending) = (_pending, batch);
                stopping = _stopping;
            }

            if (batch.Count > 0)
            {
                for (var from = 0; from < batch.Count; from += BatchCommandsMax)
                {
                    ProcessUnlessFailed(batch.GetRange(from, Math.Min(BatchCommandsMax, batch.Count - from)));
                }

                batch.Clear();
                continue;
            }

            if (stopping)
            {
                return;
            }

            _arrived.WaitOne();
        }
    }

    // After a sync has failed the next one may seem to work while what the first should have kept is gone.
    private void ProcessUnlessFailed(List<IPendingCommand> commands)
    {
        if (_failure is { } why)
        {
            RefuseAll(commands, why);
            return;
        }

        if (!commands.Exists(static c => c is Replay))
        {
            Process(commands);
            return;
        }

        var run = new List<IPendingCommand>();
        foreach (var command in commands)
        {
            if (command is not Replay replay)
            {
                run.Add(command);
                continue;
            }

            Process(run);
            run = [];
            TakeOver(replay);
        }

        Process(run);
    }

    private void Process(List<IPendingCommand> commands)
    {
        var batch = new Batch(_current);
        for (var i = 0; i < commands.Count; i++)
        {
            var command = commands[i];
            var tx = new WriteTransaction(batch.Next, Math.Max(FirstIndex, batch.Next.Index + 1));
            var size = TryApply(command, tx);
            if (!batch.Takes(size, _engine.BatchBytesMax))
            {
                if (!TryPublish(batch))
                {
                    // What came after stands on what is not.
                    RefuseAll(commands[i..], batch.Failure);
                    return;
                }

                batch = new Batch(batch.Next);
            }

            batch.Commands.Add(command);
            if (size is not null)
            {
                batch.Add(tx, size.Value);
            }
        }

        TryPublish(batch);
    }

    private bool TryPublish(Batch batch)
    {
        if (batch.Commands.Count == 0 || !TryCommit(batch))
        {
            return batch.Commands.Count == 0;
        }

        Volatile.Write(ref _current, batch.Next);
        if (batch.ReplacesAll)
        {
            Watches.FireAll();
            Replaced?.Invoke();
        }
        else
        {
            Watches.Fire(batch.Touched);
        }

        foreach (var command in batch.Commands)
        {
            command.Complete();
        }

        return true;
    }

    // How large what it did is. Null: it did nothing, or was refused, alone: what comes with it is none the worse.
    private CommandSize? TryApply(IPendingCommand command, WriteTransaction tx)
    {
        try
        {
            if (!command.Apply(tx) || (tx.Changes.Count == 0 && !tx.ReplacesAll))
            {
                return null;
            }

            var size = _engine.Measure(
                tx.ReplacesAll ? tx.Finish(tx.CommandIndex).Records() : tx.Changes, tx.ReplacesAll);
            if (size.Refusal is { } why)
            {
                command.Refuse(new Refusal(TooLarge, why));
                return null;
            }

            return size;
        }
        catch (Exception e) // supervisor: a mistake in one command must not end the writer; its changes are dropped
        {
            command.Refuse(Refusal.Failed($"internal error: {e.Message}"));
            return null;
        }
    }

    private bool TryCommit(Batch batch)
    {
        try
        {
            if (batch.Changes.Count > 0 || batch.ReplacesAll)
            {
                var whole = batch.ReplacesAll ? batch.Next : null;
                _engine.Commit(new CommitBatch(batch.Next.Index, batch.Changes) { Whole = whole });
            }
            else
            {
                _engine.Prove();
            }

            return true;
        }
        catch (Exception e) when (e is StorageFullException or StorageNotLeaderException)
        {
            batch.Failure = e.Message;
        }
        catch (Exception e) // supervisor: whatever else went wrong, nothing is known of the batch
        {
            batch.Failure = _failure = e.Message;
            lock (_gate)
            {
                _stopping = true;
            }

            // Whoever ends the process hears of it before those whose writes are gone.
            Failed?.Invoke(e as StorageFailedException ?? new StorageFailedException(e.Message, e));
        }

        RefuseAll(batch.Commands, batch.Failure);
        return false;
    }

    private static void RefuseAll(List<IPendingCommand> commands, string why)
    {
        foreach (var command in commands)
        {
            command.Refuse(Refusal.Failed(why));
        }
    }

    /// <summary>What becomes durable together: commands, what they did, and the state after them.</summary>
    private sealed class Batch(StateSnapshot from)
    {
        private long _bytes;

        public StateSnapshot Next { get; private set; } = from;

        public List<IPendingCommand> Commands { get; } = [];

        public List<RecordChange> Changes { get; } = [];

        public List<WatchKey> Touched { get; } = [];

        public bool ReplacesAll { get; private set; }

        /// <summary>Why it was not kept; empty while nothing failed.</summary>
        public string Failure { get; set; } = "";

        /// <summary>Whether a command goes with those that are there. A whole state is written in parts.</summary>
        public bool Takes(CommandSize? size, long most) =>
            size is not { Bytes: var bytes } || _bytes == 0 || ReplacesAll || _bytes + bytes <= most;

        public void Add(WriteTransaction tx, CommandSize size)
        {
            if (tx.ReplacesAll)
            {
                // What came before it in the batch went with the rest.
                Changes.Clear();
                ReplacesAll = true;
            }

            _bytes += size.Bytes;
            Changes.AddRange(tx.Changes);
            Touched.AddRange(tx.Touched);
            Next = tx.Finish(tx.CommandIndex);
        }
    }
}
