using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Praetor.Server.Replication;
using Praetor.Server.Storage.Etcd;

namespace Unit.Replication;

/// <summary>An etcd in memory that all servers of a test share: keys, revisions, transactions, watches.</summary>
internal sealed class FakeEtcdStore
{
    private readonly Lock _gate = new();
    private readonly SortedDictionary<byte[], EtcdRow> _rows = new(ByteOrder.Instance);
    private readonly List<(byte[] From, byte[] End, Channel<EtcdEvent> To)> _watches = [];
    private long _revision = 1;

    public long CompactedAt { get; private set; }

    /// <summary>The most keys that one range had, all of which etcd looks at.</summary>
    public int LargestRange { get; private set; }

    public IReadOnlyList<string> Keys
    {
        get { lock (_gate) { return [.. _rows.Keys.Select(System.Text.Encoding.UTF8.GetString)]; } }
    }

    public EtcdTxnAnswer Commit(EtcdTxn txn)
    {
        lock (_gate)
        {
            var holds = txn.If.All(c => c.ModRevision == (_rows.TryGetValue(c.Key, out var row) ? row.ModRevision : 0));
            var operations = holds ? txn.Then : txn.Else;
            var events = new List<EtcdEvent>();
            var revision = operations.Any(o => o is EtcdPut or EtcdDelete) ? _revision + 1 : _revision;
            var answers = operations.Select(o => Do(o, revision, events)).ToList();
            _revision = revision;
            foreach (var (from, end, to) in _watches)
            {
                events.Where(e => IsIn(e.Row.Key, from, end)).ToList().ForEach(e => to.Writer.TryWrite(e));
            }

            return new EtcdTxnAnswer(holds, _revision, answers);
        }
    }

    public Channel<EtcdEvent> Watch(byte[] from, byte[] end)
    {
        lock (_gate)
        {
            var channel = Channel.CreateBounded<EtcdEvent>(100_000);
            _watches.Add((from, end, channel));
            return channel;
        }
    }

    public List<EtcdEvent> Since(byte[] from, byte[] end, long revision)
    {
        lock (_gate)
        {
            return [.. _rows.Values.Where(r => IsIn(r.Key, from, end) && r.ModRevision >= revision)
                .OrderBy(r => r.ModRevision).Select(r => new EtcdEvent(r, IsRemoved: false))];
        }
    }

    public void Unwatch(Channel<EtcdEvent> channel)
    {
        lock (_gate)
        {
            _watches.RemoveAll(w => w.To == channel);
        }
    }

    public void Compact(long revision) => CompactedAt = revision;

    private EtcdOpAnswer Do(EtcdOp operation, long revision, List<EtcdEvent> events)
    {
        switch (operation)
        {
            case EtcdPut put:
                _rows[put.Key] = new EtcdRow(put.Key, put.Value, revision);
                events.Add(new EtcdEvent(_rows[put.Key], IsRemoved: false));
                return new EtcdOpAnswer([]);
            case EtcdDelete delete:
                foreach (var row in In(delete.Key, delete.End).ToList())
                {
                    _rows.Remove(row.Key);
                    events.Add(new EtcdEvent(new EtcdRow(row.Key, [], revision), IsRemoved: true));
                }

                return new EtcdOpAnswer([]);
            default:
                var range = (EtcdRange)operation;
                var rows = In(range.Key, range.End).ToList();
                LargestRange = Math.Max(LargestRange, rows.Count);
                return new EtcdOpAnswer(rows);
        }
    }

    private IEnumerable<EtcdRow> In(byte[] key, byte[]? end) => end is null
        ? _rows.TryGetValue(key, out var row) ? [row] : []
        : _rows.Values.Where(r => IsIn(r.Key, key, end));

    private static bool IsIn(byte[] key, byte[] from, byte[] end) =>
        ByteOrder.Instance.Compare(key, from) >= 0 && ByteOrder.Instance.Compare(key, end) < 0;

    private sealed class ByteOrder : IComparer<byte[]>
    {
        public static readonly ByteOrder Instance = new();

        public int Compare(byte[]? x, byte[]? y) => x.AsSpan().SequenceCompareTo(y);
    }
}

/// <summary>One server's way to <see cref="FakeEtcdStore"/>, with what can go wrong on it.</summary>
internal sealed class FakeEtcd(FakeEtcdStore store) : IEtcd
{
    /// <summary>Whether nothing arrives.</summary>
    public volatile bool IsCut;

    /// <summary>Whether watches tell nothing, as if their events were lost.</summary>
    public volatile bool LosesEvents;

    /// <summary>How many answers to entries get lost on their way back, after what was asked was done.</summary>
    public int AnswersToLose;

    /// <summary>Refuses writes with this. Null: none.</summary>
    public EtcdRefusedException? Refusal;

