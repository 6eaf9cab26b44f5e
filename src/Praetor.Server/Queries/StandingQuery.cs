using Praetor.Server.State;

namespace Praetor.Server.Queries;

/// <summary>Answers a query from a state; must depend on nothing else.</summary>
public delegate QueryAnswer Evaluate(ReadView view);

/// <summary>
/// One query that somebody asked, its newest answer, and all who wait for the next one.
/// </summary>
/// <remarks>
/// The problem: five thousand clients wait for the same service, and ten thousand requests a second read it, while
/// encoding its health costs a hundred times what sending it does.
/// The idea: the answer is kept together with a watch on all that it was made from. Until the writer says that one of
/// these changed, every reader gets the same bytes. When it does, the answer is made anew once, and all who wait get
/// it.
/// Why no change is lost: the writer publishes the new state before it looks who waits. So either the watch was there
/// when it looked, or the state that is read after the watch was set has the change.
/// Whose thread: requests are served on the threads that read all sockets, so that a long evaluation there would hold
/// up connections that have nothing to do with it. Only what was quick the last time is evaluated where it is asked
/// for; everything else on the thread pool, where all who ask before it has begun share it.
/// </remarks>
internal sealed class StandingQuery(StateStore store, Evaluate evaluate, bool ignoresEqual, TimeProvider time)
    : IWatcher, IThreadPoolWorkItem
{
    /// <summary>What counts as quick: ten times a hand-over to another thread and back on a busy machine.</summary>
    public static readonly TimeSpan QuickMax = TimeSpan.FromMilliseconds(1);

    private readonly Lock _gate = new();
    private readonly Lock _evaluation = new();
    private List<Waiter> _waiters = [];

    // An evaluation that was asked of the thread pool and has not looked at the state yet.
    private TaskCompletionSource<QueryAnswer>? _next;
    private IReadOnlyList<WatchKey> _watched = [];

    // How often something changed, and of which count the answer is: while a newer one is being made, the one that is
    // there stays known as old.
    private long _changes;
    private volatile Kept? _kept;
    private volatile bool _isQuick;
    private bool _refreshing;
    private bool _retired;

    /// <summary>When it was last asked, by the hub's own count.</summary>
    public long LastUse { get; set; }

    /// <summary>The size of what is kept.</summary>
    public int Bytes => _kept?.Answer.Body.Length ?? 0;

    private QueryAnswer? Known =>
        _kept is { } kept && kept.Changes == Volatile.Read(ref _changes) ? kept.Answer : null;

    /// <summary>The newest answer, from now or from before, if nothing changed since.</summary>
    public ValueTask<QueryAnswer> AnswerAsync()
    {
        if (Known is { } known)
        {
            return new(known);
        }

        return _isQuick ? new(Refresh()) : new(RefreshAsideAsync());
    }

    /// <summary>Adds somebody who waits for an answer beyond an index; null: it was retired meanwhile.</summary>
    /// <param name="index">The index.</param>
    /// <param name="before">The answer that was not enough.</param>
    public Waiter? Wait(ulong index, QueryAnswer before)
    {
        var waiter = new Waiter(this, index, before);
        lock (_gate)
        {
            if (_retired)
            {
                return null;
            }

            _waiters.Add(waiter);
            if (Known is { } known && !Satisfies(known, waiter))
            {
                return waiter;
            }
        }

        // It changed between the first look and now.
        Schedule();
        return waiter;
    }

    public void Leave(Waiter waiter)
    {
        lock (_gate)
        {
            _waiters.Remove(waiter);
        }
    }

    /// <summary>Ends the watch, if nobody waits and nothing is being evaluated; the query is made anew when it is asked
    /// again.</summary>
    public bool TryRetire()
    {
        if (!_evaluation.TryEnter())
        {
            return false;
        }

        try
        {
            lock (_gate)
            {
                if (_waiters.Count > 0 || _refreshing || _next is not null)
                {
                    return false;
                }

                _retired = true;
            }

            store.Watches.Remove(_watched, this);
            _watched = [];
            CountChange();
            return true;
        }
        finally
        {
            _evaluation.Exit();
        }
    }

    void IWatcher.Changed()
    {
        CountChange();
        Schedule();
    }

    void IThreadPoolWorkItem.Execute()
    {
        while (true)
        {
            Refresh();
            QueryAnswer answer;
            List<Waiter>? woken;
            lock (_gate)
            {
                // A reader may have made a newer one meanwhile; what is compared must be what is kept.
                answer = _kept!.Answer;
                woken = TakeSatisfied(answer);
                if (Known is not null)
                {
                    _refreshing = false;
                }
            }

            foreach (var waiter in woken ?? [])
            {
                waiter.Complete(answer);
            }

            lock (_gate)
            {
                if (!_refreshing)
                {
                    return;
                }
            }
        }
    }

    private void Schedule()
    {
        lock (_gate)
        {
            if (_refreshing || _waiters.Count == 0)
            {
                return;
            }

            _refreshing = true;
        }

        ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
    }

    private Task<QueryAnswer> RefreshAsideAsync()
    {
        TaskCompletionSource<QueryAnswer> next;
        lock (_gate)
        {
            if (_next is not null)
            {
                return _next.Task;
            }

            _next = next = new(TaskCreationOptions.RunContinuationsAsynchronously);
        }

        ThreadPool.UnsafeQueueUserWorkItem(static query => query.RefreshAside(), this, preferLocal: false);
        return next.Task;
    }

    private void RefreshAside()
    {
        TaskCompletionSource<QueryAnswer> asked;
        QueryAnswer answer;
        lock (_evaluation)
        {
            lock (_gate)
            {
                (asked, _next) = (_next!, null);
            }

            answer = Refresh();
        }

        asked.SetResult(answer);
    }

    private QueryAnswer Refresh()
    {
        QueryAnswer answer;
        lock (_evaluation)
        {
            if (Known is { } known)
            {
                return known;
            }

            // The state is read after whoever asks came here, so one evaluation is new enough for them, however
            // often things change meanwhile.
            var changes = Volatile.Read(ref _changes);
            var began = time.GetTimestamp();
            var view = new ReadView(store.Current, tracks: true);
            answer = EvaluateSafely(view);
            Watch(view);
            _isQuick = time.GetElapsedTime(began) <= QuickMax;
            _kept = new Kept(answer, changes);
            if (_retired)
            {
                CountChange();
            }
        }

        if (Known is null)
        {
            Schedule();
        }

        return answer;
    }

    private QueryAnswer EvaluateSafely(ReadView view)
    {
        try
        {
            return evaluate(view);
        }
        catch (Exception e) // supervisor: this runs on timers and pool threads, where it would end the process
        {
            const int internalError = 500;
            var text = System.Text.Encoding.UTF8.GetBytes($"internal error: {e.Message}");
            return new QueryAnswer(view.Index, internalError, "text/plain; charset=utf-8", text);
        }
    }

    // A retired query keeps no watch, so its answers are good for one reading only.
    private void Watch(ReadView view)
    {
        var keys = view.Watched;
        if (!_retired && !SameKeys(_watched, keys))
        {
            store.Watches.Add(keys, this);
            store.Watches.Remove(_watched, this);
            _watched = keys;
        }

        var now = store.Current;
        if (!ReferenceEquals(now, view.Snapshot) && keys.Any(k => now.LastIndexOf(k) > view.Snapshot.LastIndexOf(k)))
        {
            CountChange();
        }
    }

    private void CountChange() => Interlocked.Increment(ref _changes);

    private static bool SameKeys(IReadOnlyList<WatchKey> a, IReadOnlyList<WatchKey> b)
    {
        if (a.Count != b.Count)
        {
            return false;
        }

        for (var i = 0; i < a.Count; i++)
        {
            if (a[i].Slot != b[i].Slot || a[i].IsPrefix != b[i].IsPrefix || !a[i].Key.AsSpan().SequenceEqual(b[i].Key))
            {
                return false;
            }
        }

        return true;
    }

    private List<Waiter>? TakeSatisfied(QueryAnswer answer)
    {
        if (_waiters.Count == 0)
        {
            return null;
        }

        var satisfied = new List<Waiter>(_waiters.Count);
        var left = new List<Waiter>();
        foreach (var waiter in _waiters)
        {
            (Satisfies(answer, waiter) ? satisfied : left).Add(waiter);
        }

        _waiters = left;
        return satisfied;
    }

    private bool Satisfies(QueryAnswer answer, Waiter waiter) =>
        answer.Index > waiter.Index && !(ignoresEqual && answer.ShowsTheSameAs(waiter.Before));

    private sealed record Kept(QueryAnswer Answer, long Changes);
}

/// <summary>Somebody who waits for the next answer to a query.</summary>
internal sealed class Waiter(StandingQuery query, ulong index, QueryAnswer before)
{
    private readonly TaskCompletionSource<QueryAnswer> _done = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public ulong Index { get; } = index;

    /// <summary>The answer that was there when the wait began.</summary>
    public QueryAnswer Before { get; } = before;

    public Task<QueryAnswer> Done => _done.Task;

    public void Complete(QueryAnswer answer) => _done.TrySetResult(answer);

    /// <summary>Ends the wait with what there is now.</summary>
    public void GiveUp()
    {
        query.Leave(this);
        _ = EndAsync();
    }

    private async Task EndAsync() => _done.TrySetResult(await query.AnswerAsync());
}
