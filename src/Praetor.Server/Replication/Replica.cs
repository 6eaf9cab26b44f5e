using Praetor.Server.State;
using Praetor.Server.Storage;
using Praetor.Server.Storage.Etcd;

namespace Praetor.Server.Replication;

/// <summary>How a leader's end was noticed by who was connected to it.</summary>
public enum LeaderEnd
{
    /// <summary>It cannot be told: the log has the last word.</summary>
    Unclear,

    /// <summary>Its process is not there any more.</summary>
    Gone,
}

/// <summary>Takes a line for the log.</summary>
/// <param name="isWarning">Whether it is a warning.</param>
/// <param name="text">The line.</param>
public delegate void ReplicaLog(bool isWarning, string text);

/// <summary>Says at once when a leader's process ends; only a hint that saves waiting for silence.</summary>
public interface ILeaderPulse
{
    /// <summary>Ends when the leader seems to be gone.</summary>
    Task<LeaderEnd> WaitForEndAsync(LeaderRecord leader, CancellationToken stop);
}

/// <summary>One server's part in replication: follows the log, takes the lead when there is none, and leads.</summary>
/// <remarks>
/// The problem: several servers share one log, any of them may stop, sleep or be cut off at any moment, and two must
/// never write side by side, nor one answer from a state that is not the newest.
/// The idea: who leads stands in one record in etcd, and each write demands that this record is unchanged. Taking the
/// lead changes it. So it is always safe to try, and timers decide only how soon. A follower applies what the log says
/// in order, by place: a place that is missing means reading again, from a snapshot when the log was cut. A leader
/// answers reads while its lease holds, which ends before anybody else gives up waiting for it.
/// Why no leases and locks of etcd: versions that people run revoke and keep them wrongly.
/// </remarks>
public sealed class Replica : IAsyncDisposable
{
    // Between so much and this plus a fifth: two that saw the same silence do not always try at the same moment.
    private const double SilenceSpread = 0.2;
    private const double LeaseMargin = 1.2;

    // Snapshots that wait for their history to be old enough; what one leaves out the next one covers.
    private const int HistoryMax = 1024;

    private readonly ReplicatedLog _log;
    private readonly ReplicatedEngine _engine;
    private readonly StateSnapshots _snapshots;
    private readonly ReplicationOptions _options;
    private readonly ILeaderPulse _pulse;
    private readonly IEtcd _etcd;
    private readonly TimeProvider _time;
    private readonly Random _random;
    private readonly ReplicaLog _tell;
    private readonly CancellationTokenSource _stop = new();
    private readonly SemaphoreSlim _ended = new(0);
    private volatile ReplicaIdentity _self = new("", "", "", 0);
    private volatile LeaderRecord? _leader;
    private volatile string? _successor;
    private LeaderRecord? _silent;
    private ulong _applied;
    private long _heardAt;
    private volatile bool _hasState;
    private bool _hasResigned;
    private long _lastSnapshotBytes;
    private Task _loop = Task.CompletedTask;

    /// <summary>A replica that does nothing yet, and its state, which is empty yet.</summary>
    /// <param name="etcd">The log's home.</param>
    /// <param name="datacenter">Whose state it is.</param>
    /// <param name="pulse">Notices the end of leaders.</param>
    /// <param name="options">Times and sizes.</param>
    /// <param name="time">The clock.</param>
    /// <param name="random">Spreads.</param>
    /// <param name="tell">Where to log.</param>
    public Replica(
        IEtcd etcd, string datacenter, ILeaderPulse pulse, ReplicationOptions options, TimeProvider time,
        Random random, ReplicaLog tell)
    {
        (_etcd, _pulse, _options, _time, _random, _tell) = (etcd, pulse, options, time, random, tell);
        _log = new ReplicatedLog(etcd, new LogKeys(datacenter), options, time);
        _snapshots = new StateSnapshots(_log, options);
        _engine = new ReplicatedEngine(_log, _snapshots, options, time);
        _engine.Ended += why =>
        {
            _tell(true, $"this server leads no more: {why}");
            _ended.Release();
        };
        Store = new StateStore(_engine);
    }

    /// <summary>The state, as far as it was followed.</summary>
    public StateStore Store { get; }

