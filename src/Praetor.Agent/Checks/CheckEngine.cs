using Microsoft.Extensions.Logging;

namespace Praetor.Agent.Checks;

/// <summary>All health checks of an agent: what is put in is run until it is removed.</summary>
public sealed class CheckEngine : IAsyncDisposable
{
    private readonly TimeProvider _time;
    private readonly Deadlines _deadlines;
    private readonly CheckScheduler _scheduler;
    private readonly TtlChecks _ttl;
    private readonly AliasChecks _aliases;
    private readonly CriticalReaper _reaper;

    public CheckEngine(CheckEngineOptions options, ICheckSink sink, IAliasSource aliases, ILogger log)
    {
        _time = options.Time;
        _deadlines = new Deadlines(options.Time);
        _reaper = new CriticalReaper(_deadlines, options.Time, options.Deregister);
        var observed = new ObservedSink(sink, _reaper);
        var runners = CheckRunners.All(new Dialer(options.Certificates), new CheckProcess(options.Time), options.Time);
        _scheduler = new CheckScheduler(
            runners.GetValueOrDefault, observed, _deadlines, options.Random, log);
        _ttl = new TtlChecks(observed, _deadlines, options.Time);
        _aliases = new AliasChecks(aliases, observed, _deadlines);
    }

    /// <summary>Adds a check or replaces the one of the same id; its status stays until the first result.</summary>
    /// <remarks>
    /// The caller has asked <see cref="ScriptPermission"/> and <see cref="CheckSpec.Problem"/> before.
    /// </remarks>
    /// <exception cref="ArgumentException">The check does not say what it checks.</exception>
    public void Put(CheckSpec spec)
    {
        switch (spec.Kind)
        {
            case CheckKind.Ttl:
                _scheduler.Remove(spec.Id);
                _aliases.Remove(spec.Id);
                _reaper.Put(spec);
                _ttl.Put(spec);
                break;
            case CheckKind.Alias:
                _scheduler.Remove(spec.Id);
                _ttl.Remove(spec.Id);
                _reaper.Put(spec);
                _aliases.Put(spec);
                break;
            default:
                _ttl.Remove(spec.Id);
                _aliases.Remove(spec.Id);
                _reaper.Put(spec);
                _scheduler.Put(spec);
                break;
        }
    }

    /// <summary>Stops a check; false when there was none of this id.</summary>
    public bool Remove(string id)
    {
        _reaper.Remove(id);
        return _scheduler.Remove(id) | _ttl.Remove(id) | _aliases.Remove(id);
    }

    /// <summary>A TTL check reports. False when there is none of this id (see <see cref="NoTtl"/>).</summary>
    public bool Report(string id, CheckStatus status, string output) => _ttl.Report(id, status, output);

    public bool Pass(string id, string note) => Report(id, CheckStatus.Passing, note);

    public bool Warn(string id, string note) => Report(id, CheckStatus.Warning, note);

    public bool Fail(string id, string note) => Report(id, CheckStatus.Critical, note);

    /// <summary>The API's error for a report to a check that is no TTL check.</summary>
    public static string NoTtl(string id) => $"CheckID \"{id}\" does not have associated TTL";

    /// <summary>What to keep of a TTL check for a restart; null when there is none of this id.</summary>
    public TtlState? TtlSnapshot(string id) => _ttl.Snapshot(id);

    /// <summary>
    /// Takes up a kept state, after <see cref="Put"/>; false when it has expired or does not belong here.
    /// </summary>
    public bool RestoreTtl(TtlState state) => _ttl.Restore(state);

    public async ValueTask DisposeAsync()
    {
        _reaper.Dispose();
        await _scheduler.DisposeAsync();
        _deadlines.Dispose();
    }

    private sealed class ObservedSink(ICheckSink inner, CriticalReaper reaper) : ICheckSink
    {
        public void Update(string checkId, CheckStatus status, string output)
        {
            reaper.Observe(checkId, status);
            inner.Update(checkId, status, output);
        }
    }
}

/// <summary>What a <see cref="CheckEngine"/> needs from outside.</summary>
public sealed record CheckEngineOptions
{
    public required Random Random { get; init; }

    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Certificates of checks that speak TLS, as they are now; null: the machine's roots and no client
    /// certificate.</summary>
    public Func<CheckCertificates?> Certificates { get; init; } = static () => null;

    /// <summary>Takes the id of a service that was critical for too long. Must return at once.</summary>
    public Action<string> Deregister { get; init; } = static _ => { };
}
