using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Praetor.Agent.Http.Endpoints;
using Praetor.Agent.Local;
using Praetor.Agent.Telemetry;
using Praetor.Client;
using Praetor.Proxy;

namespace Praetor.Agent.Runtime;

/// <summary>Runs the sidecars that the agent runs itself: all in this process, each with an identity of its
/// own.</summary>
/// <remarks>Those that nobody asked it to run stand in for a proxy outside, and make room when one comes.</remarks>
internal sealed class ManagedProxies : IAsyncDisposable
{
    private readonly LocalAgent _local;
    private readonly PraetorClient _client;
    private readonly Lazy<ProxyHost> _host;
    private readonly Lock _gate = new();
    private readonly Dictionary<string, bool> _running = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, StandIn> _standIns = new(StringComparer.Ordinal);
    private Task _work = Task.CompletedTask;

    /// <param name="local">Says which are wanted.</param>
    /// <param name="address">This agent's own HTTP API, which they ask.</param>
    /// <param name="metrics">Where their counts are shown.</param>
    /// <param name="time">The clock.</param>
    /// <param name="log">Where they log.</param>
    public ManagedProxies(LocalAgent local, string address, Metrics metrics, TimeProvider time, ILogger log)
    {
        _local = local;
        _client = new PraetorClient(new ClientOptions { Address = address, UserAgent = OutsideProxies.Inside }, time);
        _host = new Lazy<ProxyHost>(() =>
        {
            var host = new ProxyHost(_client, (level, message) => Write(log, level, message), time, new Random());
            EdgeGauges.AddTo(metrics, host.Metrics);
            return host;
        });
    }

    public void Start()
    {
        _local.ManagedProxiesChanged += Follow;
        Follow();
    }

    /// <inheritdoc cref="MakeRoom"/>
    public Task MakeRoomAsync(string id, bool isFollowing, CancellationToken stop) =>
        _standIns.GetValueOrDefault(id)?.MakeRoomAsync(isFollowing, stop) ?? Task.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        _local.ManagedProxiesChanged -= Follow;
        await _work;
        if (_host.IsValueCreated)
        {
            await _host.Value.DisposeAsync();
        }

        _client.Dispose();
    }

    private static void Write(ILogger log, ProxyLogLevel level, string message) =>
        log.Log(
            level switch
            {
                ProxyLogLevel.Error => LogLevel.Error,
                ProxyLogLevel.Warn => LogLevel.Warning,
                ProxyLogLevel.Info => LogLevel.Information,
                _ => LogLevel.Debug,
            },
            "{Message}",
            message);

    // One after another, so that a proxy that goes and comes back at once ends before it begins.
    private void Follow()
    {
        lock (_gate)
        {
            _work = _work.ContinueWith(_ => ApplyAsync(), TaskScheduler.Default).Unwrap();
        }
    }

    private async Task ApplyAsync()
    {
        var wanted = _local.ManagedProxies.ToDictionary(
            static p => p.Record.Id, static p => p.GivesWay, StringComparer.Ordinal);
        foreach (var gone in _running.Except(wanted).Select(static p => p.Key).ToList())
        {
            _standIns.TryRemove(gone, out _);
            await _host.Value.RemoveAsync(gone);
            _running.Remove(gone);
        }

        foreach (var (id, givesWay) in wanted.Where(p => _running.TryAdd(p.Key, p.Value)))
        {
            if (givesWay)
            {
                _standIns[id] = _host.Value.AddStandIn(id);
            }
            else
            {
                _host.Value.Add(id);
            }
        }
    }
}
