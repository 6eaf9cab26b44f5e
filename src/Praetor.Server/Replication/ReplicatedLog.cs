using System.Buffers.Binary;
using Praetor.Server.Storage;
using Praetor.Server.Storage.Etcd;

namespace Praetor.Server.Replication;

/// <summary>A leadership that was won.</summary>
/// <param name="Leader">What the leader's record says.</param>
/// <param name="Revision">The record's revision in etcd: every write demands that it is still that.</param>
internal sealed record Term(LeaderRecord Leader, long Revision);

/// <summary>What a proof of a leadership has shown.</summary>
internal enum Proof
{
    /// <summary>It is over.</summary>
    Over,

    /// <summary>It held, and the others hear of it.</summary>
    Heard,

    /// <summary>It held; nobody hears of it.</summary>
    Unheard,
}

/// <summary>What was read of the log at one moment.</summary>
internal sealed record LogView
{
    /// <summary>Who writes. Null: nobody does yet, or the last one resigned.</summary>
    public required LeaderRecord? Leader { get; init; }

    /// <summary>The revision of the leader's record; 0: there never was one.</summary>
    public required long LeaderRevision { get; init; }

    /// <summary>The revision of the last beat.</summary>
    public required long BeatRevision { get; init; }

    /// <summary>The store's revision at that moment.</summary>
    public required long Revision { get; init; }

    /// <summary>Which snapshot the log continues. Null: it has all since the beginning.</summary>
    public required SnapshotPointer? Snapshot { get; init; }

    /// <summary>The revision of that; 0: there is none.</summary>
    public required long SnapshotRevision { get; init; }

    /// <summary>Entries from the asked place on.</summary>
    public required IReadOnlyList<(ulong Sequence, byte[] Bytes)> Entries { get; init; }

    /// <summary>Whether more entries may be there: all that were asked for came. When one of them is missing, a
    /// snapshot has taken its place.</summary>
    public required bool HasMore { get; init; }
}

/// <summary>The replicated log in etcd: what each step reads and writes, and on what condition.</summary>
/// <remarks>
/// Every write is one transaction that demands that the leader's record has not changed since the writer won it, so one
/// who was deposed, or slept through it, cannot write, whatever its clock says. An entry is written only where there
/// is none, so that doing it twice does no harm, and its leadership's number tells whose it is.
/// </remarks>
internal sealed class ReplicatedLog(IEtcd etcd, LogKeys keys, ReplicationOptions options, TimeProvider time)
{
    private readonly LogPace _pace = new(options);

    public LogKeys Keys => keys;

    /// <summary>Reads who leads, and the log from a place on.</summary>
    public async Task<LogView> ReadAsync(ulong from, CancellationToken stop)
    {
        var entries = _pace.Entries;
        var answer = await SeekAsync(new EtcdTxn([], Reads(from, entries), []), _pace.SeekTime, stop);
        var view = ViewOf(answer, skip: 0, entries);
        _pace.Read(view);
        return view;
    }

    /// <summary>The same as of a moment at which a leadership still holds; null: it is over.</summary>
    /// <remarks>It writes, and so takes its place among all writes: some versions of etcd answer reads with old
    /// state.</remarks>
    public async Task<LogView?> ReadAsync(Term term, ulong from, CancellationToken stop)
    {
        var entries = _pace.Entries;
        var within = _pace.SeekTime > options.CallTime ? _pace.SeekTime : options.CallTime;
        var answer = await SeekAsync(
            new EtcdTxn([Holds(term)], [PutBeat(term, from - 1), .. Reads(from, entries)], []), within, stop);
        if (!answer.Succeeded)
        {
            return null;
        }

        var view = ViewOf(answer, skip: 1, entries);
        _pace.Read(view);
        return view;
    }

