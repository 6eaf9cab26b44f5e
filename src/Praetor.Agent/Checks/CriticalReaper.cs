namespace Praetor.Agent.Checks;

/// <summary>Finds services that have been critical for longer than their checks allow.</summary>
internal sealed class CriticalReaper : IDisposable
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, Entry> _entries = new(StringComparer.Ordinal);
    private readonly Deadlines _deadlines;
    private readonly TimeProvider _time;
    private readonly Action<string> _deregister;
    private readonly Deadline _next;

    /// <param name="deregister">Takes the id of a service that is to go; called at most once per round for
    /// each.</param>
    public CriticalReaper(Deadlines deadlines, TimeProvider time, Action<string> deregister)
    {
        _deadlines = deadlines;
        _time = time;
        _deregister = deregister;
        _next = new Deadline(Reap);
        deadlines.Set(_next, CheckLimits.ReapInterval);
    }

    /// <summary>Begins, or goes on, to watch a check; one without a service or a limit is left alone.</summary>
    public void Put(CheckSpec spec)
    {
        lock (_gate)
        {
            if (spec.ServiceId.Length == 0 || spec.EffectiveDeregisterAfter is not { } limit)
            {
                _entries.Remove(spec.Id);
                return;
            }

            // A registration that is repeated must not give a dead service more time, if its check is still critical.
            var since = _entries.TryGetValue(spec.Id, out var old) ? old.CriticalSince : null;
            since ??= spec.InitialStatus == CheckStatus.Critical ? _time.GetTimestamp() : null;
            _entries[spec.Id] = new Entry(spec.ServiceId, limit) { CriticalSince = since };
        }
    }

    public void Remove(string id)
    {
        lock (_gate)
        {
            _entries.Remove(id);
        }
    }

    /// <summary>Notes the status of a check.</summary>
    public void Observe(string id, CheckStatus status)
    {
        lock (_gate)
        {
            if (!_entries.TryGetValue(id, out var entry))
            {
                return;
            }

            entry.CriticalSince = status == CheckStatus.Critical ? entry.CriticalSince ?? _time.GetTimestamp() : null;
        }
    }

    /// <summary>How long a watched check has been critical; null when it is not, or is not watched.</summary>
    public TimeSpan? CriticalFor(string id)
    {
        lock (_gate)
        {
            return _entries.TryGetValue(id, out var entry) ? Age(entry) : null;
        }
    }

    public void Dispose() => _deadlines.Clear(_next);

    private void Reap()
    {
        string[] overdue;
        lock (_gate)
        {
            overdue = [.. _entries.Values
                .Where(entry => Age(entry) > entry.Limit)
                .Select(static entry => entry.ServiceId)
                .Distinct(StringComparer.Ordinal)];
        }

        _deadlines.Set(_next, CheckLimits.ReapInterval);
        foreach (var service in overdue)
        {
            _deregister(service);
        }
    }

    private TimeSpan? Age(Entry entry) =>
        entry.CriticalSince is { } since ? _time.GetElapsedTime(since) : null;

    private sealed class Entry(string serviceId, TimeSpan limit)
    {
        public string ServiceId { get; } = serviceId;

        public TimeSpan Limit { get; } = limit;

        public long? CriticalSince { get; set; }
    }
}
