using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Praetor.Server.Catalog;

namespace Praetor.Agent.Local;

/// <summary>How fast the catalog follows the agent.</summary>
public sealed record AntiEntropyOptions
{
    /// <summary>From one full comparison to the next, in clusters of up to 128 nodes. Default one minute.</summary>
    public TimeSpan Interval { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>How often a check's output goes out when its status stays. Default 5 minutes; zero: at once.</summary>
    public TimeSpan CheckUpdateInterval { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>How many nodes the cluster has; the interval grows with its logarithm.</summary>
    public Func<int> NodeCount { get; init; } = static () => 1;
}

/// <summary>Keeps the catalog in line with what this agent has.</summary>
/// <remarks>
/// The problem: the agent owns the truth about its services, the catalog is what everybody reads, and anything may come
/// between: a lost server, a restart, somebody who edits the catalog by hand.
/// The idea: a change here goes out at once, together with all that changed while the sending before was under way; and
/// now and then everything is compared, in both directions, which mends whatever was missed.
/// Why it converges: what is sent is read from the newest snapshot at the moment of sending, never remembered, so a
/// late sending cannot bring back something old; one sending is under way at a time; and each failure brings the next
/// full comparison forward.
/// </remarks>
public sealed partial class AntiEntropy : IAsyncDisposable
{
    /// <summary>Above so many nodes the interval grows by one for each doubling, as in Consul.</summary>
    public const int NodesBeforeScaling = 128;

    private static readonly TimeSpan FirstRetry = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan LastRetry = TimeSpan.FromSeconds(5);

    private readonly LocalState _state;
    private readonly ICatalog _catalog;
    private readonly NodeIdentity _node;
    private readonly AntiEntropyOptions _options;
    private readonly TimeProvider _time;
    private readonly Random _random;
    private readonly ILogger _log;
    private readonly CatalogDiff _diff;
    private readonly CancellationTokenSource _stop = new();

    // One wake-up is enough, however many ask for it.
    private readonly Channel<bool> _wake = Channel.CreateBounded<bool>(
        new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

    private readonly ITimer _timer;
    private readonly Lock _gate = new();
    private readonly Dictionary<string, DateTimeOffset> _outputsDue = new(StringComparer.Ordinal);
    private Batch _pending = new();
    private Batch? _inFlight;
    private DateTimeOffset _fullDue;
    private int _failures;
    private Task _loop = Task.CompletedTask;

    public AntiEntropy(
        LocalState state, ICatalog catalog, NodeIdentity node, AntiEntropyOptions options, TimeProvider time,
        Random random, ILogger log)
    {
        (_state, _catalog, _node, _options, _time, _random, _log) = (state, catalog, node, options, time, random, log);
        _diff = new CatalogDiff(node);
        _fullDue = time.GetUtcNow();
        _timer = time.CreateTimer(
            static self => ((AntiEntropy)self!).Wake(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        state.Changed += OnChanged;
    }

    /// <summary>Begins with a full comparison, and goes on until it is disposed.</summary>
    public void Start()
    {
        _loop = Task.Run(() => RunAsync(_stop.Token));
        Wake();
    }

    /// <summary>Compares everything now, as the node itself or the catalog may be another.</summary>
    public void CompareSoon()
    {
        lock (_gate)
        {
            _fullDue = _time.GetUtcNow();
        }

        Wake();
    }

    /// <summary>Ends when all that was changed before the call was sent, or the sending failed.</summary>
    public Task SettledAsync()
    {
        lock (_gate)
        {
            return !_pending.IsEmpty ? _pending.Done.Task : _inFlight?.Done.Task ?? Task.CompletedTask;
        }
    }

    /// <summary>Compares everything and mends what differs; false: the catalog did not take it all.</summary>
    /// <remarks>For the loop, and for who must know that it is done before <see cref="Start"/>.</remarks>
    public async Task<bool> CompareAsync(CancellationToken stop)
    {
        try
        {
            var before = Sent();
            var catalog = await _catalog.ReadAsync(_node.Name, stop);
            var ignoresOutput = _options.CheckUpdateInterval > TimeSpan.Zero;
            _state.Edit(editor =>
            {
                // What was registered anew meanwhile has the newer tags.
                foreach (var (own, theirs) in CatalogDiff.Overridden(editor.Now, catalog)
                    .Where(pair => before.Contains(pair.Own)).ToList())
                {
                    editor.TakeTags(own, theirs.Tags);
                }
            });
            return await SendAsync(_diff.Of(_state.Current, catalog, ignoresOutput), stop);
        }
        catch (CatalogUnreachableException e)
        {
            Log.Unreachable(_log, e.Message);
            return false;
        }
    }

    /// <summary>Sends nothing any more: the agent leaves, and servers take its node out of the catalog.</summary>
    public async Task EndAsync()
    {
        await _stop.CancelAsync();
        await _loop;
    }

    public async ValueTask DisposeAsync()
    {
        _state.Changed -= OnChanged;
        await _stop.CancelAsync();
        await _loop;
        await _timer.DisposeAsync();
        lock (_gate)
        {
            _pending.Done.TrySetResult();
        }

        _stop.Dispose();
    }

    private void OnChanged(LocalChange change)
    {
        lock (_gate)
        {
            _pending.Services.UnionWith(change.Services);
            _pending.Checks.UnionWith(change.Checks);
            foreach (var id in change.Outputs)
            {
                Defer(id);
            }
        }

        Wake();
    }

    // Spread from half of the interval to one and a half, so that outputs of many agents do not come together.
    private void Defer(string checkId)
    {
        if (_options.CheckUpdateInterval <= TimeSpan.Zero)
        {
            _pending.Checks.Add(checkId);
        }
        else if (!_outputsDue.ContainsKey(checkId))
        {
            _outputsDue[checkId] = _time.GetUtcNow() + (_options.CheckUpdateInterval * (0.5 + Draw()));
        }
    }

    /// <summary>The services that the catalog has been told of as they are now.</summary>
    private HashSet<LocalService> Sent()
    {
        lock (_gate)
        {
            return _state.Current.Services
                .Where(service => service.Value.Record.EnableTagOverride && !_pending.Services.Contains(service.Key))
                .Select(static service => service.Value)
                .ToHashSet<LocalService>(ReferenceEqualityComparer.Instance);
        }
    }

    private void Wake() => _wake.Writer.TryWrite(true);

    private async Task RunAsync(CancellationToken stop)
    {
        try
        {
            while (true)
            {
                await _wake.Reader.ReadAsync(stop);
                await SendPendingAsync(stop);
                await CompareWhenDueAsync(stop);
                Arm();
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // The agent stops.
        }
    }

    private async Task SendPendingAsync(CancellationToken stop)
    {
        while (Take() is { } batch)
        {
            try
            {
                if (!await SupervisedAsync(
                    () => SendAsync(_diff.Of(_state.Current, batch.Services, batch.Checks), stop), stop))
                {
                    RetrySoon();
                    return;
                }
            }
            finally
            {
                lock (_gate)
                {
                    _inFlight = null;
                }

                batch.Done.TrySetResult();
            }
        }
    }

    /// <summary>The loop's supervisor: whatever fails is mended by the next comparison, which failing brings
    /// forward.</summary>
    private async Task<bool> SupervisedAsync(Func<Task<bool>> sync, CancellationToken stop)
    {
        try
        {
            return await sync();
        }
        catch (CatalogUnreachableException e)
        {
            Log.Unreachable(_log, e.Message);
            return false;
        }
        catch (Exception error) when (!stop.IsCancellationRequested)
        {
            Log.Failed(_log, error);
            return false;
        }
    }

    private async Task CompareWhenDueAsync(CancellationToken stop)
    {
        // From here on, for what is changed while it compares may be seen by the next comparison only.
        var began = _time.GetUtcNow();
        lock (_gate)
        {
            if (_fullDue > began)
            {
                return;
            }
        }

        if (!await SupervisedAsync(() => CompareAsync(stop), stop))
        {
            RetrySoon();
            return;
        }

        lock (_gate)
        {
            _failures = 0;
            _fullDue = began + Spread(Interval());
        }
    }

    private Batch? Take()
    {
        lock (_gate)
        {
            var now = _time.GetUtcNow();
            foreach (var (id, due) in _outputsDue.ToList())
            {
                if (due <= now || _pending.Checks.Contains(id))
                {
                    _outputsDue.Remove(id);
                    _pending.Checks.Add(id);
                }
            }

            if (_pending.IsEmpty)
            {
                return null;
            }

            _inFlight = _pending;
            _pending = new Batch();
            return _inFlight;
        }
    }

    private async Task<bool> SendAsync(CatalogChanges changes, CancellationToken stop)
    {
        if (changes.Removals.Count + changes.Registrations.Count == 0)
        {
            return true;
        }

        var refusals = await _catalog.ApplyAsync(changes, stop);
        foreach (var removal in changes.Removals)
        {
            var kind = removal.ServiceId.Length > 0 ? "service" : "check";
            Log.Deregistered(_log, kind, removal.ServiceId + removal.CheckId);
        }

        for (var i = 0; i < refusals.Count; i++)
        {
            Report(changes.Registrations[i], refusals[i]?.Text);
        }

        return refusals.All(static refusal => refusal is null);
    }

    private void Report(Registration registration, string? refusal)
    {
        var (kind, id) = registration switch
        {
            { Service: { } service } => ("service", service.Id),
            { Checks: [var check, ..] } => ("check", check.Id),
            _ => ("node", registration.Node.Name),
        };
        if (refusal is null)
        {
            Log.Synced(_log, kind, id);
        }
        else
        {
            Log.Refused(_log, kind, id, refusal);
        }
    }

    private void RetrySoon()
    {
        lock (_gate)
        {
            var wait = FirstRetry * Math.Pow(2, Math.Min(_failures++, 10));
            _fullDue = _time.GetUtcNow() + ((wait < LastRetry ? wait : LastRetry) * (0.5 + (0.5 * Draw())));
        }

        Arm();
    }

    private void Arm()
    {
        // Rounded up to whole milliseconds, the resolution of timers, so that what it wakes for is due.
        var wait = UntilDue();
        _timer.Change(
            wait > TimeSpan.Zero ? wait + TimeSpan.FromMilliseconds(1) : TimeSpan.Zero, Timeout.InfiniteTimeSpan);

        // The clock may have gone on while the timer was set.
        if (UntilDue() <= TimeSpan.Zero)
        {
            Wake();
        }
    }

    private TimeSpan UntilDue()
    {
        lock (_gate)
        {
            var due = _outputsDue.Count > 0 ? _outputsDue.Values.Min() : _fullDue;
            return (due < _fullDue ? due : _fullDue) - _time.GetUtcNow();
        }
    }

    private TimeSpan Interval()
    {
        var nodes = _options.NodeCount();
        return nodes <= NodesBeforeScaling
            ? _options.Interval
            : _options.Interval * (Math.Ceiling(Math.Log2(nodes) - Math.Log2(NodesBeforeScaling)) + 1);
    }

    // Up to a quarter more, so that agents that began together do not stay together.
    private TimeSpan Spread(TimeSpan interval) => interval * (1 + (0.25 * Draw()));

    private double Draw()
    {
        lock (_random)
        {
            return _random.NextDouble();
        }
    }

    private sealed class Batch
    {
        public HashSet<string> Services { get; } = new(StringComparer.Ordinal);

        public HashSet<string> Checks { get; } = new(StringComparer.Ordinal);

        public TaskCompletionSource Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public bool IsEmpty => Services.Count + Checks.Count == 0;
    }

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Debug, Message = "Synced {Kind}: id={Id}")]
        public static partial void Synced(ILogger log, string kind, string id);

        [LoggerMessage(Level = LogLevel.Information, Message = "Deregistered {Kind}: id={Id}")]
        public static partial void Deregistered(ILogger log, string kind, string id);

        [LoggerMessage(Level = LogLevel.Warning, Message = "The catalog refused {Kind}: id={Id} error={Error}")]
        public static partial void Refused(ILogger log, string kind, string id, string error);

        [LoggerMessage(Level = LogLevel.Error, Message = "failed to sync with the catalog, retrying: error={Error}")]
        public static partial void Unreachable(ILogger log, string error);

        [LoggerMessage(
            Level = LogLevel.Error,
            Message = "failed to sync with the catalog, retrying; this should not happen, please report it")]
        public static partial void Failed(ILogger log, Exception error);
    }
}
