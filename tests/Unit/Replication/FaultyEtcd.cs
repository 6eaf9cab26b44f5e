using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Praetor.Server.Storage.Etcd;

namespace Unit.Replication;

/// <summary>One server's way to <see cref="FakeEtcdStore"/> with a network in between: what is asked takes time, stands
/// still, is done after nobody waits for it any more, or gets lost there or back.</summary>
internal sealed class FaultyEtcd(FakeEtcdStore store, TimeProvider time, Random random) : IEtcd
{
    private readonly Lock _gate = new();
    private TaskCompletionSource _open = Opened();

    /// <summary>How long a way may take, there and back each.</summary>
    public TimeSpan DelayMax { get; set; }

    /// <summary>Whether requests vanish on their way.</summary>
    public volatile bool LosesRequests;

    /// <summary>Whether what was asked is done and nobody hears of it.</summary>
    public volatile bool LosesAnswers;

    /// <summary>Whether watches tell nothing.</summary>
    public volatile bool LosesEvents;

    /// <summary>Waited for by each transaction that reached the store, before it is done.</summary>
    public Func<EtcdTxn, Task> Before { get; set; } = static _ => Task.CompletedTask;

    /// <summary>Waited for by each transaction that was done, before its answer goes back.</summary>
    public Func<EtcdTxn, Task> After { get; set; } = static _ => Task.CompletedTask;

    /// <summary>From now on what is under way stands still, and what is asked, until <see cref="Resume"/>.</summary>
    public void Hold()
    {
        lock (_gate)
        {
            if (_open.Task.IsCompleted)
            {
                _open = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            }
        }
    }

    /// <summary>What stood still goes on, be it that nobody waits for it any more.</summary>
    public void Resume()
    {
        lock (_gate)
        {
            _open.TrySetResult();
        }
    }

    /// <summary>Takes all faults away.</summary>
    public void Heal()
    {
        LosesRequests = LosesAnswers = LosesEvents = false;
        Resume();
    }

    public Task<EtcdTxnAnswer> CommitAsync(EtcdTxn txn, CancellationToken stop)
    {
        stop.ThrowIfCancellationRequested();
        return GoAsync(txn).WaitAsync(stop);
    }

    public EtcdTxnAnswer Commit(EtcdTxn txn, TimeSpan within)
    {
        try
        {
            return GoAsync(txn).WaitAsync(within, time).GetAwaiter().GetResult();
        }
        catch (TimeoutException)
        {
            throw new EtcdUnknownException("no answer in time");
        }
    }

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

            await foreach (var told in Delayed(channel, stop))
            {
                yield return told;
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

    private static TaskCompletionSource Opened()
    {
        var opened = new TaskCompletionSource();
        opened.SetResult();
        return opened;
    }

    private async IAsyncEnumerable<EtcdEvent> Delayed(
        Channel<EtcdEvent> channel, [EnumeratorCancellation] CancellationToken stop)
    {
        await foreach (var told in channel.Reader.ReadAllAsync(stop))
        {
            await OpenAsync().WaitAsync(stop);
            if (!LosesEvents && !LosesRequests)
            {
                yield return told;
            }
        }
    }

    private async Task<EtcdTxnAnswer> GoAsync(EtcdTxn txn)
    {
        await TravelAsync();
        await LostAsync(LosesRequests);
        await Before(txn);
        var answer = store.Commit(txn);
        await After(txn);
        await LostAsync(LosesAnswers);
        await TravelAsync();
        return answer;
    }

    private async Task TravelAsync()
    {
        if (DelayMax > TimeSpan.Zero)
        {
            double part;
            lock (_gate)
            {
                part = random.NextDouble();
            }

            await Task.Delay(DelayMax * part, time);
        }

        await OpenAsync();
    }

    private Task OpenAsync()
    {
        lock (_gate)
        {
            return _open.Task;
        }
    }

    // Never ends: whoever asked gives up by itself.
    private static Task LostAsync(bool isLost) => isLost ? new TaskCompletionSource().Task : Task.CompletedTask;
}
