using System.Runtime.CompilerServices;
using Praetor.Client;
using Praetor.Client.Connect;

namespace Praetor.Proxy.Control;

/// <summary>A configuration that never changes: what the command's flags say.</summary>
public sealed class FixedConfigSource(ProxyConfig config) : IProxyConfigSource
{
    /// <inheritdoc/>
    public async IAsyncEnumerable<ProxyConfig> ReadAsync([EnumeratorCancellation] CancellationToken stop)
    {
        yield return config;
        var never = new TaskCompletionSource();
        await using var registration = stop.Register(never.SetResult);
        await never.Task;
    }
}

/// <summary>A proxy registered at an agent, followed as its registration changes.</summary>
/// <remarks>While the agent is away, or says there is no such proxy, the last configuration stays in force.</remarks>
public sealed class AgentConfigSource(
    PraetorClient client, string proxyId, ProxyLog log, TimeProvider time, Random random) : IProxyConfigSource
{
    /// <inheritdoc/>
    public async IAsyncEnumerable<ProxyConfig> ReadAsync([EnumeratorCancellation] CancellationToken stop)
    {
        var backoff = new Backoff(time, new Chance(random));
        string? hash = null;
        while (!stop.IsCancellationRequested)
        {
            var asked = time.GetTimestamp();
            var registration = await TryReadAsync(hash, backoff, stop);
            if (registration is not { Value: { } value })
            {
                continue;
            }

            var isChanged = hash is null || hash != registration.Meta.ContentHash;
            hash = registration.Meta.ContentHash;
            if (isChanged)
            {
                yield return Settings.Read(value);
            }

            // An agent that does not block on this read must not be asked in a tight loop.
            if (hash is null || (!isChanged && time.GetElapsedTime(asked) < Limits.WatchBackoffLimit))
            {
                await backoff.PauseAsync(stop);
            }
        }
    }

    private async Task<Answer<ProxyRegistration>?> TryReadAsync(string? hash, Backoff backoff, CancellationToken stop)
    {
        try
        {
            var query = new QueryOptions { Hash = hash, Wait = hash is null ? null : Limits.WatchWait };
            var answer = await client.ConnectProxyAsync(proxyId, query, stop);
            if (answer.Value is not null)
            {
                backoff.Reset();
                return answer;
            }

            log(ProxyLogLevel.Error, $"the agent knows no service {proxyId}; trying again");
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            return null;
        }
        catch (Exception problem) when (Watches.IsOutage(problem))
        {
            log(
                ProxyLogLevel.Warn,
                $"cannot read the configuration of {proxyId}, the last one stays in force: {problem.Message}");
        }

        await backoff.PauseAsync(stop);
        return null;
    }
}
