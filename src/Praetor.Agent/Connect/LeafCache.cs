using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Praetor.Server.Connect;
using Praetor.Server.State;

namespace Praetor.Agent.Connect;

/// <summary>Signs a request for a service's certificate, here or on a server; the token is that of whoever asked for
/// the certificate last.</summary>
/// <returns>The certificate without key, or why not.</returns>
public delegate Task<Outcome<IssuedLeaf>> LeafSigning(
    string service, string csr, string token, CancellationToken stop);

/// <summary>Says which identity a service has in this cluster.</summary>
/// <exception cref="InvalidOperationException">There is no authority yet.</exception>
public delegate ValueTask<SpiffeService> LeafIdentity(string service, CancellationToken stop);

/// <summary>A service's certificate as the agent answers it.</summary>
/// <param name="Leaf">The certificate and its key.</param>
/// <param name="Index">The index of the answer; rises with each certificate.</param>
/// <param name="IsHit">Whether it was there already.</param>
/// <param name="IssuedAt">When it came.</param>
public sealed record LeafAnswer(IssuedLeaf Leaf, ulong Index, bool IsHit, DateTimeOffset IssuedAt);

// Each service that somebody asked for has one current certificate, whose key was made here and never leaves but to
// whoever asks. One loop per service renews it: at a random point of the last part of its life, so that certificates
// issued together are not renewed together; within a short while after another root became active; and, when signing
// fails, again and again with short jittered pauses, while the old certificate keeps being answered. A service that
// nobody asked for since its last renewal is forgotten instead of renewed.

/// <summary>Keeps the certificates of this agent's services current.</summary>
public sealed partial class LeafCache : IAsyncDisposable
{
    /// <summary>How many services may have a certificate.</summary>
    public const int ServicesMax = 10_000;

    // Consul renews between 60 and 90 % of the life; the last tenth is left for servers that are away.
    private const double RenewEarliest = 0.6;
    private const double RenewLatest = 0.8;

    // Long enough that no second sees more than a tenth of the renewals, short against any leaf's life.
    private static readonly TimeSpan RootSpread = TimeSpan.FromSeconds(15);

    // After an outage everybody must be back within five seconds.
    private static readonly TimeSpan RetryMin = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan RetryMax = TimeSpan.FromSeconds(4);

    // A machine that slept finds its clock moved on, its timers not.
    private static readonly TimeSpan SleepMax = TimeSpan.FromMinutes(10);

    private readonly ConcurrentDictionary<string, Entry> _entries = new(StringComparer.Ordinal);
    private readonly CancellationTokenSource _stop = new();
    private readonly Lock _chance = new();
    private readonly LeafSigning _sign;
    private readonly LeafIdentity _identityOf;
    private readonly TimeProvider _time;
    private readonly Random _random;
    private readonly ILogger _log;

    /// <summary>A cache without certificates.</summary>
    /// <param name="sign">Signs requests.</param>
    /// <param name="identityOf">The identity of a service in this cluster.</param>
    /// <param name="time">The clock.</param>
    /// <param name="random">Spreads renewals.</param>
    /// <param name="log">Where failures go.</param>
    public LeafCache(
        LeafSigning sign, LeafIdentity identityOf, TimeProvider time, Random random, ILogger log)
    {
        _sign = sign;
        _identityOf = identityOf;
        _time = time;
        _random = random;
        _log = log;
    }

    /// <summary>How many services have a certificate.</summary>
    public int Count => _entries.Count;

    /// <summary>The certificate of a service: at once, or when its index is above the given one, or after the
    /// wait.</summary>
    /// <param name="service">The service; the caller was authorized for it.</param>
    /// <param name="index">The index that the reader has. 0: none.</param>
    /// <param name="wait">How long to wait for a newer one.</param>
    /// <param name="stop">Ends the wait.</param>
    /// <param name="token">The caller's secret, with which the certificate is signed and renewed.</param>
    public async Task<Outcome<LeafAnswer>> ReadAsync(
        string service, ulong index, TimeSpan wait, CancellationToken stop, string token = "")
    {
        if (!_entries.TryGetValue(service, out var entry) && _entries.Count >= ServicesMax)
        {
            return new Refusal(429, $"certificates for {ServicesMax} services are kept already");
        }

        entry ??= _entries.GetOrAdd(service, name => new Entry(name, _time));
        entry.Token = token;
        var isHit = entry.Leaf.Current is not null;
        if (!isHit)
        {
            var first = await entry.First(() => IssueFirstAsync(entry)).WaitAsync(stop);
            if (first is { } refusal)
            {
                return refusal;
            }
        }

        entry.WasRead = true;
        var current = await entry.Leaf.ReadAsync(index, wait, stop);
        return current is null
            ? Refusal.Failed("the certificate is not there yet, try again")
            : new LeafAnswer(current.Value, current.Index, isHit, entry.IssuedAt);
    }

