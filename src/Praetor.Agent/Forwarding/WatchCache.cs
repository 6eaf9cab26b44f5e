using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Praetor.Agent.Connect;
using Praetor.Server.State;

namespace Praetor.Agent.Forwarding;

/// <summary>Keeps the answers of servers that this agent needs again and again, and keeps them current.</summary>
/// <remarks>
/// The problem: a client agent must answer DNS in microseconds and go on answering when all servers are lost, and it
/// has no state.
/// The idea: what is asked for the first time is fetched; from then on a blocking query stands at a server, and its
/// answers replace what is kept. Whoever reads gets what is kept, without waiting. What nobody read for a while is
/// forgotten, and so is what was not read for the longest time when there is no room.
/// When the servers are lost what is kept stays, and says how old it is; the query is asked again until one answers.
/// </remarks>
internal sealed partial class WatchCache : IAsyncDisposable
{
    /// <summary>How many answers are kept; each is one call under way.</summary>
    public const int EntriesMax = 4096;

    /// <summary>How many bytes of answers are kept: 64 MiB.</summary>
    public const long BytesMax = 64 * 1024 * 1024;

    /// <summary>After so long without a reader an answer's version changes, so that readers who kept what they made
    /// of it come back; after as long again it is forgotten.</summary>
    public static readonly TimeSpan IdleMax = TimeSpan.FromMinutes(5);

    // Only how often a quiet wait begins anew.
    private static readonly TimeSpan WatchWait = TimeSpan.FromMinutes(5);

    // Who waits for a first answer is a resolver or a program that gives up itself after some seconds.
    private static readonly TimeSpan FirstHold = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan RetryMin = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan RetryMax = TimeSpan.FromSeconds(5);

    // A question that does not block, or a server that answers at once always, must not be asked in a circle.
    private static readonly TimeSpan BusyPause = TimeSpan.FromSeconds(1);

    private readonly ConcurrentDictionary<WatchKey, Entry> _entries = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly Forwarder _forwarder;
    private readonly TimeProvider _time;
    private readonly Random _random;
    private readonly ILogger _log;
    private readonly ITimer _sweep;
    private long _bytes;
    private long _version;

    public WatchCache(Forwarder forwarder, TimeProvider time, Random random, ILogger log)
    {
        (_forwarder, _time, _random, _log) = (forwarder, time, random, log);
        _sweep = time.CreateTimer(
            static self => ((WatchCache)self!).Sweep(), this, IdleMax / 2, IdleMax / 2);
    }

    /// <summary>Grows with every change of anything that is kept.</summary>
    public ulong Version => (ulong)Volatile.Read(ref _version);

    /// <summary>How many answers are kept.</summary>
    public int Count => _entries.Count;

    /// <summary>What is kept. Null: nothing is.</summary>
    public WatchedReply? Peek(WatchKey key)
    {
        if (!_entries.TryGetValue(key, out var entry) || entry.Current is not { } current)
        {
            return null;
        }

        entry.LastUse = _time.GetTimestamp();
        return current;
    }

    /// <summary>Changes whenever what is kept for a question does.</summary>
    public ulong VersionOf(WatchKey key) => _entries.TryGetValue(key, out var entry) ? entry.Version : 0;

    /// <summary>For how long no server has confirmed what is kept. Zero: it is current.</summary>
    public TimeSpan AgeOf(WatchKey key) => _entries.TryGetValue(key, out var entry) && entry.LostSince is { } since
        ? _time.GetElapsedTime(since) : TimeSpan.Zero;

    /// <summary>The answer: what is kept, or else what a server says now.</summary>
    public async ValueTask<WatchOutcome> GetAsync(WatchKey key, CancellationToken stop)
    {
        if (Peek(key) is { } kept)
        {
            return new WatchOutcome(kept, IsHit: true, AgeOf(key), null);
        }

        var entry = _entries.GetOrAdd(key, static (k, time) => new Entry(k, time), _time);
        entry.LastUse = _time.GetTimestamp();
        var refusal = await entry.First(() => Task.Run(() => FetchFirstAsync(entry))).WaitAsync(stop);
        return entry.Current is { } fetched
            ? new WatchOutcome(fetched, IsHit: false, TimeSpan.Zero, null)
            : new WatchOutcome(null, IsHit: false, TimeSpan.Zero, refusal ?? Refusal.Failed(Forwarder.NoServers));
    }

