using System.Net;
using System.Runtime.CompilerServices;
using Praetor.Proxy.Control;
using Praetor.Proxy.Net;

namespace Praetor.Proxy;

/// <summary>What a proxy is to do that serves only while no other does the same: everything, or nothing.</summary>
/// <remarks>When it makes room, it stops listening; its established connections live on.</remarks>
public sealed class StandIn : IProxyConfigSource
{
    private readonly string _id;
    private readonly IProxyConfigSource _inner;
    private readonly ProxyLog _log;
    private readonly TimeProvider _time;
    private readonly Func<IPEndPoint, bool> _isTaken;
    private readonly long _start;
    private readonly StandInTurn _turn = new();
    private readonly Lock _gate = new();
    private volatile ProxyConfig? _config;
    private volatile TaskCompletionSource _wake = NewSignal();

    // Completed while nothing listens.
    private TaskCompletionSource _roomMade = Signalled();

    /// <summary>Stands in for others as the source says.</summary>
    /// <param name="id">The proxy's name in the log.</param>
    /// <param name="inner">What to do when nobody else does it.</param>
    public StandIn(string id, IProxyConfigSource inner, ProxyLog log, TimeProvider time)
        : this(id, inner, log, time, Sockets.IsTaken)
    {
    }

    internal StandIn(
        string id, IProxyConfigSource inner, ProxyLog log, TimeProvider time, Func<IPEndPoint, bool> isTaken)
    {
        (_id, _inner, _log, _time, _isTaken) = (id, inner, log, time, isTaken);
        _start = time.GetTimestamp();
    }

    private TimeSpan Now => _time.GetElapsedTime(_start);

    /// <summary>Another proxy seems to come: stops listening, and takes the place back when none arrives.</summary>
    /// <param name="isFollowing">Whether it asked for what only proxies ask, rather than for what people do.</param>
    /// <param name="stop">Ends the wait, not the change.</param>
    /// <returns>Done when the addresses are free, or after a short time.</returns>
    public async Task MakeRoomAsync(bool isFollowing, CancellationToken stop)
    {
        Task made;
        lock (_gate)
        {
            if (!_turn.Claim(Now, isFollowing))
            {
                return;
            }

            made = _roomMade.Task;
        }

        Wake();
        await made.WaitAsync(Limits.MakeRoom, _time, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<ProxyConfig> ReadAsync([EnumeratorCancellation] CancellationToken stop)
    {
        var following = FollowAsync(stop);
        (ProxyConfig Config, bool Serves)? shown = null;
        while (!stop.IsCancellationRequested)
        {
            // Taken before looking, so that what happens meanwhile is not missed.
            var wake = _wake.Task;
            if (_config is { } config && Serves(config) is var serves && shown != (config, serves))
            {
                Tell(shown?.Serves, serves, config);
                shown = (config, serves);
                yield return serves ? config : config with { PublicListener = null, Upstreams = [] };

                // Who reads has come back, and so has done what it was given.
                RoomIsMade(!serves);
                continue;
            }

            var limit = shown is { Serves: false } ? NextLook() : Timeout.InfiniteTimeSpan;
            await wake.WaitAsync(limit, _time, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        await following;
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private static TaskCompletionSource Signalled()
    {
        var signal = NewSignal();
        signal.SetResult();
        return signal;
    }

    private static string AddressOf(ProxyConfig config) => config.PublicListener is { } listener
        ? $"{listener.BindAddress}:{listener.BindPort}"
        : "its addresses";

    private async Task FollowAsync(CancellationToken stop)
    {
        try
        {
            await foreach (var config in _inner.ReadAsync(stop))
            {
                _config = config;
                Wake();
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // Asked to stop.
        }
    }

    private bool Serves(ProxyConfig config)
    {
        lock (_gate)
        {
            var serves = _turn.Serves(Now, () => IsRoleTaken(config), () => IsAnyTaken(config));
            if (serves && _roomMade.Task.IsCompleted)
            {
                _roomMade = NewSignal();
            }

            return serves;
        }
    }

    private TimeSpan NextLook()
    {
        lock (_gate)
        {
            return _turn.NextLook(Now);
        }
    }

    private bool IsRoleTaken(ProxyConfig config) =>
        config.PublicListener is { } listener && IsTaken(listener.BindAddress, listener.BindPort);

    private bool IsAnyTaken(ProxyConfig config) =>
        IsRoleTaken(config) || config.Upstreams.Any(upstream => IsTaken(upstream.BindAddress, upstream.BindPort));

    // A name is not looked up here: what it stands for is tried when the listener opens.
    private bool IsTaken(string host, int port) =>
        IPAddress.TryParse(host is "localhost" ? "127.0.0.1" : host, out var address)
        && _isTaken(new IPEndPoint(address, port));

    private void RoomIsMade(bool isMade)
    {
        lock (_gate)
        {
            if (isMade)
            {
                _roomMade.TrySetResult();
            }
        }
    }

    private void Wake()
    {
        lock (_gate)
        {
            _wake.TrySetResult();
            _wake = NewSignal();
        }
    }

    private void Tell(bool? served, bool serves, ProxyConfig config)
    {
        if (served == serves || (served is null && serves))
        {
            return;
        }

        _log(
            ProxyLogLevel.Info,
            serves
                ? $"{_id}: nobody listens at {AddressOf(config)}; serving"
                : $"{_id}: another proxy has {AddressOf(config)} or asks for it; standing by until it is free");
    }
}