    /// <summary>Tells that another root signs from now on: all certificates of others are renewed soon, not at
    /// once.</summary>
    public void RootsChanged(string activeRootId)
    {
        var now = _time.GetUtcNow();
        foreach (var entry in _entries.Values)
        {
            if (entry.Leaf.Current is { } leaf && leaf.Value.RootId != activeRootId)
            {
                entry.RenewBy(now + (RootSpread * Chance()));
            }
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await Task.WhenAll(_entries.Values.Select(static e => e.Loop));
        _stop.Dispose();
    }

    private async Task<Refusal?> IssueFirstAsync(Entry entry)
    {
        var refusal = await IssueAsync(entry);
        if (refusal is null)
        {
            entry.Loop = KeepAsync(entry);
        }
        else
        {
            _entries.TryRemove(new KeyValuePair<string, Entry>(entry.Service, entry));
        }

        return refusal;
    }

    private async Task KeepAsync(Entry entry)
    {
        var pause = RetryMin;
        try
        {
            while (true)
            {
                await SleepUntilDueAsync(entry);
                if (!entry.WasRead && entry.Leaf.Waiting == 0)
                {
                    _entries.TryRemove(new KeyValuePair<string, Entry>(entry.Service, entry));
                    return;
                }

                if (await IssueAsync(entry) is { } refusal)
                {
                    Log.NotRenewed(_log, entry.Service, refusal.Text);
                    entry.Retry(_time.GetUtcNow() + (pause * (0.5 + (0.5 * Chance()))));
                    pause = pause * 2 < RetryMax ? pause * 2 : RetryMax;
                    continue;
                }

                pause = RetryMin;
                entry.WasRead = false;
            }
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            // The agent stops.
        }
    }

    private async Task SleepUntilDueAsync(Entry entry)
    {
        while (true)
        {
            var (due, changed) = entry.Plan();
            var left = due - _time.GetUtcNow();
            if (left <= TimeSpan.Zero)
            {
                return;
            }

            // Delays drop what is below a millisecond: without one more this would spin until the time has come.
            var pause = left < SleepMax ? left + TimeSpan.FromMilliseconds(1) : SleepMax;
            using var awake = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
            var sleep = Task.Delay(pause, _time, awake.Token);
            await Task.WhenAny(sleep, changed);
            await awake.CancelAsync();
            _stop.Token.ThrowIfCancellationRequested();
        }
    }

    private async Task<Refusal?> IssueAsync(Entry entry)
    {
        using var key = SigningKey.Create("ec", 256);
        Outcome<IssuedLeaf> outcome;
        try
        {
            var identity = await _identityOf(entry.Service, _stop.Token);
            outcome = await _sign(entry.Service, key.CreateRequest(identity), entry.Token, _stop.Token);
        }
        catch (Exception e) when (e is not OperationCanceledException || !_stop.IsCancellationRequested)
        {
            // This loop's supervisor: whatever went wrong on the way, the next try may succeed.
            outcome = Refusal.Failed("signing failed: " + e.Message);
        }

        if (outcome.Refusal is { } refusal)
        {
            return refusal;
        }

        var leaf = outcome.Value with { PrivateKeyPem = key.ToPem() };
        var now = _time.GetUtcNow();
        var life = leaf.ValidBefore - leaf.ValidAfter;
        var renew = leaf.ValidAfter + (life * (RenewEarliest + ((RenewLatest - RenewEarliest) * Chance())));
        entry.Issued(now, renew);
        entry.Leaf.Set(index => leaf with { CreateIndex = index, ModifyIndex = index }, leaf.CreateIndex);
        return null;
    }

    // Random is not safe for several threads.
    private double Chance()
    {
        lock (_chance)
        {
            return _random.NextDouble();
        }
    }

    private sealed class Entry(string service, TimeProvider time)
    {
        private readonly Lock _gate = new();
        private Task<Refusal?>? _first;
        private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private DateTimeOffset _renewAt;
        private volatile bool _wasRead;
        private volatile string _token = "";

        public string Service => service;

        /// <summary>The secret of whoever asked last. Must never be logged.</summary>
        public string Token
        {
            get => _token;
            set => _token = value;
        }

        public Watched<IssuedLeaf> Leaf { get; } = new(time);

        public DateTimeOffset IssuedAt { get; private set; }

        public Task Loop { get; set; } = Task.CompletedTask;

        /// <summary>Whether anybody asked since the last renewal.</summary>
        public bool WasRead
        {
            get => _wasRead;
            set => _wasRead = value;
        }

        public Task<Refusal?> First(Func<Task<Refusal?>> issue)
        {
            lock (_gate)
            {
                return _first ??= issue();
            }
        }

        public void Issued(DateTimeOffset now, DateTimeOffset renewAt)
        {
            lock (_gate)
            {
                IssuedAt = now;
                _renewAt = renewAt;
            }
        }

        public void Retry(DateTimeOffset at)
        {
            lock (_gate)
            {
                _renewAt = at;
            }
        }

        public void RenewBy(DateTimeOffset at)
        {
            TaskCompletionSource woken;
            lock (_gate)
            {
                if (at >= _renewAt)
                {
                    return;
                }

                _renewAt = at;
                woken = _changed;
                _changed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            }

            woken.SetResult();
        }

        public (DateTimeOffset Due, Task Changed) Plan()
        {
            lock (_gate)
            {
                return (_renewAt, _changed.Task);
            }
        }
    }

    private static partial class Log
    {
        [LoggerMessage(
            EventId = 6101,
            Level = LogLevel.Warning,
            Message = "The certificate of {Service} could not be renewed and stays as it is; trying again: {Reason}")]
        public static partial void NotRenewed(ILogger log, string service, string reason);
    }
}
