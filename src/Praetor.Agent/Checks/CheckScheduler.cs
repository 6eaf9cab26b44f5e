using Microsoft.Extensions.Logging;

namespace Praetor.Agent.Checks;

/// <summary>Runs checks at their intervals.</summary>
/// <remarks>
/// All checks share one timer (<see cref="Deadlines"/>). The first run comes at a random moment of the first interval,
/// so
/// that an agent that starts with a thousand checks does not send them all at once. The next run is set when one has
/// ended, so a check never overlaps itself. Runs beyond the limits of <see cref="CheckLimits"/> wait in the order of
/// their
/// times; each check waits at most once, so the number of checks bounds that queue.
/// </remarks>
internal sealed partial class CheckScheduler(
    Func<CheckKind, ICheckRunner?> runners, ICheckSink sink, Deadlines deadlines, Random random, ILogger log)
    : IAsyncDisposable
{
    // More of them are beyond the longest eager pause anyway.
    private const int EagerDoublingsMax = 10;

    private readonly Lock _gate = new();
    private readonly Dictionary<string, Entry> _entries = new(StringComparer.Ordinal);
    private readonly HashSet<Task> _running = [];
    private readonly SemaphoreSlim _network = new(CheckLimits.NetworkRunsMax);
    private readonly SemaphoreSlim _processes = new(CheckLimits.ProcessRunsMax);

    /// <summary>Adds a check, or replaces the one of the same id; a run of the old one is cancelled.</summary>
    public void Put(CheckSpec spec)
    {
        if (runners(spec.Kind) is not { } runner)
        {
            throw new ArgumentException($"check \"{spec.Id}\": no runner for type \"{spec.TypeText}\"", nameof(spec));
        }

        Remove(spec.Id);
        var entry = new Entry(spec, runner);
        entry.Deadline = new Deadline(() => Start(entry));
        lock (_gate)
        {
            _entries[spec.Id] = entry;
            deadlines.Set(entry.Deadline, entry.Pause(passed: false) * random.NextDouble());
        }
    }

    /// <summary>Stops a check. After the return its results reach the sink no more.</summary>
    public bool Remove(string id)
    {
        Entry? entry;
        lock (_gate)
        {
            if (!_entries.Remove(id, out entry))
            {
                return false;
            }

            deadlines.Clear(entry.Deadline);
        }

        Stop(entry);
        return true;
    }

    /// <summary>Stops all checks and waits for the runs in flight.</summary>
    public async ValueTask DisposeAsync()
    {
        Task[] running;
        Entry[] entries;
        lock (_gate)
        {
            entries = [.. _entries.Values];
            _entries.Clear();
            running = [.. _running];
        }

        foreach (var entry in entries)
        {
            deadlines.Clear(entry.Deadline);
            Stop(entry);
        }

        await Task.WhenAll(running);
        _network.Dispose();
        _processes.Dispose();
    }

    private static void Stop(Entry entry)
    {
        lock (entry.Publishing)
        {
            entry.IsRemoved = true;
        }

        entry.Cancel.Cancel();
    }

    private void Start(Entry entry)
    {
        lock (_gate)
        {
            if (!IsCurrent(entry))
            {
                return;
            }

            var run = Task.Run(() => RunAsync(entry));
            _running.Add(run);
            _ = run.ContinueWith(Forget, TaskScheduler.Default);
        }
    }

    private void Forget(Task run)
    {
        lock (_gate)
        {
            _running.Remove(run);
        }
    }

    private async Task RunAsync(Entry entry)
    {
        var places = entry.Spec.StartsProcess ? _processes : _network;
        try
        {
            await places.WaitAsync(entry.Cancel.Token);
            try
            {
                Publish(entry, await entry.Runner.RunAsync(entry.Spec, entry.Cancel.Token));
            }
            finally
            {
                places.Release();
            }
        }
        catch (OperationCanceledException) when (entry.Cancel.IsCancellationRequested)
        {
            return;
        }
        catch (Exception failure)
        {
            // This is the supervisor of all runs: the failure of one is that check's result, and its next run comes.
            Log.RunFailed(log, entry.Spec.Id, failure);
            Publish(entry, CheckResult.Critical($"check could not be run: {failure.Message}"));
        }
    }

    private void Publish(Entry entry, CheckResult result)
    {
        lock (_gate)
        {
            if (IsCurrent(entry))
            {
                deadlines.Set(entry.Deadline, entry.Pause(result.Status == CheckStatus.Passing));
            }
        }

        lock (entry.Publishing)
        {
            if (entry.IsRemoved || entry.Thresholds.Judge(result.Status) is not { } status)
            {
                return;
            }

            if (status != entry.Published)
            {
                Log.StatusChanged(log, entry.Spec.Id, CheckStatusText.Of(status));
            }

            entry.Published = status;
            sink.Update(entry.Spec.Id, status, result.Output);
        }
    }

    private bool IsCurrent(Entry entry) =>
        _entries.TryGetValue(entry.Spec.Id, out var current) && ReferenceEquals(current, entry);

    private sealed class Entry(CheckSpec spec, ICheckRunner runner)
    {
        public CheckSpec Spec { get; } = spec;

        public ICheckRunner Runner { get; } = runner;

        public Thresholds Thresholds { get; } = new(spec);

        // Held while a result is published: a removed check must not speak after its removal.
        public Lock Publishing { get; } = new();

        public CheckStatus Published { get; set; } = spec.InitialStatus;

        public bool IsRemoved { get; set; }

        // Never disposed: it has no timer, and a run may still look at it.
        public CancellationTokenSource Cancel { get; } = new();

        public Deadline Deadline { get; set; } = new(static () => { });

        private int EagerRuns { get; set; } = spec.IsEager ? 0 : CheckLimits.EagerRunsMax;

        /// <summary>How long until the next run.</summary>
        public TimeSpan Pause(bool passed)
        {
            if (passed || EagerRuns >= CheckLimits.EagerRunsMax)
            {
                EagerRuns = Spec.IsEager && passed ? 0 : CheckLimits.EagerRunsMax;
                return Spec.EffectiveInterval;
            }

            var doublings = Math.Min(EagerRuns++, EagerDoublingsMax);
            var pause = CheckLimits.EagerFirst * (1 << doublings);
            return pause < CheckLimits.EagerInterval ? pause : CheckLimits.EagerInterval;
        }
    }

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Information, Message = "check {Check} is now {Status}")]
        public static partial void StatusChanged(ILogger log, string check, string status);

        [LoggerMessage(Level = LogLevel.Error, Message = "check {Check} could not be run")]
        public static partial void RunFailed(ILogger log, string check, Exception failure);
    }
}
