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

    /// <summary>How many bytes the log has since the last snapshot, as far as this server has seen them.</summary>
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

    /// <summary>Another server has written so much to the log.</summary>
    public void Grow(long bytes) => Interlocked.Add(ref _logBytes, bytes);

    /// <inheritdoc/>
    public void Commit(CommitBatch batch)
    {
        var lead = _lead ?? throw new StorageNotLeaderException(
            Trouble() is { } why ? $"{NoLeader}: {why}" : NoLeader);
        if (batch.ReplacesAll)
        {
            Replace(lead, batch);
            return;
        }

        if (_isTight && batch.Changes.Any(static change => change.Record is not null))
        {
            throw new StorageFullException(
                "etcd: no space left to write to (its quota has no room for another snapshot); delete what is not "
                + "needed, or raise etcd_quota_bytes");
        }

        var changes = batch.Changes;
        var from = 0;
        while (from < changes.Count)
        {
            var (bytes, to, last) = Fill(lead, changes, from, batch.LastIndex);
            Append(lead, bytes, last, isFirst: from == 0);
            from = to;
        }

        _hasRemoved = _isTight;
    }

    /// <inheritdoc/>
    public void Prove()
    {
        if (!HasLease && !ProveAsync(CancellationToken.None).GetAwaiter().GetResult())
        {
            throw new StorageNotLeaderException(NoLeader);
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

    // As many whole commands as an entry takes, and one in any case.
    private (byte[] Bytes, int To, ulong LastIndex) Fill(
        Leadership lead, IReadOnlyList<RecordChange> changes, int from, ulong batchLast)
    {
        _entry.ResetWrittenCount();
        ChangeCodec.WriteHeader(_entry, lead.Term.Leader.Epoch, batchLast);
        var at = from;
        do
        {
            var index = changes[at].Index;
            while (at < changes.Count && changes[at].Index == index)
            {
                ChangeCodec.Write(_entry, changes[at++]);
            }
        }
        while (at < changes.Count && _entry.WrittenCount < options.EntryBytes);

        var last = at == changes.Count ? batchLast : changes[at - 1].Index;
        var bytes = _entry.WrittenSpan.ToArray();
        ChangeCodec.SetLastIndex(bytes, last);
        return (bytes, at, last);
    }

    private void Append(Leadership lead, byte[] entry, ulong lastIndex, bool isFirst)
    {
        var sent = time.GetTimestamp();
        var sequence = lead.Last + 1;
        bool isDone;
        try
        {
            isDone = log.Append(lead.Term, sequence, entry);
        }
        catch (EtcdRefusedException e) when (isFirst && e.IsNoSpace)
        {
            throw new StorageFullException($"etcd: no space left to write to ({e.Message}); free some", e);
        }
        catch (EtcdRefusedException e) when (isFirst)
        {
            throw new StorageFullException($"etcd does not take the write: {e.Message}", e);
        }
        catch (Exception e) when (e is EtcdRefusedException or EtcdUnknownException)
        {
            throw Over(lead, $"{Lost}: {Trouble() ?? e.Message}");
        }

        if (!isDone)
        {
            throw Over(lead, Lost);
        }

        Renew(lead, sent);
        Advance(lead, sequence, lastIndex);
        Interlocked.Add(ref _logBytes, entry.Length);
    }

    // A state from elsewhere is no entry: it is a snapshot at a place of its own, with which the log goes on.
    private void Replace(Leadership lead, CommitBatch batch)
    {
        var sequence = lead.Last + 1;
        try
        {
            var written = snapshots.WriteAsync(
                lead.Term, batch.Changes, batch.LastIndex, sequence, CancellationToken.None).GetAwaiter().GetResult();
            if (written is null)
            {
                throw Over(lead, Lost);
            }
        }
        catch (EtcdRefusedException e)
        {
            throw new StorageFullException($"etcd does not take the state: {e.Message}", e);
        }
        catch (EtcdUnknownException e)
        {
            throw Over(lead, $"{Lost}: {Trouble() ?? e.Message}");
        }

        // No beat and no entry, so it says nothing to those who wait for one: the lease is not renewed.
        Advance(lead, sequence, batch.LastIndex);
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
