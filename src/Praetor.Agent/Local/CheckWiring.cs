using Praetor.Agent.Checks;

namespace Praetor.Agent.Local;

/// <summary>Runs what the local state says is to be run, and takes the results back into it.</summary>
/// <remarks>
/// The engine calls the state while it holds a lock of its own, so it must never be called under the state's lock.
/// Instead the checks that changed are looked up in the newest snapshot, one caller after another: whatever the order
/// of the callers, what runs in the end is what the last snapshot says.
/// </remarks>
internal sealed class CheckWiring : ICheckSink, IAsyncDisposable
{
    private readonly LocalState _state;
    private readonly CheckEngine _engine;
    private readonly Lock _gate = new();
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
    public bool Report(string id, CheckStatus status, string output) => _engine.Report(id, status, output);

    /// <summary>Runs all checks that there are, with what TTL checks were told before a restart.</summary>
    public void Start(IReadOnlyList<TtlState> kept)
    {
        Follow(_state.Current.Checks.Keys);
        foreach (var state in kept)
        {
            _engine.RestoreTtl(state);
        }
    }

    void ICheckSink.Update(string checkId, CheckStatus status, string output) =>
        _state.Report(checkId, status, output, KeepsOutput);

    public async ValueTask DisposeAsync()
    {
        _state.Changed -= OnChanged;
        await _engine.DisposeAsync();
    }

    private void OnChanged(LocalChange change) => Follow(change.Checks);

    private void Follow(IEnumerable<string> ids)
    {
        lock (_gate)
        {
            var now = _state.Current;
            foreach (var id in ids)
            {
                var check = now.Checks.GetValueOrDefault(id);
                var running = _running.GetValueOrDefault(id);
                if (check?.Spec is not { Kind: not CheckKind.None } spec)
                {
                    if (_running.Remove(id))
                    {
                        _engine.Remove(id);
                    }
                }
                else if (!ReferenceEquals(running, spec))
                {
                    _running[id] = spec;
                    _engine.Put(spec with { InitialStatus = LocalAliases.StatusOf(check.Record) });
                }
            }
        }
    }
}