    /// <summary>Takes the lead from who had it in a view.</summary>
    /// <param name="leader">Who is to lead.</param>
    /// <param name="seen">What was seen.</param>
    /// <param name="quietFrom">It counts only if no beat came since, and no entry from this place on, and none was cut
    /// away. Null: it counts in any case.</param>
    /// <param name="stop">Ends the wait.</param>
    /// <returns>Null: another was faster, or the leader lives.</returns>
    public async Task<Term?> TakeLeadAsync(LeaderRecord leader, LogView seen, ulong? quietFrom, CancellationToken stop)
    {
        var conditions = new List<EtcdCompare> { new(keys.Leader, seen.LeaderRevision) };
        if (quietFrom is { } next)
        {
            conditions.Add(new EtcdCompare(keys.Beat, seen.BeatRevision));
            conditions.Add(new EtcdCompare(keys.Log(next), 0));
            conditions.Add(new EtcdCompare(keys.Base, seen.SnapshotRevision));
        }

        var answer = await SeekAsync(
            new EtcdTxn(
                conditions,
                [new EtcdPut(keys.Leader, ReplicationJson.Bytes(leader)), new EtcdPut(keys.Beat, [])],
                []),
            _pace.SeekTime,
            stop);
        return answer.Succeeded ? new Term(leader, answer.Revision) : null;
    }

    /// <summary>Gives the lead back, so that others need not wait for silence.</summary>
    /// <param name="term">What is given back.</param>
    /// <param name="successor">The node id of who should take it. Empty: whoever is first.</param>
    /// <param name="stop">Ends the wait.</param>
    public Task ResignAsync(Term term, string successor, CancellationToken stop) => CallAsync(
        new EtcdTxn(
            [Holds(term)],
            [new EtcdPut(keys.Leader, ReplicationJson.Bytes(term.Leader with { Id = "", Name = successor }))],
            []),
        stop);

    /// <summary>Proves by a write that a leadership holds.</summary>
    /// <param name="term">The leadership.</param>
    /// <param name="last">The last place in the log that it wrote; 0: it does not know.</param>
    /// <param name="stop">Ends the wait.</param>
    public async Task<Proof> ProveAsync(Term term, ulong last, CancellationToken stop)
    {
        try
        {
            var answer = await CallAsync(new EtcdTxn([Holds(term)], [PutBeat(term, last)], []), stop);
            return answer.Succeeded ? Proof.Heard : Proof.Over;
        }
        catch (EtcdRefusedException e) when (e.IsNoSpace)
        {
            // What removes nothing needs no space and takes its place among all writes; but nobody hears it, so it
            // holds nobody off, and says nothing of a moment later.
            var answer = await CallAsync(
                new EtcdTxn([Holds(term)], [new EtcdDelete(keys.Nothing, null)], []), stop);
            return answer.Succeeded ? Proof.Unheard : Proof.Over;
        }
    }

    /// <summary>Writes an entry on the thread of the caller, which waits; false: the leadership is over, and the
    /// entry is not and never will be there.</summary>
    /// <exception cref="EtcdUnknownException">Nothing is known of the entry, after a long look.</exception>
    /// <exception cref="EtcdRefusedException">It was refused, for lack of space or as too large.</exception>
    public bool Append(Term term, ulong sequence, byte[] entry)
    {
        var begin = time.GetTimestamp();
        var limit = options.OutcomeTime;
        EtcdUnknownException? unclear = null;
        while (true)
        {
            try
            {
                var left = (limit - time.GetElapsedTime(begin)).Ticks;
                var within = Math.Clamp(left, options.Pause.Ticks, options.CallTime.Ticks);
                return AppendOnce(term, keys.Log(sequence), entry, TimeSpan.FromTicks(within));
            }
            catch (EtcdRefusedException e) when (unclear is not null)
            {
                // This one was not done, but one before may have been.
                unclear = new EtcdUnknownException(e.Message, e);
                limit = e.IsAbsent ? options.OutcomeTimeWhenAbsent : limit;
            }
            catch (EtcdUnknownException e)
            {
                unclear = e;
            }

            if (time.GetElapsedTime(begin) >= limit)
            {
                throw unclear;
            }

            // The same again: whichever of the two was done, the other one then does nothing and says so.
            Task.Delay(options.Pause, time).GetAwaiter().GetResult();
        }
    }

