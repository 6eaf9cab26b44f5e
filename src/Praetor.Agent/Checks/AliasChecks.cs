namespace Praetor.Agent.Checks;

/// <summary>Checks that mirror the health of another service or node.</summary>
/// <remarks>
/// A change is taken up by the shared heartbeat, not inside the callback of the source: many changes at once become one
/// look, and the source may call back while it holds its own lock.
/// </remarks>
internal sealed class AliasChecks(IAliasSource source, ICheckSink sink, Deadlines deadlines)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, Entry> _entries = new(StringComparer.Ordinal);

    public void Put(CheckSpec spec)
    {
        Remove(spec.Id);
        var entry = new Entry(spec);
        entry.Deadline = new Deadline(() => Refresh(entry));
        lock (_gate)
        {
            _entries[spec.Id] = entry;
        }

        var subscription = source.Subscribe(spec.AliasNode, spec.AliasService, () => Schedule(entry));
        lock (entry.Publishing)
        {
            entry.Subscription = subscription;
            if (!entry.IsRemoved)
            {
                Schedule(entry);
                return;
            }
        }

        subscription.Dispose();
    }

    public bool Remove(string id)
    {
        Entry? entry;
        lock (_gate)
        {
            if (!_entries.Remove(id, out entry))
            {
                return false;
            }
        }

        IDisposable? subscription;
        lock (entry.Publishing)
        {
            entry.IsRemoved = true;
            subscription = entry.Subscription;
        }

        deadlines.Clear(entry.Deadline);
        subscription?.Dispose();
        return true;
    }

    /// <summary>The result of an alias: the worst of what it mirrors.</summary>
    /// <remarks>
    /// Checks of the node count for each of its services. The alias itself does not, nor do aliases on the node: two of
    /// those would hold each other critical for ever.
    /// </remarks>
    public static CheckResult Judge(CheckSpec spec, AliasView view)
    {
        if (!view.Exists)
        {
            return CheckResult.Critical(spec.AliasService.Length > 0
                ? $"Service {spec.AliasService} could not be found on node {spec.AliasNode}"
                : $"Node {spec.AliasNode} could not be found");
        }

        var worst = default(AliasedCheck);
        var count = 0;
        foreach (var check in view.Checks)
        {
            if (check.Id == spec.Id || !Concerns(spec, check))
            {
                continue;
            }

            count++;
            worst = worst is null || check.Status > worst.Status ? check : worst;
        }

        if (worst is null || worst.Status == CheckStatus.Passing)
        {
            return CheckResult.Passing(count == 0 ? "No checks found." : "All checks passing.");
        }

        return new CheckResult(worst.Status, Quote(worst.Name) + OutputOf(worst, spec));
    }

    private static string Quote(string name) => $"Aliased check \"{name}\" failing: ";

    // Aliases that mirror each other quote each other. A quotation ends where it comes back to who quotes: else each
    // would lengthen the other's output for ever.
    private static string OutputOf(AliasedCheck check, CheckSpec quoting)
    {
        var own = check.IsAlias ? check.Output.IndexOf(Quote(quoting.Name), StringComparison.Ordinal) : -1;
        return own < 0 ? check.Output : check.Output[..own];
    }

    private static bool Concerns(CheckSpec spec, AliasedCheck check) =>
        check.ServiceId.Length == 0 ? !check.IsAlias : check.ServiceId == spec.AliasService;

    private void Schedule(Entry entry)
    {
        lock (_gate)
        {
            if (_entries.TryGetValue(entry.Spec.Id, out var current) && ReferenceEquals(current, entry))
            {
                deadlines.Set(entry.Deadline, TimeSpan.Zero);
            }
        }
    }

    private void Refresh(Entry entry)
    {
        lock (entry.Publishing)
        {
            var result = Judge(entry.Spec, source.Look(entry.Spec.AliasNode, entry.Spec.AliasService));

            // Publishing changes the source again; only a different result may go on, else it would never rest.
            if (entry.IsRemoved || entry.Published == result)
            {
                return;
            }

            entry.Published = result;
            sink.Update(entry.Spec.Id, result.Status, result.Output);
        }
    }

    private sealed class Entry(CheckSpec spec)
    {
        public CheckSpec Spec { get; } = spec;

        public Lock Publishing { get; } = new();

        public CheckResult? Published { get; set; }

        public bool IsRemoved { get; set; }

        public IDisposable? Subscription { get; set; }

        public Deadline Deadline { get; set; } = new(static () => { });
    }
}
