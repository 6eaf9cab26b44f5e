using System.Net;
using System.Net.Sockets;
using Praetor.Proxy.Plane;

namespace Praetor.Proxy.Control;

/// <summary>A listener of a proxy and the watches that feed it.</summary>
internal abstract class MeshPort(ControlScope scope, string label)
{
    private readonly CancellationTokenSource _stop = new();
    private volatile IPlaneListener? _listener;
    private Task _work = Task.CompletedTask;
    private Task _draining = Task.CompletedTask;

    /// <summary>What watches use.</summary>
    protected ControlScope Scope => scope;

    /// <summary>The listener; null while the address cannot be had.</summary>
    protected IPlaneListener? Listener => _listener;

    /// <summary>Listens and follows what must be followed, until <see cref="CloseAsync"/>.</summary>
    public void Start(string host, int port) => _work = Task.Run(
        () => Task.WhenAll(BindAsync(host, port, _stop.Token), WatchAsync(_stop.Token)), CancellationToken.None);

    /// <summary>Gives the service's identity.</summary>
    public void Use(IReadyIdentity identity)
    {
        SetIdentity(identity);
        _listener?.EdgeChanged();
    }

    /// <summary>Whether nothing is left that <see cref="RetireAsync"/> let live on.</summary>
    public bool IsDrained => _draining.IsCompleted;

    /// <summary>Stops listening. Established connections live on, and what must be followed for them is, until the
    /// last one is over or <see cref="CloseAsync"/> ends them.</summary>
    public async Task RetireAsync()
    {
        if (_listener is not { } open)
        {
            await CloseAsync(endConnections: true);
            return;
        }

        await open.CloseAsync(endConnections: false);
        _draining = DrainAsync(open);
    }

    /// <summary>Stops listening and following.</summary>
    /// <param name="endConnections">Whether established connections end too.</param>
    public async Task CloseAsync(bool endConnections)
    {
        await _stop.CancelAsync();
        await _work;
        await _draining;
        if (_listener is { } open)
        {
            await open.CloseAsync(endConnections);
        }

    }

    private async Task DrainAsync(IPlaneListener open)
    {
        while (open.Connections > 0 && !_stop.IsCancellationRequested)
        {
            await Watches.PauseAsync(Limits.DrainInterval, scope.Time, _stop.Token);
        }

        await _stop.CancelAsync();
        await _work;
    }

    /// <summary>Opens the listener.</summary>
    protected abstract IPlaneListener Listen(IPEndPoint at);

    /// <summary>Follows what must be followed.</summary>
    protected abstract Task WatchAsync(CancellationToken stop);

    /// <summary>Hands the identity to the edge.</summary>
    protected abstract void SetIdentity(IReadyIdentity identity);

    /// <summary>The first address of a host, IPv4 before IPv6.</summary>
    protected static async Task<IPAddress> ResolveAsync(string host, TimeProvider time, CancellationToken stop)
    {
        if (host.Length == 0)
        {
            return IPAddress.Loopback;
        }

        var all = await HostNames.FindAsync(host, Limits.LookupTimeout, time, stop);
        return all.OrderBy(static a => a.AddressFamily == AddressFamily.InterNetwork ? 0 : 1).FirstOrDefault()
            ?? throw new SocketException((int)SocketError.HostNotFound, $"{host} has no address");
    }

    private async Task BindAsync(string host, int port, CancellationToken stop)
    {
        var backoff = scope.NewBackoff();
        while (!stop.IsCancellationRequested)
        {
            try
            {
                _listener = Listen(new IPEndPoint(await ResolveAsync(host, scope.Time, stop), port));
                scope.Log(
                    ProxyLogLevel.Info, $"Starting listener: listener=\"{label}\" bind_addr={_listener.Address}");
                _listener.EdgeChanged();
                return;
            }
            catch (Exception problem) when (problem is SocketException or OperationCanceledException)
            {
                if (!stop.IsCancellationRequested)
                {
                    scope.Log(ProxyLogLevel.Error, $"{label}: {problem.Message}; trying again");
                    await backoff.PauseAsync(stop);
                }
            }
        }
    }
}