    /// <summary>Who leads, as far as this server knows. Null: nobody does.</summary>
    public LeaderRecord? Leader => _leader is { Id.Length: > 0 } leader ? leader : null;

    /// <summary>Whether this server leads.</summary>
    public bool Leads => _engine.Leads;

    /// <summary>Whether the log was read to its end once: the state is a real one, be it a little behind.</summary>
    public bool HasState => _hasState;

    /// <summary>For how long nothing was heard of the leader. Zero: this server leads.</summary>
    public TimeSpan Silence => Leads || !_hasState ? TimeSpan.Zero : _time.GetElapsedTime(Volatile.Read(ref _heardAt));

    /// <summary>Told when this server begins to lead, with a token that ends when it ceases.</summary>
    public event Action<CancellationToken>? Led;

    /// <summary>Told when another server leads, or none.</summary>
    public event Action? LeaderChanged;

    /// <summary>Told, once, when replication cannot go on: the process must end.</summary>
    public event Action<string>? Failed;

    /// <summary>Says what is wrong with etcd, for those whose writes are refused. Null result: nothing is known.
    /// </summary>
    public Func<string?> Trouble
    {
        get => _engine.Trouble;
        set => _engine.Trouble = value;
    }

    /// <summary>Begins.</summary>
    /// <param name="self">Who this server is.</param>
    public void Start(ReplicaIdentity self)
    {
        _self = self;
        _loop = RunAsync();
    }

    /// <summary>Goes on as another member of etcd; the state stays.</summary>
    public void Become(ReplicaIdentity self) => _self = self;

    /// <summary>Makes sure that what this server answers now is the newest: by its lease, or by a write.</summary>
    /// <param name="isStrict">Whether the lease does not suffice.</param>
    /// <param name="stop">Ends the wait.</param>
    /// <returns>Whether it is.</returns>
    public ValueTask<bool> IsNewestAsync(bool isStrict, CancellationToken stop) =>
        !isStrict && _engine.HasLease ? ValueTask.FromResult(true) : new ValueTask<bool>(_engine.ProveAsync(stop));

    /// <summary>Gives the lead to another server.</summary>
    /// <param name="successor">Its node id. Empty: whoever is first.</param>
    /// <returns>Whether this server led.</returns>
    public bool Resign(string successor)
    {
        if (!_engine.Leads)
        {
            return false;
        }

        _successor = successor;
        _ended.Release();
        return true;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _loop;
        Store.Dispose();
        _snapshots.Dispose();
        _stop.Dispose();
        _ended.Dispose();
    }

