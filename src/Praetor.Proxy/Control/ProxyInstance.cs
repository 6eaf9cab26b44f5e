using Praetor.Proxy.Metrics;
using Praetor.Proxy.Plane;

namespace Praetor.Proxy.Control;

/// <summary>One proxy: follows its configuration and keeps its listeners in line with it.</summary>
/// <remarks>
/// Only <see cref="RunAsync"/>'s loop changes the set of listeners; the identity's watch reads it. Both orders of "a
/// listener is added" and "an identity arrives" end with the listener having it: the loop adds first and then
/// gives the current identity, the watch sets the current identity first and then gives it to all.
/// A listener that the new configuration leaves out stops, but its established connections live on, under
/// the policy of the moment.
/// </remarks>
internal sealed class ProxyInstance(
    ControlScope scope, IDataPlane plane, ProxyMetrics metrics, IProxyConfigSource source)
{
    private readonly CancellationTokenSource _stop = new();
    private volatile IReadOnlyDictionary<object, MeshPort> _ports = new Dictionary<object, MeshPort>();
    private readonly List<MeshPort> _retired = [];
    private volatile IReadyIdentity? _identity;
    private string _service = "";
    private CancellationTokenSource? _identityStop;
    private Task _identityWork = Task.CompletedTask;
    private Task _work = Task.CompletedTask;

    /// <summary>Starts following.</summary>
    public void Start() => _work = Task.Run(() => RunAsync(_stop.Token), CancellationToken.None);

    /// <summary>Ends the proxy and its connections.</summary>
    public async Task CloseAsync()
    {
        await _stop.CancelAsync();
        await _work;
        await StopIdentityAsync();
        foreach (var port in _ports.Values)
        {
            await port.CloseAsync(endConnections: true);
        }

        await ForgetRetiredAsync(0);
        _stop.Dispose();
    }

    private async Task RunAsync(CancellationToken stop)
    {
        try
        {
            await foreach (var config in source.ReadAsync(stop))
            {
                await ApplyAsync(config);
                if (config.PublicListener is not null || config.Upstreams.Count > 0)
                {
                    scope.Log(ProxyLogLevel.Info, "Proxy loaded config and ready to serve");
                }
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // Asked to stop.
        }
    }

    private async Task ApplyAsync(ProxyConfig config)
    {
        var isOtherService = config.Service != _service;
        if (isOtherService)
        {
            await StopIdentityAsync();
            _identity = null;
            _service = config.Service;
        }

        // Configurations are records, so each describes its listener wholly: an equal one needs no change.
        var wanted = new List<object>(config.Upstreams);
        if (config.PublicListener is { } listener)
        {
            wanted.Add(listener);
        }

        var kept = isOtherService ? [] : _ports.Where(p => wanted.Contains(p.Key)).ToDictionary();
        foreach (var (key, port) in _ports)
        {
            if (!kept.ContainsKey(key))
            {
                await RetireAsync(port, isOtherService);
            }
        }

        await ForgetRetiredAsync(isOtherService ? 0 : Limits.RetiredListeners);

        var added = wanted.Where(key => !kept.ContainsKey(key)).Distinct();
        var fresh = added.ToDictionary(key => key, key => Open(config, key));
        _ports = kept.Concat(fresh).ToDictionary();
        foreach (var port in fresh.Values.Where(_ => _identity is not null))
        {
            port.Use(_identity!);
        }

        if (isOtherService)
        {
            StartIdentity(config.Service);
        }
    }

    private async Task RetireAsync(MeshPort port, bool endConnections)
    {
        if (endConnections)
        {
            await port.CloseAsync(endConnections: true);
            return;
        }

        await port.RetireAsync();
        _retired.Add(port);
    }

    private async Task ForgetRetiredAsync(int leave)
    {
        _retired.RemoveAll(static port => port.IsDrained);
        while (_retired.Count > leave)
        {
            var oldest = _retired[0];
            _retired.RemoveAt(0);
            await oldest.CloseAsync(endConnections: true);
        }
    }

    private MeshPort Open(ProxyConfig config, object key)
    {
        if (key is PublicListenerConfig listener)
        {
            var port = new PublicPort(scope, plane, metrics, config.Service, listener);
            port.Start(listener.BindAddress, listener.BindPort);
            return port;
        }

        var upstream = (UpstreamConfig)key;
        var local = new UpstreamPort(scope, plane, metrics, config.Service, upstream);
        local.Start(upstream.BindAddress, upstream.BindPort);
        return local;
    }

    private void StartIdentity(string service)
    {
        _identityStop = new CancellationTokenSource();
        var watch = new IdentityWatch(scope, plane, service, Publish);
        _identityWork = watch.RunAsync(_identityStop.Token);
    }

    private async Task StopIdentityAsync()
    {
        if (_identityStop is not null)
        {
            await _identityStop.CancelAsync();
            await _identityWork;
            _identityStop.Dispose();
            _identityStop = null;
        }
    }

    private void Publish(IReadyIdentity identity)
    {
        _identity = identity;
        foreach (var port in _ports.Values)
        {
            port.Use(identity);
        }
    }
}
