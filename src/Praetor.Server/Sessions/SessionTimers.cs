using Praetor.Server.Model;
using Praetor.Server.State;

namespace Praetor.Server.Sessions;

/// <summary>The leader's duty to end sessions that are not renewed, and lock delays that are over.</summary>
/// <remarks>
/// The problem: a lock must come free when its holder is gone, and must never come free while it lives. Who leads knows
/// when it last heard of a session; nobody else does, and no clock is shared.
/// The idea: times are kept here only, and by a clock that cannot be set. Whoever begins to lead gives every session
/// its whole time anew, and every lock delay too, as nobody knows what of it is over: both may last longer across a
/// change or a restart, never shorter. What is new is found in the state itself, so it does not matter which way it
/// came there.
/// Why no session ends early: it ends by a command that is made here after its time, and from that moment a renewal is
/// refused. A server that stood still (stopped, starved, its machine suspended) heard no renewals, and then all times
/// begin anew. Who lives renews after each half of a TTL at the latest, so a standstill must last one and a half TTL to
/// do harm; the shortest TTL being 10 s, a look every 5 s that may be 5 s late finds each of them.
/// </remarks>
public sealed class SessionTimers(StateStore store, TimeProvider time) : IWatcher
{
    /// <summary>How many sessions end by one command, so that other writes get between.</summary>
    public const int SessionsPerCommand = 64;

    /// <summary>How many lock delays end by one command.</summary>
    public const int DelaysPerCommand = 256;

    /// <summary>How often the timers look whether the server stood still, while sessions have a TTL: 5 s.</summary>
    public static readonly TimeSpan Beat = TimeSpan.FromSeconds(5);

    /// <summary>How late a look must be to count as a standstill: 5 s, far beyond what a busy machine does.</summary>
    public static readonly TimeSpan StandstillMin = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan WaitMin = TimeSpan.FromMilliseconds(1);
    private const int StaleMax = 1024;

    private readonly Lock _gate = new();
    private readonly SemaphoreSlim _wake = new(0, 1);
    private readonly Deadlines _sessions = new();
    private readonly Deadlines _delays = new();
    private readonly HashSet<string> _ending = new(StringComparer.Ordinal);
    private readonly long _start = time.GetTimestamp();
    private readonly WatchKey[] _watched =
    [
        new(Tables.SessionsById.Slot, [], IsPrefix: true), new(Tables.LockDelaysByKey.Slot, [], IsPrefix: true),
    ];

    private TimeSpan? _appointment;
    private ulong _seen;
    private int _isWoken;