    /// <summary>Writes a part of a snapshot; false: the leadership is over.</summary>
    public async Task<bool> PutPartAsync(
        Term term, ulong snapshot, int part, byte[] bytes, CancellationToken stop) =>
        (await CallAsync(
            new EtcdTxn([Holds(term)], [new EtcdPut(keys.Part(snapshot, part), bytes)], []), stop)).Succeeded;

    /// <summary>Reads which snapshot counts; null: the leadership is over.</summary>
    /// <returns>Its place and its revision; zeros: there is none.</returns>
    public async Task<(ulong Sequence, long Revision)?> ReadBaseAsync(Term term, CancellationToken stop)
    {
        var answer = await CallAsync(
            new EtcdTxn([Holds(term)], [PutBeat(term, last: 0), new EtcdRange(keys.Base, null)], []), stop);
        return !answer.Succeeded ? null
            : answer.Answers[1].Rows is [var row]
                ? (ReplicationJson.Pointer(row.Value)?.Sequence ?? 0, row.ModRevision) : (0, 0);
    }

    /// <summary>Makes a snapshot whose parts are there the one that counts, and removes what it replaces.</summary>
    /// <param name="term">The leadership that does it.</param>
    /// <param name="pointer">The snapshot.</param>
    /// <param name="replaced">The revision of the one before: when another one counts meanwhile, this one's parts may
    /// be gone, and it must not take the other's place.</param>
    /// <param name="stop">Ends the wait.</param>
    /// <returns>The store's revision; null: the leadership is over, or another snapshot counts.</returns>
    public async Task<long?> FinishSnapshotAsync(
        Term term, SnapshotPointer pointer, long replaced, CancellationToken stop)
    {
        var at = pointer.Sequence;
        var keptFrom = at > (ulong)options.EntriesKept ? at - (ulong)options.EntriesKept : 0;
        var answer = await CallAsync(
            new EtcdTxn(
                [Holds(term), new EtcdCompare(keys.Base, replaced)],
                [
                    new EtcdPut(keys.Base, ReplicationJson.Bytes(pointer)),
                    new EtcdDelete(keys.Log(0), keys.Log(keptFrom)),
                    new EtcdDelete(keys.PartsFrom, keys.PartsOf(at)),
                    new EtcdDelete(keys.PartsBeyond(at), keys.PartsEnd),
                ],
                []),
            stop);
        return answer.Succeeded ? answer.Revision : null;
    }

    /// <summary>Reads a part of a snapshot; null: it is not there any more.</summary>
    public async Task<byte[]?> ReadPartAsync(ulong snapshot, int part, CancellationToken stop)
    {
        var answer = await CallAsync(
            new EtcdTxn([], [new EtcdRange(keys.Part(snapshot, part), null)], []), stop);
        return answer.Answers[0].Rows is [var row] ? row.Value : null;
    }

    /// <summary>The last place in the log of which a beat knows; 0: it knows of none.</summary>
    public static ulong LastOf(ReadOnlySpan<byte> beat) => beat.Length == 2 * sizeof(ulong)
        ? BinaryPrimitives.ReadUInt64BigEndian(beat[sizeof(ulong)..]) : 0;

    /// <summary>Tells of beats, leaders and entries after a view, in order, as well as etcd can.</summary>
    public IAsyncEnumerable<EtcdEvent> WatchAsync(LogView after, CancellationToken stop) =>
        etcd.WatchAsync(keys.WatchFrom, keys.LogEnd, after.Revision + 1, stop);

    /// <summary>Removes the parts of a snapshot that was not finished.</summary>
    public Task DropPartsAsync(Term term, ulong snapshot, CancellationToken stop) => CallAsync(
        new EtcdTxn([Holds(term)], [new EtcdDelete(keys.PartsOf(snapshot), keys.PartsBeyond(snapshot))], []), stop);

