namespace Praetor.Client.Locks;

/// <summary>A lock that one holder has at a time, over all who ask the same datacenter. Also elects leaders.</summary>
/// <remarks>Consul's own clients and <c>consul lock</c> take the same lock by the same key.</remarks>
/// <param name="client">The agent; must have time for a read that waits.</param>
/// <param name="key">The key.</param>
/// <param name="options">How to take it. Null: as usual.</param>
/// <param name="time">The clock. Null: the system's.</param>
public sealed class KeyLock(PraetorClient client, string key, LockOptions? options = null, TimeProvider? time = null)
{
    /// <summary>The flags of a key that is used as a lock; Consul's value.</summary>
    public const ulong Flags = 0x2ddccbc058a50c18;

    private readonly LockOptions _options = options ?? new LockOptions();
    private readonly TimeProvider _time = time ?? TimeProvider.System;

    /// <summary>Waits for the lock and takes it.</summary>
    /// <returns>The hold; null: <see cref="LockOptions.GiveUpAfter"/> is over.</returns>
    /// <exception cref="LockConflictException">The key is used for something else.</exception>
    /// <exception cref="ApiException">The agent refused.</exception>
    public Task<LockHold?> AcquireAsync(CancellationToken stop = default) =>
        LockCalls.AcquireAsync(client, _time, _options, behavior: null, AcquireAsync, stop);

    /// <summary>Deletes the key if nobody holds it.</summary>
    /// <exception cref="LockConflictException">The key is used for something else.</exception>
    /// <exception cref="ApiException">The agent refused.</exception>
    public async Task<LockCleanUp> CleanUpAsync(CancellationToken stop = default)
    {
        var pair = (await client.GetKeyAsync(key, stop: stop)).Value;
        if (pair is null)
        {
            return LockCleanUp.Done;
        }

        Demand(pair);
        return pair.Session is null && await client.DeleteKeyAsync(key, pair.ModifyIndex, stop: stop)
            ? LockCleanUp.Done
            : LockCleanUp.InUse;
    }

    private static void Demand(KvPair pair)
    {
        if (pair.Flags != Flags)
        {
            throw new LockConflictException("Existing key does not match lock use");
        }
    }

    private async Task<LockHold?> AcquireAsync(HeldSession session, Patience patience, CancellationToken stop)
    {
        ulong index = 0;
        var wait = LockCalls.Wait;
        for (var tries = 0; tries == 0 || !patience.IsOver; tries++)
        {
            var answer = await client.GetKeyAsync(
                key, new QueryOptions { Index = index, Wait = patience.Cut(wait) }, stop);
            if (answer.Value is { } pair)
            {
                Demand(pair);
            }

            if (answer.Value?.Session is { } holder && holder != session.Id)
            {
                (index, wait) = (answer.Meta.Index, LockCalls.Wait);
                continue;
            }

            if (await client.PutKeyAsync(
                key, _options.Value, new KvWrite { Flags = Flags, Acquire = session.Id }, stop: stop))
            {
                return await HoldAsync(session, stop);
            }

            // Somebody was quicker, or nobody gets it for a while: either way it changes when that ends. An agent that
            // does not tell is asked again soon.
            (index, wait) = (answer.Meta.Index, LockCalls.DelayWait);
        }

        return null;
    }

    private async Task<LockHold?> HoldAsync(HeldSession session, CancellationToken stop)
    {
        var answer = await client.GetKeyAsync(key, new QueryOptions { Consistent = true }, stop);
        if (answer.Value is not { } pair || pair.Session != session.Id)
        {
            return null;
        }

        return new LockHold(
            session,
            pair.ModifyIndex,
            over => LockCalls.WatchAsync(
                _options, session, _time, (query, ct) => IsHeldAsync(session.Id, query, ct), answer.Meta.Index, over),
            end => client.PutKeyAsync(
                key, _options.Value, new KvWrite { Flags = Flags, Release = session.Id }, stop: end));
    }

    private async Task<ulong?> IsHeldAsync(string session, QueryOptions query, CancellationToken stop)
    {
        var answer = await client.GetKeyAsync(key, query, stop);
        return answer.Value?.Session == session ? answer.Meta.Index : null;
    }
}