    /// <summary>The answer once its index is above the given one, or whatever it is when the wait is over.</summary>
    public async Task<WatchOutcome> WaitAsync(WatchKey key, ulong index, TimeSpan wait, CancellationToken stop)
    {
        var now = await GetAsync(key, stop);
        if (now.Reply is not { } reply || reply.Index != index || !_entries.TryGetValue(key, out var entry))
        {
            return now;
        }

        var next = await entry.Watched.ReadAsync(index, wait, stop);
        return new WatchOutcome(next?.Value ?? reply, IsHit: next?.Index == index, AgeOf(key), null);
    }

    /// <summary>Calls whenever the answer changed, from its first on, until it is disposed; keeps it from being
    /// forgotten.</summary>
    public IDisposable Follow(WatchKey key, Action<WatchedReply> changed) => new Following(this, key, changed);

    public async ValueTask DisposeAsync()
    {
        await _sweep.DisposeAsync();
        await _stop.CancelAsync();
        await Task.WhenAll(_entries.Values.Select(static e => e.Loop));
        _stop.Dispose();
    }

    private async Task<Refusal?> FetchFirstAsync(Entry entry)
    {
        Outcome<ServerReply> outcome;
        try
        {
            outcome = await _forwarder.AskAsync(entry.Key.Call(0, TimeSpan.Zero, FirstHold), entry.Stop(_stop.Token));
        }
        catch (OperationCanceledException)
        {
            outcome = Refusal.Failed("the agent is stopping");
        }

        if (outcome.Refusal is { } refusal || !outcome.Value.IsAnswer)
        {
            _entries.TryRemove(new KeyValuePair<WatchKey, Entry>(entry.Key, entry));
            return outcome.Refusal ?? outcome.Value.Refused();
        }

        Put(entry, outcome.Value);
        entry.Loop = FollowAsync(entry, outcome.Value);
        MakeRoom(entry);
        return null;
    }

    private async Task FollowAsync(Entry entry, ServerReply before)
    {
        var stop = entry.Stop(_stop.Token);
        var pause = RetryMin;
        var index = before.Index;
        while (!stop.IsCancellationRequested)
        {
            try
            {
                var begin = _time.GetTimestamp();
                var outcome = await _forwarder.AskAsync(entry.Key.Call(Math.Max(1, index), WatchWait, null), stop);
                if (outcome.Refusal is { } refusal || !outcome.Value.IsAnswer)
                {
                    entry.Lost(_time.GetTimestamp());
                    Log.NotWatched(_log, entry.Key, outcome.Refusal?.Text ?? $"status {outcome.Value.Status}");
                    await Task.Delay(pause * (0.5 + Draw()), _time, stop);
                    pause = pause * 2 < RetryMax ? pause * 2 : RetryMax;
                    continue;
                }

                pause = RetryMin;
                entry.Found();
                var after = outcome.Value;
                if (after.Status != before.Status || !after.Body.AsSpan().SequenceEqual(before.Body))
                {
                    Put(entry, after);
                    before = after;
                }
                else if (after.Index <= index && _time.GetElapsedTime(begin) < BusyPause)
                {
                    await Task.Delay(BusyPause, _time, stop);
                }

                // An index that went back begins anew.
                index = after.Index < index ? 0 : after.Index;
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
                return;
            }
        }
    }

    private void Put(Entry entry, ServerReply reply)
    {
        Interlocked.Add(ref _bytes, reply.Body.Length - (entry.Current?.Reply.Body.Length ?? 0));
        entry.Watched.Set(index => new WatchedReply(reply, index), reply.Index);
        entry.Touch();
        Interlocked.Increment(ref _version);
    }

    private void MakeRoom(Entry newest)
    {
        if (_entries.Count <= EntriesMax && Volatile.Read(ref _bytes) <= BytesMax)
        {
            return;
        }

        foreach (var entry in _entries.Values.Where(e => e != newest && !e.IsFollowed).OrderBy(static e => e.LastUse))
        {
            Forget(entry);
            if (_entries.Count <= EntriesMax && Volatile.Read(ref _bytes) <= BytesMax)
            {
                return;
            }
        }
    }

    private void Sweep()
    {
        foreach (var entry in _entries.Values)
        {
            var idle = _time.GetElapsedTime(entry.LastUse);
            if (entry.IsFollowed || idle < IdleMax || entry.Current is null)
            {
                continue;
            }

            // What cannot be asked for again is kept, for as long as there is room.
            if (idle >= 2 * IdleMax && entry.LostSince is null)
            {
                Forget(entry);
            }

            entry.Touch();
            Interlocked.Increment(ref _version);
        }
    }

