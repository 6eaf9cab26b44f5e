using System.Text.Json;
using Praetor.Client;

namespace Praetor.Proxy.Control;

/// <summary>What all watchers of one host need.</summary>
internal sealed record ControlScope(PraetorClient Client, ProxyLog Log, TimeProvider Time, Chance Chance)
{
    /// <summary>A pause for one watcher's failures.</summary>
    public Backoff NewBackoff() => new(Time, Chance);
}

/// <summary>Follows an answer of the agent by blocking reads.</summary>
internal static class Watches
{
    /// <summary>Reads again and again and hands over each new answer, until stopped. Failures keep what is
    /// known.</summary>
    /// <param name="what">What is followed, for the log.</param>
    /// <param name="read">Reads once.</param>
    /// <param name="apply">Takes an answer; if it throws, it is read again.</param>
    /// <param name="pause">How long to wait between reads when the agent cannot block on this one.</param>
    public static async Task FollowAsync<T>(
        ControlScope scope,
        string what,
        Func<QueryOptions, CancellationToken, Task<Answer<T>>> read,
        Func<Answer<T>, CancellationToken, Task> apply,
        TimeSpan pause,
        CancellationToken stop)
    {
        var backoff = scope.NewBackoff();
        ulong index = 0;
        while (!stop.IsCancellationRequested)
        {
            try
            {
                var query = new QueryOptions { Index = index, Wait = index == 0 ? null : Limits.WatchWait };
                var asked = scope.Time.GetTimestamp();
                var answer = await read(query, stop);
                var isSame = answer.Meta.Index == index;
                if (answer.Meta.Index == 0 || !isSame)
                {
                    await apply(answer, stop);
                }

                // An index that goes back means another history (a restored or restarted server): begin anew.
                index = answer.Meta.Index < index ? 0 : answer.Meta.Index;
                backoff.Reset();

                // An agent that does not block on this read must not be asked in a tight loop.
                if (answer.Meta.Index == 0 || (isSame && scope.Time.GetElapsedTime(asked) < pause))
                {
                    await PauseAsync(pause, scope.Time, stop);
                }
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
                return;
            }
            catch (Exception problem)
            {
                // The supervisor of this loop: whatever one answer did to us, the next may be better.
                index = 0;
                scope.Log(ProxyLogLevel.Warn, $"cannot follow {what}, what is known stays in force: {problem.Message}");
                await backoff.PauseAsync(stop);
            }
        }
    }

    /// <summary>Whether an exception tells of an agent that is away, refuses or answers nonsense.</summary>
    public static bool IsOutage(Exception problem) => problem is HttpRequestException or ApiException
        or TimeoutException or IOException or JsonException or OperationCanceledException
        or System.Security.Cryptography.CryptographicException or System.Net.Sockets.SocketException;

    /// <summary>Waits; ends early and quietly when stopped.</summary>
    public static async Task PauseAsync(TimeSpan span, TimeProvider time, CancellationToken stop)
    {
        var pause = Task.Delay(span, time, stop);
        await pause.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }
}
