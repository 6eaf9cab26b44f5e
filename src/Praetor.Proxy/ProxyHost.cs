using System.Collections.Concurrent;
using Praetor.Client;
using Praetor.Proxy.Control;
using Praetor.Proxy.Metrics;
using Praetor.Proxy.Plane;

namespace Praetor.Proxy;

/// <summary>Runs any number of proxies in this process, on shared event loops.</summary>
public sealed class ProxyHost : IAsyncDisposable
{
    private readonly ConcurrentDictionary<string, ProxyInstance> _proxies = new(StringComparer.Ordinal);
    private readonly ControlScope _scope;
    private readonly EpollPlane _plane;

    /// <summary>Starts the event loops; there are no proxies yet.</summary>
    /// <param name="client">The agent that all proxies ask. The caller disposes it, after the host.</param>
    /// <param name="random">Chance for jitter and balancing; used by the host alone from here on.</param>
    public ProxyHost(PraetorClient client, ProxyLog log, TimeProvider time, Random random)
    {
        _plane = new EpollPlane(time, random, message => log(ProxyLogLevel.Error, message));
        _scope = new ControlScope(client, log, time, new Chance(random));
    }

    /// <summary>Counts of all proxies' connections, by edge.</summary>
    public ProxyMetrics Metrics { get; } = new();

    /// <summary>Starts a proxy; false when one of this id runs already.</summary>
    /// <param name="id">The caller's name for it, like the proxy's service id.</param>
    /// <param name="source">What it is to do.</param>
    public bool Add(string id, IProxyConfigSource source)
    {
        var proxy = new ProxyInstance(_scope, _plane, Metrics, source);
        if (!_proxies.TryAdd(id, proxy))
        {
            return false;
        }

        proxy.Start();
        return true;
    }

    /// <summary>Starts a proxy that follows its registration at the agent; false when it runs already.</summary>
    public bool Add(string proxyId) => Add(proxyId, Registered(proxyId));

    /// <summary>Starts a proxy that follows its registration at the agent, but only serves while no other proxy does.
    /// The id must not run already.</summary>
    public StandIn AddStandIn(string proxyId)
    {
        var source = new StandIn(proxyId, Registered(proxyId), _scope.Log, _scope.Time);
        Add(proxyId, source);
        return source;
    }

    /// <summary>Ends a proxy and its connections; false when there is none of this id.</summary>
    public async Task<bool> RemoveAsync(string id)
    {
        if (!_proxies.TryRemove(id, out var proxy))
        {
            return false;
        }

        await proxy.CloseAsync();
        return true;
    }

    /// <summary>Ends all proxies and the event loops.</summary>
    public async ValueTask DisposeAsync()
    {
        foreach (var id in _proxies.Keys)
        {
            await RemoveAsync(id);
        }

        await _plane.DisposeAsync();
    }

    private AgentConfigSource Registered(string proxyId) => new(
        _scope.Client, proxyId, _scope.Log, _scope.Time, new Random((int)(_scope.Chance.Next() * int.MaxValue)));
}