    private bool AppendOnce(Term term, byte[] key, byte[] entry, TimeSpan within)
    {
        EtcdOp look = new EtcdRange(key, null);
        try
        {
            var answer = etcd.Commit(
                new EtcdTxn([Holds(term), new EtcdCompare(key, 0)], [new EtcdPut(key, entry)], [look]),
                within);
            return answer.Succeeded || IsOwn(answer, entry);
        }
        catch (EtcdRefusedException e) when (e.IsNoSpace)
        {
            // etcd says that, too, of the very write that passed its quota, which it has done.
            var answer = etcd.Commit(
                new EtcdTxn([Holds(term)], [look, new EtcdDelete(keys.Nothing, null)], [look]), options.CallTime);
            if (answer.Succeeded && !IsOwn(answer, entry))
            {
                throw;
            }

            return IsOwn(answer, entry);
        }
    }

    private static bool IsOwn(EtcdTxnAnswer answer, byte[] entry) =>
        answer.Answers[0].Rows is [var row] && row.Value.AsSpan().SequenceEqual(entry);

    private EtcdCompare Holds(Term term) => new(keys.Leader, term.Revision);

    // A beat comes after the entry it names: who hears it and has less has missed one.
    private EtcdPut PutBeat(Term term, ulong last)
    {
        var value = new byte[2 * sizeof(ulong)];
        BinaryPrimitives.WriteUInt64BigEndian(value, term.Leader.Epoch);
        BinaryPrimitives.WriteUInt64BigEndian(value.AsSpan(sizeof(ulong)), last);
        return new EtcdPut(keys.Beat, value);
    }

    // The range ends with the entries that are asked for: of an open one etcd counts all keys, each time.
    private EtcdOp[] Reads(ulong from, int entries) =>
    [
        new EtcdRange(keys.Leader, null),
        new EtcdRange(keys.Beat, null),
        new EtcdRange(keys.Base, null),
        new EtcdRange(keys.Log(from), keys.Log(from + (ulong)entries)),
    ];

    private LogView ViewOf(EtcdTxnAnswer answer, int skip, int entries)
    {
        var (leader, beat, snapshot, log) = (
            answer.Answers[skip].Rows, answer.Answers[skip + 1].Rows, answer.Answers[skip + 2].Rows,
            answer.Answers[skip + 3]);
        var record = leader is [var row] ? ReplicationJson.Leader(row.Value) : null;
        return new LogView
        {
            Leader = record,
            LeaderRevision = leader is [var l] ? l.ModRevision : 0,
            BeatRevision = beat is [var b] ? b.ModRevision : 0,
            Revision = answer.Revision,
            Snapshot = snapshot is [var s] ? ReplicationJson.Pointer(s.Value) : null,
            SnapshotRevision = snapshot is [var r] ? r.ModRevision : 0,
            Entries = [.. log.Rows.Select(r => (SequenceOf(r.Key), r.Value))],
            HasMore = log.Rows.Count >= entries,
        };
    }

    private ulong SequenceOf(byte[] key) => keys.SequenceOf(key)
        ?? throw new StorageFailedException($"the replicated log has a key that is none: {Convert.ToHexString(key)}");

    private async Task<EtcdTxnAnswer> SeekAsync(EtcdTxn txn, TimeSpan within, CancellationToken stop)
    {
        var begin = time.GetTimestamp();
        try
        {
            var answer = await CallAsync(txn, within, stop);
            _pace.Answered(time.GetElapsedTime(begin));
            return answer;
        }
        catch (Exception e) when (e is EtcdUnknownException or EtcdRefusedException { IsNoSpace: false })
        {
            _pace.Failed();
            throw;
        }
    }

    private Task<EtcdTxnAnswer> CallAsync(EtcdTxn txn, CancellationToken stop) =>
        CallAsync(txn, options.CallTime, stop);

    private async Task<EtcdTxnAnswer> CallAsync(EtcdTxn txn, TimeSpan within, CancellationToken stop)
    {
        using var limit = new CancellationTokenSource(within, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(stop, limit.Token);
        try
        {
            return await etcd.CommitAsync(txn, both.Token);
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            throw new EtcdUnknownException($"etcd did not answer within {within.TotalMilliseconds} ms");
        }
    }
}
