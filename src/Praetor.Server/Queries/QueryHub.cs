using System.Collections.Concurrent;
using Praetor.Server.State;

namespace Praetor.Server.Queries;

/// <summary>Keeps the queries that were asked lately, so that equal ones share one answer and one wait.</summary>
public sealed class QueryHub(StateStore store, TimeProvider time)
{
    /// <summary>How many queries are kept when nobody waits for them.</summary>
    public const int QueriesMax = 4096;

    /// <summary>How many bytes of answers are kept when nobody waits for them: 64 MiB.</summary>
    public const long BytesMax = 64 * 1024 * 1024;

    // Only how often a quiet wait begins anew.
    private static readonly TimeSpan FollowWait = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan RefusedPause = TimeSpan.FromSeconds(1);

    // Sums over all kept queries are made once in so many new ones.
    private const int SweepEvery = 64;

    private readonly QuietCollection _collection = new(time);
    private readonly ConcurrentDictionary<string, StandingQuery> _queries = new(StringComparer.Ordinal);
    private long _clock;
    private int _newSinceSweep;

    /// <summary>How many queries are kept.</summary>
    public int Count => _queries.Count;

    /// <summary>The newest answer to a query.</summary>
    /// <param name="key">Equal keys mean equal queries.</param>
    /// <param name="evaluate">Answers it from a state.</param>
    /// <param name="ignoresEqual">Whether those who wait sleep on when the answer looks the same as before.</param>
    public ValueTask<QueryAnswer> ReadAsync(string key, Evaluate evaluate, bool ignoresEqual = false) =>
        Find(key, evaluate, ignoresEqual).AnswerAsync();

    /// <summary>The answer once its index is above the given one, or when the wait is over.</summary>
    public async Task<QueryAnswer> WaitAsync(
        string key, Evaluate evaluate, bool ignoresEqual, ulong index, TimeSpan wait, CancellationToken stop)
    {
        while (true)
        {
            var query = Find(key, evaluate, ignoresEqual);
            var answer = await query.AnswerAsync();
            if (answer.Index > index || answer.IsRefusal)
            {
                return answer;
            }

            if (query.Wait(index, answer) is { } waiter)
            {
                _collection.WaitBegan();
                return await WaitAsync(waiter, wait, stop);
            }

            _queries.TryRemove(new KeyValuePair<string, StandingQuery>(key, query));
        }
    }

    /// <summary>Hands over the answer and each one after it, until stopped.</summary>
    /// <param name="key">Equal keys mean equal queries.</param>
    /// <param name="evaluate">Answers it from a state. While it fails it is asked again after a pause.</param>
    /// <param name="take">Takes an answer; sometimes one that is no newer than the last.</param>
    /// <param name="stop">Ends it.</param>
    public async Task FollowAsync(string key, Evaluate evaluate, Action<QueryAnswer> take, CancellationToken stop)
    {
        var index = 0UL;
        while (true)
        {
            var answer = await WaitAsync(key, evaluate, ignoresEqual: false, index, FollowWait, stop);
            if (stop.IsCancellationRequested)
            {
                return;
            }

            if (!answer.IsRefusal)
            {
                index = answer.Index;
                take(answer);
                continue;
            }

            // A refusal is answered at once, so without a pause this would run round and round.
            await Task.Delay(RefusedPause, time, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task<QueryAnswer> WaitAsync(Waiter waiter, TimeSpan wait, CancellationToken stop)
    {
        await using var limit = time.CreateTimer(
            static state => ((Waiter)state!).GiveUp(), waiter, wait, Timeout.InfiniteTimeSpan);
        await using var left = stop.UnsafeRegister(static state => ((Waiter)state!).GiveUp(), waiter);
        return await waiter.Done;
    }

    private StandingQuery Find(string key, Evaluate evaluate, bool ignoresEqual)
    {
        if (!_queries.TryGetValue(key, out var query))
        {
            query = _queries.GetOrAdd(key, new StandingQuery(store, evaluate, ignoresEqual, time));
            if (Interlocked.Increment(ref _newSinceSweep) >= SweepEvery)
            {
                Sweep();
            }
        }

        query.LastUse = Interlocked.Increment(ref _clock);
        return query;
    }

    private void Sweep()
    {
        Interlocked.Exchange(ref _newSinceSweep, 0);
        var all = _queries.ToArray();
        var bytes = all.Sum(q => (long)q.Value.Bytes);
        var count = all.Length;
        foreach (var (key, query) in all.OrderBy(q => q.Value.LastUse))
        {
            if (count <= QueriesMax && bytes <= BytesMax)
            {
                return;
            }

            var size = query.Bytes;
            if (query.TryRetire())
            {
                _queries.TryRemove(new KeyValuePair<string, StandingQuery>(key, query));
                bytes -= size;
                count--;
            }
        }
    }
}
