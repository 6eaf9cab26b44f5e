namespace Praetor.Client.Locks;

/// <summary>A lock that so many holders have at a time, over all who ask the same datacenter.</summary>
/// <remarks>
/// Whoever wants a place puts a key of its own below the prefix, locked by its session. The key <c>.lock</c> lists the
/// sessions that hold a place; it is only ever changed by check and set, and those whose own key is gone do not count.
/// Consul's own clients and <c>consul lock -n</c> share the same semaphore.
/// </remarks>
/// <param name="client">The agent; must have time for a read that waits.</param>
/// <param name="prefix">Where its keys stand.</param>
/// <param name="limit">How many may hold it; all who take part must say the same.</param>
/// <param name="options">How to take a place. Null: as usual.</param>
/// <param name="time">The clock. Null: the system's.</param>
public sealed class KeySemaphore(
    PraetorClient client, string prefix, int limit, LockOptions? options = null, TimeProvider? time = null)
{
    /// <summary>The flags of keys that are used as a semaphore; Consul's value.</summary>
    public const ulong Flags = 0xe0f69a2baa414de0;

    /// <summary>The name of the key that lists the holders.</summary>
    public const string LockName = ".lock";

    private readonly LockOptions _options = options ?? new LockOptions();
    private readonly TimeProvider _time = time ?? TimeProvider.System;
    private readonly string _folder = prefix.TrimEnd('/') + "/";

    private string LockKey => _folder + LockName;

    /// <summary>Waits for a place and takes it.</summary>
    /// <returns>The hold; null: <see cref="LockOptions.GiveUpAfter"/> is over.</returns>
    /// <exception cref="LockConflictException">The keys are used for something else, or another limit was
    /// said.</exception>
    /// <exception cref="ApiException">The agent refused.</exception>
    public Task<LockHold?> AcquireAsync(CancellationToken stop = default) =>
        LockCalls.AcquireAsync(client, _time, _options, behavior: "delete", AcquireAsync, stop);

    /// <summary>Deletes the list of holders if nobody holds a place.</summary>
    /// <exception cref="LockConflictException">The keys are used for something else.</exception>
    /// <exception cref="ApiException">The agent refused.</exception>
    public async Task<LockCleanUp> CleanUpAsync(CancellationToken stop = default)
    {
        var (pair, state, _) = await ReadAsync(new QueryOptions(), stop);
        return pair is null || (state.Holders.Count == 0 && await client.DeleteKeyAsync(
            LockKey, pair.ModifyIndex, stop: stop))
            ? LockCleanUp.Done
            : LockCleanUp.InUse;
    }

    private async Task<LockHold?> AcquireAsync(HeldSession session, Patience patience, CancellationToken stop)
    {
        if (!await client.PutKeyAsync(
            _folder + session.Id, _options.Value, new KvWrite { Flags = Flags, Acquire = session.Id }, stop: stop))
        {
            throw new LockConflictException("failed to make contender entry");
        }

        ulong index = 0;
        for (var tries = 0; tries == 0 || !patience.IsOver; tries++)
        {
            var query = new QueryOptions { Index = index, Wait = patience.Cut(LockCalls.Wait) };
            var (pair, state, next) = await ReadAsync(query, stop);
            if (state.Limit != limit)
            {
                throw new LockConflictException(
                    $"semaphore limit conflict (lock: {state.Limit}, local: {limit})");
            }

            if (state.Holders.Count >= limit)
            {
                index = next;
                continue;
            }

            state.Holders[session.Id] = true;
            if (await PutAsync(state, pair, stop))
            {
                return await HoldAsync(session, stop);
            }

            // Somebody was quicker.
            index = 0;
        }

        return null;
    }

    private Task<bool> PutAsync(SemaphoreState state, KvPair? before, CancellationToken stop) => client.PutKeyAsync(
        LockKey, state.Write(), new KvWrite { Flags = Flags, Cas = before?.ModifyIndex ?? 0 }, stop: stop);

    // The list of holders without those whose session has ended.
    private async Task<(KvPair? Pair, SemaphoreState State, ulong Index)> ReadAsync(
        QueryOptions query, CancellationToken stop)
    {
        var answer = await client.ListKvAsync(_folder, query, stop);
        var pairs = answer.Value ?? [];
        var pair = Array.Find(pairs, p => p.Key == LockKey);
        if (pair is null)
        {
            return (null, new SemaphoreState { Limit = limit }, answer.Meta.Index);
        }

        if (pair.Flags != Flags)
        {
            throw new LockConflictException("Existing key does not match semaphore use");
        }

        var state = SemaphoreState.Read(pair.Value);
        var alive = pairs.Where(static p => p.Session is not null).Select(static p => p.Session!)
            .ToHashSet(StringComparer.Ordinal);
        foreach (var dead in state.Holders.Keys.Where(h => !alive.Contains(h)).ToList())
        {
            state.Holders.Remove(dead);
        }

        return (pair, state, answer.Meta.Index);
    }

    private async Task<LockHold?> HoldAsync(HeldSession session, CancellationToken stop)
    {
        var (pair, state, index) = await ReadAsync(new QueryOptions { Consistent = true }, stop);
        if (pair is null || !state.Holders.ContainsKey(session.Id))
        {
            return null;
        }

        return new LockHold(
            session,
            pair.ModifyIndex,
            over => LockCalls.WatchAsync(
                _options, session, _time, (query, ct) => IsHeldAsync(session.Id, query, ct), index, over),
            end => ReleaseAsync(session.Id, end));
    }

    private async Task<ulong?> IsHeldAsync(string session, QueryOptions query, CancellationToken stop)
    {
        var (_, state, index) = await ReadAsync(query, stop);
        return state.Holders.ContainsKey(session) ? index : null;
    }

    private async Task ReleaseAsync(string session, CancellationToken stop)
    {
        while (true)
        {
            var pair = (await client.GetKeyAsync(LockKey, stop: stop)).Value;
            if (pair is null)
            {
                break;
            }

            var state = SemaphoreState.Read(pair.Value);
            if (!state.Holders.Remove(session) || await PutAsync(state, pair, stop))
            {
                break;
            }
        }

        await client.DeleteKeyAsync(_folder + session, stop: stop);
    }
}