    /// <summary>Refuses writes with this once an answer was lost. Null: goes on.</summary>
    public EtcdRefusedException? RefusalAfterLoss;

    /// <summary>Whether there is no space for any but the first part of a snapshot.</summary>
    public volatile bool IsPartRefused;

    /// <summary>How many parts were refused so.</summary>
    public int PartsRefused;

    /// <summary>What is larger is not taken.</summary>
    public int AnswerBytesMax = int.MaxValue;

    /// <summary>How many answers were so.</summary>
    public int AnswersTooLarge;

    /// <summary>How many entries are done and then refused for lack of space, as etcd does with what passes its
    /// quota.</summary>
    public int DoneWithoutSpace;

    public Task<EtcdTxnAnswer> CommitAsync(EtcdTxn txn, CancellationToken stop)
    {
        stop.ThrowIfCancellationRequested();
        if (IsCut)
        {
            throw new EtcdUnknownException("cut off");
        }

        var writes = txn.Then.Any(o => o is EtcdPut);
        if (IsPartRefused && txn.Then is [EtcdPut put] && IsLaterPart(put))
        {
            Interlocked.Increment(ref PartsRefused);
            throw NoSpace();
        }

        if (writes && Refusal is { } refusal)
        {
            throw refusal;
        }

        var answer = store.Commit(txn);
        if (answer.Answers.Sum(static a => a.Rows.Sum(static r => r.Value.Length)) > AnswerBytesMax)
        {
            Interlocked.Increment(ref AnswersTooLarge);
            throw new EtcdUnknownException("an answer that is too large");
        }

        var isEntry = txn.Then is [EtcdPut one] && IsEntry(one);
        if (isEntry && Interlocked.Decrement(ref DoneWithoutSpace) >= 0)
        {
            throw NoSpace();
        }

        if (!isEntry || Interlocked.Decrement(ref AnswersToLose) < 0)
        {
            return Task.FromResult(answer);
        }

        Refusal = RefusalAfterLoss ?? Refusal;
        throw new EtcdUnknownException("the answer was lost");
    }

    public EtcdTxnAnswer Commit(EtcdTxn txn, TimeSpan within) =>
        CommitAsync(txn, CancellationToken.None).GetAwaiter().GetResult();

    private static bool IsEntry(EtcdPut put) =>
        System.Text.Encoding.UTF8.GetString(put.Key).Contains("/log/", StringComparison.Ordinal);

    private static bool IsLaterPart(EtcdPut put)
    {
        var key = System.Text.Encoding.UTF8.GetString(put.Key);
        return key.Contains("/part/", StringComparison.Ordinal) && !key.EndsWith("/00000000", StringComparison.Ordinal);
    }

    public static EtcdRefusedException NoSpace() => new("etcdserver: mvcc: database space exceeded", 8);

    public async IAsyncEnumerable<EtcdEvent> WatchAsync(
        byte[] key, byte[] end, long fromRevision, [EnumeratorCancellation] CancellationToken stop)
    {
        var channel = store.Watch(key, end);
        try
        {
            foreach (var told in store.Since(key, end, fromRevision))
            {
                yield return told;
            }

            await foreach (var told in channel.Reader.ReadAllAsync(stop))
            {
                if (!LosesEvents && !IsCut)
                {
                    yield return told;
                }
            }
        }
        finally
        {
            store.Unwatch(channel);
        }
    }

    public Task<EtcdStatus> StatusAsync(CancellationToken stop) => throw new NotSupportedException();

    public Task<IReadOnlyList<EtcdMember>> MembersAsync(CancellationToken stop) => throw new NotSupportedException();

    public Task ChangeMembersAsync(EtcdMemberChange change, CancellationToken stop) =>
        throw new NotSupportedException();

    public Task CompactAsync(long revision, CancellationToken stop)
    {
        store.Compact(revision);
        return Task.CompletedTask;
    }

    public Task DefragmentAsync(CancellationToken stop) => Task.CompletedTask;

    public Task ClearSpaceAlarmAsync(CancellationToken stop) => Task.CompletedTask;

    public void Dispose()
    {
        // Nothing is open.
    }
}

/// <summary>A connection to leaders that breaks when a test says so.</summary>
internal sealed class FakePulse : ILeaderPulse
{
    private readonly Lock _gate = new();
    private TaskCompletionSource<LeaderEnd> _end = New();

    /// <summary>Whether a follower holds the connection.</summary>
    public volatile bool IsWatched;

    public void Break()
    {
        lock (_gate)
        {
            _end.TrySetResult(LeaderEnd.Gone);
            _end = New();
        }
    }

    public Task<LeaderEnd> WaitForEndAsync(LeaderRecord leader, CancellationToken stop)
    {
        lock (_gate)
        {
            IsWatched = true;
            return _end.Task.WaitAsync(stop);
        }
    }

    private static TaskCompletionSource<LeaderEnd> New() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
