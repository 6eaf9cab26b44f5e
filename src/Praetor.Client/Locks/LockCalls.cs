using System.Net;
using System.Text.Json;

namespace Praetor.Client.Locks;

/// <summary>What locks and semaphores have in common: waiting, and watching over what is held.</summary>
internal static class LockCalls
{
    /// <summary>How long a read waits for a change.</summary>
    public static readonly TimeSpan Wait = TimeSpan.FromSeconds(15);

    /// <summary>How long to wait when a key is free and cannot be had yet, unless the agent says so before.</summary>
    public static readonly TimeSpan DelayWait = TimeSpan.FromSeconds(5);

    /// <summary>Whether the agent failed or cannot be reached, or says no.</summary>
    public static bool IsOfAgent(Exception failure) =>
        failure is ApiException or HttpRequestException or TimeoutException or IOException or JsonException
            or OperationCanceledException;

    /// <summary>Acquires with one session after the other, as long as it takes or may take.</summary>
    /// <param name="client">The agent.</param>
    /// <param name="time">The clock.</param>
    /// <param name="options">How to take it.</param>
    /// <param name="behavior">What becomes of a session's keys. Null: they are released.</param>
    /// <param name="acquire">Acquires with a session; null: it was lost again at once, or the patience is over.</param>
    /// <param name="stop">Gives up.</param>
    public static async Task<LockHold?> AcquireAsync(
        PraetorClient client, TimeProvider time, LockOptions options, string? behavior,
        Func<HeldSession, Patience, CancellationToken, Task<LockHold?>> acquire, CancellationToken stop)
    {
        var patience = new Patience(time, options.GiveUpAfter);
        while (true)
        {
            var session = await HeldSession.CreateAsync(client, time, options, behavior, stop);
            LockHold? hold = null;
            try
            {
                using var either = CancellationTokenSource.CreateLinkedTokenSource(stop, session.Lost);
                hold = await acquire(session, patience, either.Token);
                if (hold is not null || patience.IsOver)
                {
                    return hold;
                }
            }
            catch (Exception failure) when (IsOfAgent(failure)
                && session.Lost.IsCancellationRequested && !stop.IsCancellationRequested)
            {
                // It ended while we waited; another one goes on.
            }
            finally
            {
                if (hold is null)
                {
                    await session.DisposeAsync();
                }
            }
        }
    }

    /// <summary>Watches over a hold until it is given back, and tells its session when it is lost.</summary>
    /// <param name="options">How often to ask again.</param>
    /// <param name="session">The session that holds.</param>
    /// <param name="time">The clock.</param>
    /// <param name="isHeld">Asks whether it is held still, waiting for a change; gives the index to wait behind, null:
    /// it is not held.</param>
    /// <param name="index">The index to begin behind.</param>
    /// <param name="stop">Ends it.</param>
    public static async Task WatchAsync(
        LockOptions options, HeldSession session, TimeProvider time,
        Func<QueryOptions, CancellationToken, Task<ulong?>> isHeld, ulong index, CancellationToken stop)
    {
        var failures = 0;
        while (!stop.IsCancellationRequested)
        {
            try
            {
                var next = await isHeld(new QueryOptions { Consistent = true, Index = index }, stop);
                if (next is null)
                {
                    break;
                }

                (index, failures) = (next.Value < index ? 0 : next.Value, 0);
            }
            catch (Exception failure) when (IsOfAgent(failure))
            {
                if (stop.IsCancellationRequested || !IsPassing(failure) || ++failures > options.MonitorRetries)
                {
                    break;
                }

                await Task.Delay(options.MonitorRetryTime, time, stop)
                    .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }

        if (!stop.IsCancellationRequested)
        {
            await session.LoseAsync();
        }
    }

    // What may be over soon: the agent, or the way to it, fails.
    private static bool IsPassing(Exception failure) =>
        failure is not ApiException refused || refused.Status >= HttpStatusCode.InternalServerError;
}

/// <summary>How long somebody wants to wait.</summary>
internal readonly struct Patience(TimeProvider time, TimeSpan? limit)
{
    // What is sent are whole milliseconds, and a wait of nothing means the agent's default, which is minutes.
    private static readonly TimeSpan Shortest = TimeSpan.FromMilliseconds(1);

    private readonly long _began = time.GetTimestamp();

    /// <summary>Whether it is over.</summary>
    public bool IsOver => limit is { } most && time.GetElapsedTime(_began) >= most;

    /// <summary>A wait, cut to what is left.</summary>
    public TimeSpan Cut(TimeSpan wait)
    {
        if (limit is not { } most)
        {
            return wait;
        }

        var left = most - time.GetElapsedTime(_began);
        return left < Shortest ? Shortest : left < wait ? left : wait;
    }
}