    private void Forget(Entry entry)
    {
        if (_entries.TryRemove(new KeyValuePair<WatchKey, Entry>(entry.Key, entry)))
        {
            Interlocked.Add(ref _bytes, -(entry.Current?.Reply.Body.Length ?? 0));
            entry.End();
            Interlocked.Increment(ref _version);
        }
    }

    private double Draw()
    {
        lock (_random)
        {
            return _random.NextDouble();
        }
    }

    private sealed class Entry(WatchKey key, TimeProvider time)
    {
        private static long _versions;

        private readonly Lock _gate = new();
        private readonly CancellationTokenSource _end = new();
        private Task<Refusal?>? _first;
        private long _version = Interlocked.Increment(ref _versions);
        private long _lostSince = -1;
        private int _followers;
        private CancellationTokenSource? _both;

        public WatchKey Key => key;

        public Watched<WatchedReply> Watched { get; } = new(time);

        public WatchedReply? Current => Watched.Current?.Value;

        public long LastUse { get; set; }

        public Task Loop { get; set; } = Task.CompletedTask;

        public ulong Version => (ulong)Volatile.Read(ref _version);

        public bool IsFollowed => Volatile.Read(ref _followers) > 0;

        /// <summary>Since when no server answers, as a timestamp. Null: one does.</summary>
        public long? LostSince => Volatile.Read(ref _lostSince) is >= 0 and var since ? since : null;

        public void Lost(long now) => Interlocked.CompareExchange(ref _lostSince, now, -1);

        public void Found() => Volatile.Write(ref _lostSince, -1);

        public void Touch() => Volatile.Write(ref _version, Interlocked.Increment(ref _versions));

        public void Follow(int change) => Interlocked.Add(ref _followers, change);

        public void End() => _end.Cancel();

        public CancellationToken Stop(CancellationToken all)
        {
            lock (_gate)
            {
                return (_both ??= CancellationTokenSource.CreateLinkedTokenSource(_end.Token, all)).Token;
            }
        }

        public Task<Refusal?> First(Func<Task<Refusal?>> fetch)
        {
            lock (_gate)
            {
                return _first ??= fetch();
            }
        }
    }

    /// <summary>Reads one answer again and again, the first as well.</summary>
    private sealed class Following : IDisposable
    {
        private readonly CancellationTokenSource _end = new();

        public Following(WatchCache cache, WatchKey key, Action<WatchedReply> changed) =>
            _ = Task.Run(() => RunAsync(cache, key, changed, _end.Token));

        public void Dispose() => _end.Cancel();

        private static async Task RunAsync(
            WatchCache cache, WatchKey key, Action<WatchedReply> changed, CancellationToken end)
        {
            using var both = CancellationTokenSource.CreateLinkedTokenSource(end, cache._stop.Token);
            try
            {
                for (var pause = RetryMin; ; pause = pause * 2 < RetryMax ? pause * 2 : RetryMax)
                {
                    await FollowAsync(cache, key, changed, both.Token);
                    await Task.Delay(pause * (0.5 + cache.Draw()), cache._time, both.Token);
                }
            }
            catch (OperationCanceledException) when (both.IsCancellationRequested)
            {
                // Nobody wants to know any more.
            }
        }

        private static async Task FollowAsync(
            WatchCache cache, WatchKey key, Action<WatchedReply> changed, CancellationToken stop)
        {
            var first = await cache.GetAsync(key, stop);
            if (first.Reply is null || !cache._entries.TryGetValue(key, out var entry))
            {
                return;
            }

            entry.Follow(1);
            try
            {
                var known = first.Reply;
                changed(known);
                while (cache._entries.ContainsKey(key))
                {
                    var next = await entry.Watched.ReadAsync(known.Index, WatchWait, stop);
                    if (next is not null && next.Value != known)
                    {
                        known = next.Value;
                        changed(known);
                    }
                }
            }
            finally
            {
                entry.Follow(-1);
            }
        }
    }

    private static partial class Log
    {
        [LoggerMessage(6221, LogLevel.Debug, "an answer is not kept current for now: {Key}: {Why}")]
        public static partial void NotWatched(ILogger log, WatchKey key, string why);
    }
}