    /// <summary>Ends what is due, until stopped; begins with the whole time for everything.</summary>
    public async Task RunAsync(CancellationToken stop)
    {
        Forget();
        store.Watches.Add(_watched, this);
        await using var timer = time.CreateTimer(
            static state => ((SessionTimers)state!).Wake(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        try
        {
            while (true)
            {
                timer.Change(await TickAsync() ?? Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
                await _wake.WaitAsync(stop);
                Volatile.Write(ref _isWoken, 0);
            }
        }
        finally
        {
            store.Watches.Remove(_watched, this);
            Forget();
        }
    }

    /// <summary>Gives a session its whole time again.</summary>
    /// <returns>False: it is being ended.</returns>
    public bool Renew(SessionRecord session)
    {
        lock (_gate)
        {
            if (_ending.Contains(session.Id))
            {
                return false;
            }

            // One that is not there yet gets its time when it is found; who does not lead has none there.
            if (_sessions.Has(session.Id) && SessionRules.LifeOf(session) is { } life)
            {
                _sessions.Set(session.Id, Now() + life);
            }

            return true;
        }
    }

    /// <summary>Gives everything its whole time anew: for when the whole state was replaced, whose records keep the
    /// indexes that they came with.</summary>
    public void BeginAnew()
    {
        Forget();
        Wake();
    }

    void IWatcher.Changed() => Wake();

    /// <summary>Takes in what is new and ends what is due.</summary>
    /// <returns>When to look again. Null: when something changes.</returns>
    internal async Task<TimeSpan?> TickAsync()
    {
        NoteStandstill();
        TakeNew(store.Current);
        while (TakeDue(_sessions, SessionsPerCommand, isEnding: true) is { Count: > 0 } ids)
        {
            await EndAsync(ids, new EndSessions(ids), _sessions);
        }

        // Ending sessions makes lock delays, whose time begins now.
        TakeNew(store.Current);
        while (TakeDue(_delays, DelaysPerCommand, isEnding: false) is { Count: > 0 } keys)
        {
            await EndAsync(keys, new EndLockDelays(keys), _delays);
        }

        lock (_gate)
        {
            var now = Now();
            _appointment = Earlier(Earlier(_sessions.Next, _delays.Next), _sessions.Count > 0 ? now + Beat : null);
            return _appointment - now is { } wait ? wait < WaitMin ? WaitMin : wait : null;
        }
    }

    private static TimeSpan? Earlier(TimeSpan? a, TimeSpan? b) => a is null ? b : b is null || a < b ? a : b;

    private TimeSpan Now() => time.GetElapsedTime(_start);

    // What is there is new again to the next look, and gets its whole time.
    private void Forget()
    {
        lock (_gate)
        {
            _sessions.Clear();
            _delays.Clear();
            (_seen, _appointment) = (0, null);
        }
    }

    private void Wake()
    {
        // One is enough: the tick to come sees all that came before it.
        if (Interlocked.Exchange(ref _isWoken, 1) == 0)
        {
            _wake.Release();
        }
    }

    private void NoteStandstill()
    {
        lock (_gate)
        {
            if (_appointment is { } meant && Now() - meant > StandstillMin)
            {
                Forget();
            }
        }
    }

    private void TakeNew(StateSnapshot state)
    {
        lock (_gate)
        {
            if (state.Index <= _seen)
            {
                return;
            }

            var now = Now();
            var sessions = state.Trees[Tables.SessionsById.Slot];
            foreach (var session in New<SessionRecord>(sessions))
            {
                if (SessionRules.LifeOf(session) is { } life && !_ending.Contains(session.Id))
                {
                    _sessions.Set(session.Id, now + life);
                }
            }

            var delays = state.Trees[Tables.LockDelaysByKey.Slot];
            foreach (var delay in New<LockDelayRecord>(delays))
            {
                _delays.Set(delay.Key, now + Languages.GoDuration.FromNanoseconds(delay.Delay));
            }

            _seen = state.Index;
            Prune(_sessions, sessions);
            Prune(_delays, delays);
        }
    }

    // What lies on the way to something new is met too, and is not new itself.
    private IEnumerable<T> New<T>(RadixTree<StoredRecord> tree)
        where T : StoredRecord => tree.ScanSince(_seen).Where(r => r.ModifyIndex > _seen).Cast<T>();

    // What ended by other causes is forgotten when its time comes, or when there is much of it.
    private static void Prune(Deadlines deadlines, RadixTree<StoredRecord> tree)
    {
        if (deadlines.Count > (2 * tree.Count) + StaleMax)
        {
            deadlines.Keep(name => tree.Get(KeyBytes.Exact(name)) is not null);
        }
    }

    private List<string> TakeDue(Deadlines deadlines, int max, bool isEnding)
    {
        lock (_gate)
        {
            var due = deadlines.TakeDue(Now(), max);
            if (isEnding)
            {
                _ending.UnionWith(due);
            }

            return due;
        }
    }

    // While nothing can be written (a full disk) it is tried again and again.
    private async Task EndAsync(List<string> names, Command<bool> command, Deadlines deadlines)
    {
        var outcome = await store.SubmitAsync(command);
        lock (_gate)
        {
            _ending.ExceptWith(names);
            foreach (var name in outcome.Refusal is null ? [] : names)
            {
                deadlines.Set(name, Now() + RetryAfter);
            }
        }
    }
}
