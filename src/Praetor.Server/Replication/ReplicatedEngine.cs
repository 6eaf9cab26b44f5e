using System.Buffers;
using System.Diagnostics;
using Praetor.Server.State;
using Praetor.Server.Storage;
using Praetor.Server.Storage.Etcd;

namespace Praetor.Server.Replication;

/// <summary>Writes the state's batches to the replicated log, while this server leads.</summary>
/// <remarks>One writer calls <see cref="Commit"/> and <see cref="Prove"/>; <see cref="Replica"/> says when this server
/// leads.</remarks>
internal sealed class ReplicatedEngine(
    ReplicatedLog log, StateSnapshots snapshots, ReplicationOptions options, TimeProvider time) : IStorageEngine
{
    private const string NoLeader = "No cluster leader";
    private const string Lost = "leadership lost while committing log";

    private const string TooLargeRemedy = "make it smaller, or start etcd with a larger --max-request-bytes and set "
        + "etcd_max_request_bytes of all servers to the same";

    /// <summary>What an entry of the log costs beside its bytes, in bytes: its place in etcd's index, file and own log,
    /// and its part of a reading by who was away. A log of many small entries is cut before reading them takes
    /// seconds.</summary>
    internal const int EntryCost = 1024;

    // Enough to find the place in the log of any state that may still be the current one.
    private const int PlacesKept = 4096;

    private readonly ArrayBufferWriter<byte> _entry = new();
    private readonly Lock _gate = new();
    private readonly Queue<(ulong Sequence, ulong LastIndex)> _places = new();
    private volatile Leadership? _lead;

    // The proof that is under way, and the one that follows it and has not been sent.
    private Task<bool>? _proof;
    private Task<bool>? _nextProof;

    /// <inheritdoc/>
    public string Name => "etcd";

    /// <summary>Told when this server finds that it leads no more, with the reason.</summary>
    public event Action<string>? Ended;

    /// <summary>Says what is wrong with etcd, for those whose writes are refused. Null result: nothing is known.
    /// </summary>
    public Func<string?> Trouble { get; set; } = static () => null;

    /// <summary>Whether this server leads, as far as it knows.</summary>
    public bool Leads => _lead is not null;

    /// <summary>The leadership's number; 0: this server does not lead.</summary>
    public ulong Epoch => _lead?.Term.Leader.Epoch ?? 0;

    /// <summary>Whether nobody else can have written, by the clock alone.</summary>
    public bool HasLease => _lead is { } lead && time.GetTimestamp() < Volatile.Read(ref lead.LeaseEnd);

    /// <summary>What the log costs since the last snapshot, as far as this server has seen it: its bytes, and
    /// <see cref="EntryCost"/> for each entry.</summary>
    public long LogBytes => Volatile.Read(ref _logBytes);

    /// <summary>Whether there was no room for a snapshot: then only what removes is taken, so that there is room for
    /// that, and one can follow.</summary>
    public bool IsTight
    {
        get => _isTight;
        set => (_hasRemoved, _isTight) = (false, value);
    }

    /// <summary>Whether something was removed while it was tight.</summary>
    public bool HasRemoved => _hasRemoved;

    private long _logBytes;
    private volatile bool _isTight;
    private volatile bool _hasRemoved;

    /// <inheritdoc/>
    public long BatchBytesMax => options.EntryBytes;

    /// <inheritdoc/>
    /// <remarks>The replica brings the state; here is none.</remarks>
    public ulong Load(Action<StoredRow> visit) => 0;

    /// <summary>This server leads from now on.</summary>
    /// <param name="term">What it won.</param>
    /// <param name="applied">The last place in the log, and the last index, of the state.</param>
    public void Begin(Term term, (ulong Sequence, ulong LastIndex) applied)
    {
        lock (_gate)
        {
            _places.Clear();
            _places.Enqueue(applied);
            _proof = _nextProof = null;
        }

        _lead = new Leadership(term) { Last = applied.Sequence };
    }

    /// <summary>This server leads no more; gives what it had.</summary>
    public Term? End()
    {
        var lead = _lead;
        _lead = null;
        return lead?.Term;
    }

    /// <summary>The last place in the log that a state contains.</summary>
    public ulong SequenceAt(ulong index)
    {
        lock (_gate)
        {
            return _places.LastOrDefault(p => p.LastIndex <= index).Sequence;
        }
    }

    /// <summary>A snapshot has taken the place of so much of the log.</summary>
    public void Shorten(long bytes) => Interlocked.Add(ref _logBytes, -bytes);

    /// <summary>An entry of so many bytes stands in the log.</summary>
    public void Grow(int bytes) => Interlocked.Add(ref _logBytes, bytes + EntryCost);

    /// <inheritdoc/>
    /// <remarks>A command is one entry at least, and a whole state is written record by record.</remarks>
    public CommandSize Measure(IEnumerable<RecordChange> changes, bool replacesAll)
    {
        var (count, all, largest, first) = (0, 0L, 0L, (RecordChange?)null);
        foreach (var change in changes)
        {
            var size = ChangeCodec.SizeOf(change, keeps: !replacesAll);
            count++;
            all += size;
            (largest, first) = size > largest ? (size, change) : (largest, first);
        }

        var needed = replacesAll ? largest : all;
        if (needed <= options.CommandBytesMax)
        {
            return new CommandSize(all, Refusal: null);
        }

        var what = count == 1 || replacesAll ? Name(first!)
            : $"{count} changes, the largest of them {Name(first!)} with {largest} bytes";
        return new CommandSize(all, $"too large for the store: {what} takes {needed} bytes, and etcd takes requests "
            + $"of {options.RequestBytesMax} bytes, of which {options.CommandBytesMax} are for the data; "
            + TooLargeRemedy);

        static string Name(RecordChange change) => $"{change.Table.Name} \"{KeyBytes.Text(change.Key)}\"";
    }

    /// <inheritdoc/>
    public void Commit(CommitBatch batch)
    {
        var lead = _lead ?? throw new StorageNotLeaderException(With(Trouble(), NoLeader));
        if (batch.Whole is { } state)
        {
            Replace(lead, state);
            return;
        }

        if (_isTight && batch.Changes.Any(static change => change.Record is not null))
        {
            throw new StorageFullException(
                "etcd: no space left to write to (its quota has no room for another snapshot); delete what is not "
                + "needed, or raise etcd_quota_bytes");
        }

        // One entry, whole or not at all: the state sees to it that a batch is no larger than one may be.
        Append(lead, EntryOf(lead, batch), batch.LastIndex);
        _hasRemoved = _isTight;
    }

    /// <inheritdoc/>
    public void Prove()
    {
        if (!HasLease && !ProveAsync(CancellationToken.None).GetAwaiter().GetResult())
        {
            throw new StorageNotLeaderException(With(Trouble(), NoLeader));
        }
    }

    /// <summary>Proves by a write that this server leads; those who ask at the same time share one.</summary>
    public Task<bool> ProveAsync(CancellationToken stop)
    {
        Task<bool> mine;
        lock (_gate)
        {
            // One that is under way may have been done before the caller came, so only one not sent yet counts.
            mine = _nextProof
                ?? (_proof is { IsCompleted: false } running
                    ? _nextProof = ProveAfterAsync(running) : _proof = ProveOnceAsync());
        }

        return mine.WaitAsync(stop);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        // The log's connection belongs to who made it.
    }

    private byte[] EntryOf(Leadership lead, CommitBatch batch)
    {
        _entry.ResetWrittenCount();
        ChangeCodec.WriteHeader(_entry, lead.Term.Leader.Epoch, batch.LastIndex);
        foreach (var change in batch.Changes)
        {
            ChangeCodec.Write(_entry, change);
        }

        return _entry.WrittenSpan.ToArray();
    }

    private void Append(Leadership lead, byte[] entry, ulong lastIndex)
    {
        var sent = time.GetTimestamp();
        var sequence = lead.Last + 1;
        bool isDone;
        try
        {
            isDone = log.Append(lead.Term, sequence, entry);
        }
        catch (EtcdRefusedException e)
        {
            throw Refused(e, "write");
        }
        catch (EtcdUnknownException e)
        {
            throw Over(lead, $"{Lost}: {Trouble() ?? e.Message}");
        }

        if (!isDone)
        {
            throw Over(lead, With(Trouble(), Lost));
        }

        Renew(lead, sent);
        Advance(lead, sequence, lastIndex);
        Grow(entry.Length);
    }

    private static StorageFullException Refused(EtcdRefusedException e, string what) => new(
        e.IsNoSpace ? $"etcd: no space left to write to ({e.Message}); free some"
        : e.IsTooLarge ? $"etcd does not take the {what}: {e.Message}; {TooLargeRemedy}"
        : $"etcd does not take the {what}: {e.Message}", e);

    private static string With(string? why, string what) => why is null ? what : $"{what}: {why}";

    // A state from elsewhere is no entry: it is a snapshot at a place of its own, with which the log goes on.
    private void Replace(Leadership lead, StateSnapshot state)
    {
        var sequence = lead.Last + 1;
        try
        {
            var written = snapshots.WriteAsync(
                lead.Term, state, sequence, CancellationToken.None).GetAwaiter().GetResult();
            if (written is null)
            {
                throw Over(lead, With(Trouble(), Lost));
            }
        }
        catch (EtcdRefusedException e)
        {
            throw Refused(e, "state");
        }
        catch (EtcdUnknownException e)
        {
            throw Over(lead, $"{Lost}: {Trouble() ?? e.Message}");
        }

        // No beat and no entry, so it says nothing to those who wait for one: the lease is not renewed.
        Advance(lead, sequence, state.Index);
        Interlocked.Exchange(ref _logBytes, 0);
    }

    private void Advance(Leadership lead, ulong sequence, ulong lastIndex)
    {
        lead.Last = sequence;
        lock (_gate)
        {
            _places.Enqueue((sequence, lastIndex));
            if (_places.Count > PlacesKept)
            {
                _places.Dequeue();
            }
        }
    }

    private async Task<bool> ProveAfterAsync(Task running)
    {
        await running.ConfigureAwait(
            ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ForceYielding);
        lock (_gate)
        {
            (_proof, _nextProof) = (_nextProof, null);
        }

        return await ProveOnceAsync();
    }

    private async Task<bool> ProveOnceAsync()
    {
        if (_lead is not { } lead)
        {
            return false;
        }

        var sent = time.GetTimestamp();
        try
        {
            var proof = await log.ProveAsync(lead.Term, lead.Last, CancellationToken.None);
            if (proof == Proof.Heard)
            {
                Renew(lead, sent);
            }

            if (proof != Proof.Over)
            {
                return true;
            }
        }
        catch (Exception e) when (e is EtcdRefusedException or EtcdUnknownException)
        {
            // Whether it leads is not known, so it answers as if it did not.
            return false;
        }

        Over(lead, "another server leads");
        return false;
    }

    private void Renew(Leadership lead, long sent)
    {
        var end = sent + (long)(options.Lease.TotalSeconds * time.TimestampFrequency);
        if (end > Volatile.Read(ref lead.LeaseEnd))
        {
            Volatile.Write(ref lead.LeaseEnd, end);
        }
    }

    private StorageNotLeaderException Over(Leadership lead, string why)
    {
        if (ReferenceEquals(_lead, lead))
        {
            _lead = null;
            Ended?.Invoke(why);
        }

        return new StorageNotLeaderException(why);
    }

    [DebuggerDisplay("{Term}, {Last}")]
    private sealed class Leadership(Term term)
    {
        public long LeaseEnd;
        private ulong _last;

        public Term Term { get; } = term;

        /// <summary>The last place in the log that was written. The writer alone changes it.</summary>
        public ulong Last
        {
            get => Volatile.Read(ref _last);
            set => Volatile.Write(ref _last, value);
        }
    }
}
