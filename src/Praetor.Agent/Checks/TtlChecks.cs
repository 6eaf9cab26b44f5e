using System.Text;

namespace Praetor.Agent.Checks;

/// <summary>A TTL check as it is remembered over a restart; the fields of Consul's file of the same purpose.</summary>
/// <param name="Expires">Unix time in seconds after which the report counts no more.</param>
public sealed record TtlState(string CheckId, string Output, string Status, long Expires);

/// <summary>Checks whose targets report by themselves and become critical when they fall silent.</summary>
internal sealed class TtlChecks(ICheckSink sink, Deadlines deadlines, TimeProvider time)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, Entry> _entries = new(StringComparer.Ordinal);

    /// <summary>Starts the check's time, or starts it anew.</summary>
    public void Put(CheckSpec spec)
    {
        lock (_gate)
        {
            var old = Take(spec.Id);
            var entry = new Entry(spec, old?.Output ?? "", old?.Status ?? spec.InitialStatus);
            entry.Deadline = new Deadline(() => Expire(entry));
            _entries[spec.Id] = entry;
            Restart(entry);
        }
    }

    public bool Remove(string id)
    {
        lock (_gate)
        {
            return Take(id) is not null;
        }
    }

    /// <summary>A report of the target. False when there is no such TTL check.</summary>
    public bool Report(string id, CheckStatus status, string output)
    {
        if (Find(id) is not { } entry)
        {
            return false;
        }

        var kept = Cut(output, entry.Spec.EffectiveOutputMax);
        lock (entry.Publishing)
        {
            lock (_gate)
            {
                entry.Status = status;
                entry.Output = kept;
                if (IsCurrent(entry))
                {
                    Restart(entry);
                }
            }

            sink.Update(id, status, kept);
        }

        return true;
    }

    /// <summary>What to write down for a restart; null when there is no such check.</summary>
    public TtlState? Snapshot(string id)
    {
        lock (_gate)
        {
            return _entries.TryGetValue(id, out var entry)
                ? new TtlState(id, entry.Output, CheckStatusText.Of(entry.Status), entry.Expires.ToUnixTimeSeconds())
                : null;
        }
    }

    /// <summary>
    /// Takes up what was written down, unless it has expired meanwhile. Call after <see cref="Put"/>.
    /// </summary>
    /// <remarks>
    /// The full TTL begins anew: reports that were lost while the agent was down are not the target's fault.
    /// </remarks>
    public bool Restore(TtlState state)
    {
        if (state.Expires <= time.GetUtcNow().ToUnixTimeSeconds()
            || !CheckStatusText.TryParse(state.Status, out var status))
        {
            return false;
        }

        return Report(state.CheckId, status, state.Output);
    }

    private void Expire(Entry entry)
    {
        lock (entry.Publishing)
        {
            lock (_gate)
            {
                if (!IsCurrent(entry) || time.GetElapsedTime(entry.Renewed) < entry.Spec.Ttl)
                {
                    return;
                }

                entry.Status = CheckStatus.Critical;
            }

            var output = entry.Output.Length == 0
                ? "TTL expired"
                : $"TTL expired (last output before timeout follows): {entry.Output}";
            sink.Update(entry.Spec.Id, CheckStatus.Critical, output);
        }
    }

    private Entry? Find(string id)
    {
        lock (_gate)
        {
            return _entries.GetValueOrDefault(id);
        }
    }

    private bool IsCurrent(Entry entry) =>
        _entries.TryGetValue(entry.Spec.Id, out var current) && ReferenceEquals(current, entry);

    private void Restart(Entry entry)
    {
        entry.Expires = time.GetUtcNow() + entry.Spec.Ttl;
        entry.Renewed = time.GetTimestamp();
        deadlines.Set(entry.Deadline, entry.Spec.Ttl);
    }

    private Entry? Take(string id)
    {
        if (!_entries.Remove(id, out var entry))
        {
            return null;
        }

        deadlines.Clear(entry.Deadline);
        return entry;
    }

    private static string Cut(string output, int limit)
    {
        var bytes = Encoding.UTF8.GetByteCount(output);
        if (bytes <= limit)
        {
            return output;
        }

        var kept = Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(output).AsSpan(0, limit));
        return $"{kept} ... (captured {limit} of {bytes} bytes)";
    }

    private sealed class Entry(CheckSpec spec, string output, CheckStatus status)
    {
        public CheckSpec Spec { get; } = spec;

        public string Output { get; set; } = output;

        public CheckStatus Status { get; set; } = status;

        // Held from a decision to its publication, so that a report and an expiry reach the sink in their order.
        public Lock Publishing { get; } = new();

        // Monotonic: the wall clock, which only the remembered state needs, may jump.
        public long Renewed { get; set; }

        public DateTimeOffset Expires { get; set; }

        public Deadline Deadline { get; set; } = new(static () => { });
    }
}