    private async Task RunAsync()
    {
        var failures = 0;
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                var view = await CatchUpAsync(term: null);
                failures = 0;
                Hear();
                _hasState = true;
                await FollowAsync(view!);
            }
            catch (OperationCanceledException) when (_stop.IsCancellationRequested)
            {
                return;
            }
            catch (StorageFailedException e)
            {
                Failed?.Invoke(e.Message);
                return;
            }
            catch (Exception e) // supervisor: whatever broke, the log is read again, from where the state is
            {
                if (failures++ == 0)
                {
                    _tell(true, $"the replicated log cannot be read now, trying on: {e.Message}");
                }

                await Task.Delay(_options.Pause, _time, _stop.Token)
                    .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    // Reads the log to its end and applies it. Null: the leadership under which it was to be read is over.
    private async Task<LogView?> CatchUpAsync(Term? term)
    {
        while (true)
        {
            var from = _applied + 1;
            var view = term is null
                ? await _log.ReadAsync(from, _stop.Token)
                : await _log.ReadAsync(term, from, _stop.Token);
            if (view is null)
            {
                return null;
            }

            if (view.LeaderRevision == 0 && _applied > 0)
            {
                throw new StorageFailedException(
                    $"the replicated log was read up to place {_applied} and is empty now: etcd has lost its data");
            }

            Tell(view.Leader);
            if (view.Snapshot is { } snapshot && snapshot.Sequence > _applied
                && (view.Entries.Count == 0 || view.Entries[0].Sequence != from))
            {
                // Loaded or not (another may have taken its place): what follows it was not read.
                await LoadAsync(snapshot);
                continue;
            }

            foreach (var (sequence, bytes) in view.Entries)
            {
                if (sequence == _applied + 1)
                {
                    await ApplyAsync(sequence, bytes);
                }
            }

            if (IsAllIn(view))
            {
                return view;
            }

            if (_applied < from)
            {
                throw new StorageFailedException(
                    $"the replicated log has no place {from}, and no snapshot that reaches beyond it");
            }
        }
    }

    // A state that came from elsewhere has a place of its own and no entry there: what lies before it may be here
    // and it not yet.
    private bool IsAllIn(LogView view) => !view.HasMore
        && (view.Snapshot is null || view.Snapshot.Sequence <= _applied)
        && (view.Entries.Count == 0 || view.Entries[^1].Sequence <= _applied);

    private async Task LoadAsync(SnapshotPointer pointer)
    {
        if (await _snapshots.ReadAsync(pointer, _stop.Token) is not { } records)
        {
            return;
        }

        await Store.ReplaceAsync(pointer.LastIndex, records);
        _applied = pointer.Sequence;
        _engine.Shorten(_engine.LogBytes);
        _tell(false, $"loaded a snapshot: records={records.Count} index={pointer.LastIndex}");
    }

    private async Task ApplyAsync(ulong sequence, byte[] bytes)
    {
        await Store.ReplayAsync(ChangeCodec.Read(bytes));
        _applied = sequence;
        _engine.Grow(bytes.Length);
    }

    // Until something calls for reading the log anew, or for leading.
    private async Task FollowAsync(LogView view)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
        var pulse = Task.FromResult(LeaderEnd.Unclear);
        try
        {
            if (Leader is not { } leader || leader.Id == _self.Id)
            {
                // Nobody leads, or this server did before it was started again: at once.
                if (await IsTakenBySuccessorAsync(view))
                {
                    return;
                }

                await TryLeadAsync(view, isQuiet: false);
                return;
            }

            pulse = _pulse.WaitForEndAsync(leader, end.Token);
            switch (await ListenAsync(view, pulse, end.Token))
            {
                case Heard.Silence:
                    // Only if etcd, too, has heard nothing: the events may have been late.
                    TellSilence(leader);
                    await TryLeadAsync(view, isQuiet: true);
                    break;
                case Heard.Gone:
                    _tell(true, $"the leader has gone: leader={leader.Name}");
                    await TryLeadAsync(view, isQuiet: false);
                    break;
            }
        }
        finally
        {
            await end.CancelAsync();
            await ((Task)pulse).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    // Applies what is told until the leader changes, falls silent or is gone, or something was missed.
    private async Task<Heard> ListenAsync(LogView view, Task<LeaderEnd> pulse, CancellationToken stop)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(stop);
        var events = _log.WatchAsync(view, end.Token).GetAsyncEnumerator(end.Token);
        var quiet = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var silence = _time.CreateTimer(
            static quiet => ((TaskCompletionSource)quiet!).TrySetResult(), quiet, Patience(), Timeout.InfiniteTimeSpan);
        Task<bool>? next = null;
        try
        {
            while (true)
            {
                if (pulse.IsCompleted && await pulse == LeaderEnd.Gone)
                {
                    return Heard.Gone;
                }

                next = events.MoveNextAsync().AsTask();
                silence.Change(Patience(), Timeout.InfiniteTimeSpan);
                var first = await Task.WhenAny([next, quiet.Task, .. Pending(pulse)]);
                if (first == pulse)
                {
                    if (await pulse == LeaderEnd.Gone)
                    {
                        return Heard.Gone;
                    }

                    await Task.Delay(_options.Pause, _time, stop);
                    return Heard.Missed;
                }

                if (first == quiet.Task)
                {
                    return await HasMovedAsync(view) ? Heard.Missed : Heard.Silence;
                }

                if (!await next)
                {
                    return Heard.Missed;
                }

                Hear();
                if (!await TakeAsync(events.Current))
                {
                    return Heard.Missed;
                }
            }
        }
        finally
        {
            await end.CancelAsync();
            await ((Task?)next ?? Task.CompletedTask).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await events.DisposeAsync();
        }
    }

    private void Hear() => Volatile.Write(ref _heardAt, _time.GetTimestamp());

    private static IEnumerable<Task> Pending(Task pulse) => pulse.IsCompleted ? [] : [pulse];

    // False: read the log anew.
    private async ValueTask<bool> TakeAsync(EtcdEvent told)
    {
        if (told.IsRemoved || _log.Keys.SequenceOf(told.Row.Key) is not { } sequence)
        {
            var key = told.Row.Key.AsSpan();
            if (!key.SequenceEqual(_log.Keys.Base))
            {
                return key.SequenceEqual(_log.Keys.Beat) ? ReplicatedLog.LastOf(told.Row.Value) <= _applied
                    : !key.SequenceEqual(_log.Keys.Leader);
            }

            // The log was cut; what is behind the place is little.
            _engine.Shorten(_engine.LogBytes);
            return ReplicationJson.Pointer(told.Row.Value)?.Sequence <= _applied;
        }

        if (sequence == _applied + 1)
        {
            await ApplyAsync(sequence, told.Row.Value);
        }

        return sequence <= _applied;
    }

    // Whether etcd has heard of the leader after all.
    private async Task<bool> HasMovedAsync(LogView view)
    {
        var now = await _log.ReadAsync(_applied + 1, _stop.Token);
        return now.Entries.Count > 0 || now.LeaderRevision != view.LeaderRevision;
    }

    private TimeSpan Patience()
    {
        lock (_random)
        {
            return _options.Silence * (1 + (SilenceSpread * _random.NextDouble()));
        }
    }

    // Whom the last leader named is given a moment; who gave the lead back without a name, lets any other have it.
    private async Task<bool> IsTakenBySuccessorAsync(LogView view)
    {
        var hasResigned = _hasResigned;
        _hasResigned = false;
        if (view.Leader is not { Id.Length: 0, Name: var successor } || successor == _self.Id
            || (successor.Length == 0 && !hasResigned))
        {
            return false;
        }

        using var over = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
        using var limit = new CancellationTokenSource(_options.Lease, _time);
        await using var ends = limit.Token.Register(over.Cancel);
        try
        {
            await foreach (var told in _log.WatchAsync(view, over.Token))
            {
                if (told.Row.Key.AsSpan().SequenceEqual(_log.Keys.Leader))
                {
                    return true;
                }
            }
        }
        catch (OperationCanceledException) when (!_stop.IsCancellationRequested)
        {
            // It does not take it.
        }

        return false;
    }

    private async Task TryLeadAsync(LogView seen, bool isQuiet)
    {
        if (isQuiet)
        {
            // Longer than a lease from here: what the leader did since would be seen, and what it did before is over.
            seen = await _log.ReadAsync(_applied + 1, _stop.Token);
            await Task.Delay(_options.Lease * LeaseMargin, _time, _stop.Token);
        }

        var epoch = (seen.Leader?.Epoch ?? 0) + 1;
        var record = new LeaderRecord(epoch, _self.Id, _self.Name, _self.Rpc, _self.MemberId);
        if (await TakeLeadAsync(record, seen, isQuiet) is { } term && await CatchUpAsync(term) is not null)
        {
            await LeadAsync(term);
        }
    }

    private async Task<Term?> TakeLeadAsync(LeaderRecord record, LogView seen, bool isQuiet)
    {
        try
        {
            return await _log.TakeLeadAsync(record, seen, isQuiet ? _applied + 1 : null, _stop.Token);
        }
        catch (EtcdRefusedException e) when (e.IsNoSpace)
        {
            // Whoever leads cannot be heard, and nobody else can lead, until there is room.
            await Task.Delay(_options.Beat, _time, _stop.Token);
            return null;
        }
    }

    private void TellSilence(LeaderRecord leader)
    {
        if (_silent != leader)
        {
            _silent = leader;
            _tell(true, $"the leader is silent: leader={leader.Name}");
        }
    }

    private async Task LeadAsync(Term term)
    {
        while (_ended.Wait(0, CancellationToken.None))
        {
            // Of a leadership before.
        }

        _successor = null;
        using var duties = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
        _engine.IsTight = false;
        _engine.Begin(term, (_applied, Store.Current.Index));
        Tell(term.Leader);
        _tell(false, $"this server leads: epoch={term.Leader.Epoch}");
        Led?.Invoke(duties.Token);
        var upkeep = UpkeepAsync(term, duties.Token);
        try
        {
            var ended = _ended.WaitAsync(duties.Token);
            while (_engine.Leads && !ended.IsCompleted)
            {
                _ = await _engine.ProveAsync(_stop.Token);
                await Task.WhenAny(ended, Task.Delay(_options.Beat, _time, duties.Token));
            }

            _stop.Token.ThrowIfCancellationRequested();
        }
        finally
        {
            await duties.CancelAsync();
            await upkeep;
            _applied = Math.Max(_applied, _engine.SequenceAt(Store.Current.Index));
            if (_engine.End() is { } held)
            {
                await ResignAsync(held);
            }

            Tell(null);
        }
    }

    private async Task ResignAsync(Term term)
    {
        try
        {
            using var limit = new CancellationTokenSource(_options.CallTime, _time);
            await _log.ResignAsync(term, _successor ?? "", limit.Token);
            _hasResigned = true;
            _tell(false, "this server gave the lead back");
        }
        catch (Exception e) when (e is EtcdUnknownException or EtcdRefusedException or OperationCanceledException)
        {
            _tell(true, $"the lead could not be given back, the others will notice the silence: {e.Message}");
        }
    }

    // Cuts the log when it has grown, and lets etcd forget what was overwritten.
    private async Task UpkeepAsync(Term term, CancellationToken stop)
    {
        var history = new Queue<(long Revision, long At)>();
        while (!stop.IsCancellationRequested)
        {
            try
            {
                await Task.Delay(_options.Beat, _time, stop);
                if (await CutAsync(term, stop) is { } revision && history.Count < HistoryMax)
                {
                    history.Enqueue((revision, _time.GetTimestamp()));
                }

                await ForgetAsync(history, stop);
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
                return;
            }
            catch (EtcdRefusedException e) when (e.IsNoSpace)
            {
                _tell(true, $"there is no room for a snapshot, with which the log could be cut: {e.Message}");
                _engine.IsTight = true;
                await UntilRemovedAsync(stop);
            }
            catch (Exception e) // supervisor: the log is longer than it need be until the next time
            {
                _tell(true, $"the replicated log could not be cut, trying again: {e.Message}");
            }
        }
    }

    // Until something went, or for so long that an operator may have done something.
    private async Task UntilRemovedAsync(CancellationToken stop)
    {
        var start = _time.GetTimestamp();
        while (!stop.IsCancellationRequested && !_engine.HasRemoved
            && _time.GetElapsedTime(start) < _options.SpacePause)
        {
            await Task.Delay(_options.Beat, _time, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    // Gives the revision before which nothing is needed any more. Null: there was nothing to cut.
    private async Task<long?> CutAsync(Term term, CancellationToken stop)
    {
        var bytes = _engine.LogBytes;
        if (bytes < Math.Min(_options.LogBytesMax, Math.Max(_options.LogBytes, _lastSnapshotBytes)))
        {
            return null;
        }

        var state = Store.Current;
        if (await _snapshots.WriteAsync(term, state, _engine.SequenceAt(state.Index), stop) is not { } written)
        {
            return null;
        }

        _engine.Shorten(bytes);
        _engine.IsTight = false;
        _lastSnapshotBytes = written.Bytes;
        _tell(false, $"a snapshot has taken the log's place: index={state.Index} bytes={written.Bytes}");
        return written.Revision;
    }

    private async Task ForgetAsync(Queue<(long Revision, long At)> history, CancellationToken stop)
    {
        while (history.TryPeek(out var oldest) && _time.GetElapsedTime(oldest.At) >= _options.HistoryKept)
        {
            history.Dequeue();
            try
            {
                await _etcd.CompactAsync(oldest.Revision, stop);
            }
            catch (EtcdRefusedException)
            {
                // Somebody else has let it forget more.
            }
        }
    }

    private void Tell(LeaderRecord? leader)
    {
        var before = _leader;
        _leader = leader;
        if (before != leader)
        {
            LeaderChanged?.Invoke();
        }
    }

    private enum Heard
    {
        Missed,
        Silence,
        Gone,
    }
}

/// <summary>Who a server is to the others.</summary>
/// <param name="Id">Its node id.</param>
/// <param name="Name">Its node name.</param>
/// <param name="Rpc">Where it takes calls of other agents, <c>ip:port</c>.</param>
/// <param name="MemberId">Its member of etcd.</param>
public sealed record ReplicaIdentity(string Id, string Name, string Rpc, ulong MemberId);
