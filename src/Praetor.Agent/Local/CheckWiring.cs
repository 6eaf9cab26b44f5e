using Praetor.Agent.Checks;

namespace Praetor.Agent.Local;

/// <summary>Runs what the local state says is to be run, and takes the results back into it.</summary>
/// <remarks>
/// The engine publishes while it holds a lock of the check, and to stop a check it waits for that lock. Who is told of
/// a change may therefore never call the engine: it only notes which checks changed, and one worker, which holds no
/// lock, looks them up in the newest snapshot. What runs in the end is what the last snapshot says.
/// </remarks>
internal sealed class CheckWiring : ICheckSink, IAsyncDisposable
{
    [ThreadStatic]
    private static Task? _reported;

    private readonly LocalState _state;
    private readonly CheckEngine _engine;

    // Guards what follows, for moments: nothing is called under it.
    private readonly Lock _gate = new();
    private Round _next = new();
    private Round? _current;
    private Task _worker = Task.CompletedTask;
    private bool _isWorking;
    private bool _isStopping;

    // The worker's own.
    private readonly Dictionary<string, CheckSpec> _running = new(StringComparer.Ordinal);

    public CheckWiring(LocalState state, Func<ICheckSink, CheckEngine> engine)
    {
        _state = state;
        _engine = engine(this);
        state.Changed += OnChanged;
    }

    /// <summary>Whether outputs of checks are kept (not <c>discard_check_output</c>).</summary>
    public bool KeepsOutput { get; set; } = true;

    /// <summary>A client reports for a TTL check; false: there is no such check.</summary>
    /// <param name="id">Of which check.</param>
    /// <param name="status">What it says.</param>
    /// <param name="output">And why.</param>
    /// <param name="durable">Ends when the report is durable.</param>
    public bool Report(string id, CheckStatus status, string output, out Task durable)
    {
        // The engine publishes a report on the thread that brings it.
        _reported = null;
        var isKnown = _engine.Report(id, status, output);
        durable = _reported ?? Task.CompletedTask;
        return isKnown;
    }

    /// <summary>Runs all checks that there are, with what TTL checks were told before a restart.</summary>
    public async Task StartAsync(IReadOnlyList<TtlState> kept)
    {
        Follow(_state.Current.Checks.Keys);
        await SettledAsync();
        foreach (var state in kept)
        {
            _engine.RestoreTtl(state);
        }
    }

    /// <summary>Ends when all changes so far are taken over.</summary>
    public Task SettledAsync()
    {
        lock (_gate)
        {
            // Only the rounds that there are: under steady change the worker itself may never end.
            return _next.Ids.Count > 0 ? _next.Done.Task : _current?.Done.Task ?? Task.CompletedTask;
        }
    }

    void ICheckSink.Update(string checkId, CheckStatus status, string output) =>
        _reported = _state.Report(checkId, status, output, KeepsOutput);

    public async ValueTask DisposeAsync()
    {
        _state.Changed -= OnChanged;
        Task worker;
        lock (_gate)
        {
            _isStopping = true;
            worker = _worker;
        }

        await worker;
        await _engine.DisposeAsync();
    }

    private void OnChanged(LocalChange change) => Follow(change.Checks);

    private void Follow(IEnumerable<string> ids)
    {
        lock (_gate)
        {
            if (_isStopping)
            {
                return;
            }

            _next.Ids.UnionWith(ids);
            if (!_isWorking && _next.Ids.Count > 0)
            {
                _isWorking = true;
                _worker = Task.Run(Work);
            }
        }
    }

    private void Work()
    {
        while (Take() is { } round)
        {
            var now = _state.Current;
            foreach (var id in round.Ids)
            {
                Follow(id, now.Checks.GetValueOrDefault(id));
            }

            round.Done.SetResult();
        }
    }

    private Round? Take()
    {
        lock (_gate)
        {
            if (_next.Ids.Count == 0 || _isStopping)
            {
                // Nobody may wait for a round that is not run any more.
                _next.Done.TrySetResult();
                _next = new Round();
                _isWorking = false;
                return _current = null;
            }

            _current = _next;
            _next = new Round();
            return _current;
        }
    }

    private void Follow(string id, LocalCheck? check)
    {
        if (check?.Spec is not { Kind: not CheckKind.None } spec)
        {
            if (_running.Remove(id))
            {
                _engine.Remove(id);
            }
        }
        else if (!ReferenceEquals(_running.GetValueOrDefault(id), spec))
        {
            _running[id] = spec;
            Put(check, spec);
        }
    }

    private void Put(LocalCheck check, CheckSpec spec)
    {
        try
        {
            _engine.Put(spec with { InitialStatus = LocalAliases.StatusOf(check.Record) });
        }
        catch (ArgumentException e)
        {
            // One check that cannot be run must not keep the others from it; its output says why.
            _ = _state.Report(spec.Id, CheckStatus.Critical, e.Message, keepsOutput: true);
        }
    }

    private sealed class Round
    {
        public HashSet<string> Ids { get; } = new(StringComparer.Ordinal);

        public TaskCompletionSource Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
