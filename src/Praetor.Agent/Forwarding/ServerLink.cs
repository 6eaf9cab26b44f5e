using System.Net;
using System.Net.Sockets;

namespace Praetor.Agent.Forwarding;

/// <summary>Bounds of what goes between agents.</summary>
internal static class RpcLimits
{
    /// <summary>A server that does not answer for so long is left: for a read, and for a ping on its connection as
    /// long as something waits on it.</summary>
    public static readonly TimeSpan LeaveAfter = TimeSpan.FromSeconds(2);

    /// <summary>The same for a server that has to ask a server of another datacenter first: three of those may be
    /// silent, which it is not to blame for. That it lives itself is seen by pings.</summary>
    public static readonly TimeSpan LeaveAfterFar = LeaveAfter * 4;

    /// <summary>All servers of another datacenter are tried again when trying took no longer, as when a connection is
    /// refused.</summary>
    public static readonly TimeSpan AgainFar = TimeSpan.FromSeconds(0.5);

    /// <summary>After so much silence a connection that something waits on is pinged, and so long the ping may take.
    /// Together they are <see cref="LeaveAfter"/>.</summary>
    public static readonly TimeSpan PingAfter = LeaveAfter / 2;

    /// <summary>After so much silence a connection is pinged on which the agent itself waits for changes, as it always
    /// does: no user waits for it, and membership tells of dead servers within seconds, so that this is for a
    /// connection that got lost alone. At the server all agents' pings add up. Consul's agents ping as often.</summary>
    public static readonly TimeSpan WatchPingAfter = TimeSpan.FromSeconds(30);

    /// <summary>How long that ping may take.</summary>
    public static readonly TimeSpan WatchPingTime = TimeSpan.FromSeconds(10);

    /// <summary>How often it is told that one server fails.</summary>
    public static readonly TimeSpan TellAgainAfter = TimeSpan.FromSeconds(10);

    /// <summary>How long a connection may take to come about.</summary>
    public static readonly TimeSpan ConnectTime = TimeSpan.FromSeconds(1.5);

    /// <summary>How long a connection without calls is kept.</summary>
    public static readonly TimeSpan IdleTime = TimeSpan.FromMinutes(5);

    /// <summary>What is added to the wait of a blocking call, for the way and the answer.</summary>
    public static readonly TimeSpan WaitMargin = TimeSpan.FromSeconds(7);

    /// <summary>How long an answer may take from its headers to its end.</summary>
    public static readonly TimeSpan BodyTime = TimeSpan.FromMinutes(5);

    /// <summary>How long a body of any size may take, and the answer to it: a snapshot of 2 GiB at 1 MiB a
    /// second.</summary>
    public static readonly TimeSpan AnySizeTime = TimeSpan.FromMinutes(35);

    /// <summary>The largest body of a request that is passed on, unless the configuration takes larger values:
    /// 512 KiB.</summary>
    public const int RequestBytesMax = 512 * 1024;

    /// <summary>The largest answer that an agent reads for itself: 64 MiB.</summary>
    public const int AnswerBytesMax = 64 * 1024 * 1024;

    /// <summary>Calls that may wait on one connection; a client opens another beyond it.</summary>
    public const int StreamsPerConnection = 4096;
}

/// <summary>The connections to one server: HTTP/2 without upgrade, kept and pinged; gone with the server.</summary>
internal sealed class ServerLink : IDisposable
{
    private readonly CancellationTokenSource _gone = new();
    private readonly HttpMessageInvoker _http;
    private readonly HttpMessageInvoker _watches;
    private readonly Lock _gate = new();
    private readonly TimeProvider _time;
    private readonly Action<ServerPeer> _slow;
    private CallStream? _calls;
    private long _toldAt;
    private bool _isGone;

    /// <param name="server">The server.</param>
    /// <param name="time">The clock.</param>
    /// <param name="slow">Told when it takes too long.</param>
    public ServerLink(ServerPeer server, TimeProvider time, Action<ServerPeer> slow)
    {
        (_time, _slow) = (time, slow);
        Server = server;
        Address = $"http://{server.Rpc}";
        _http = new HttpMessageInvoker(Handler(RpcLimits.PingAfter, RpcLimits.PingAfter));
        _watches = new HttpMessageInvoker(Handler(RpcLimits.WatchPingAfter, RpcLimits.WatchPingTime));
    }

    public ServerPeer Server { get; }

    /// <summary>Scheme, host and port.</summary>
    public string Address { get; }

    /// <summary>Ends every call when the server is not there any more.</summary>
    public CancellationToken Gone => _gone.Token;

    /// <summary>Ends when the headers of the answer are there.</summary>
    /// <exception cref="HttpRequestException">The server cannot be reached, or broke off.</exception>
    public Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken stop) =>
        _http.SendAsync(request, stop);

    /// <summary>The same for what the agent waits for all the time, on a connection of its own.</summary>
    /// <exception cref="HttpRequestException">The server cannot be reached, or broke off.</exception>
    public Task<HttpResponseMessage> WatchAsync(HttpRequestMessage request, CancellationToken stop) =>
        _watches.SendAsync(request, stop);

    /// <summary>A connection of one's own.</summary>
    /// <exception cref="HttpRequestException">The server cannot be reached.</exception>
    public async Task<Stream> ConnectAsync(CancellationToken stop)
    {
        try
        {
            return await ConnectAsync(Server.Rpc, stop);
        }
        catch (SocketException e)
        {
            throw new HttpRequestException(HttpRequestError.ConnectionError, e.Message, e);
        }
    }

    /// <summary>The stream for calls that wait for nothing; another one when it ended.</summary>
    /// <param name="trail">Who opens it.</param>
    public CallStream Calls(string trail)
    {
        if (Volatile.Read(ref _calls) is { IsOpen: true } open)
        {
            return open;
        }

        lock (_gate)
        {
            if (_calls is not { IsOpen: true })
            {
                ObjectDisposedException.ThrowIf(_isGone, this);
                Volatile.Write(ref _calls, new CallStream(this, trail, _time, _slow));
            }

            return _calls!;
        }
    }

    /// <summary>Whether a failure of this server is to be told now: once in
    /// <see cref="RpcLimits.TellAgainAfter"/>.</summary>
    public bool TakeTurnToTell()
    {
        var now = _time.GetTimestamp();
        var last = Volatile.Read(ref _toldAt);
        return (last == 0 || _time.GetElapsedTime(last, now) >= RpcLimits.TellAgainAfter)
            && Interlocked.CompareExchange(ref _toldAt, now, last) == last;
    }

    /// <summary>Ends all calls under way.</summary>
    public void Dispose()
    {
        CallStream? calls;
        lock (_gate)
        {
            _isGone = true;
            calls = _calls;
        }

        _gone.Cancel();
        calls?.Dispose();
        _http.Dispose();
        _watches.Dispose();
        _gone.Dispose();
    }

    private SocketsHttpHandler Handler(TimeSpan pingAfter, TimeSpan pingTime) => new()
    {
        UseProxy = false,
        UseCookies = false,
        AllowAutoRedirect = false,
        AutomaticDecompression = DecompressionMethods.None,
        ActivityHeadersPropagator = null,
        EnableMultipleHttp2Connections = true,
        // Ends later than our own limit, whose error says that nothing was sent.
        ConnectTimeout = RpcLimits.ConnectTime * 2,
        PooledConnectionIdleTimeout = RpcLimits.IdleTime,
        KeepAlivePingDelay = pingAfter,
        KeepAlivePingTimeout = pingTime,
        KeepAlivePingPolicy = HttpKeepAlivePingPolicy.WithActiveRequests,

        // TLS between agents goes in here, around the stream.
        ConnectCallback = (context, stop) => ConnectAsync(context.DnsEndPoint, stop),
    };

    private async ValueTask<Stream> ConnectAsync(EndPoint to, CancellationToken stop)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        using var timer = new CancellationTokenSource(RpcLimits.ConnectTime, _time);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(stop, timer.Token);
        try
        {
            await socket.ConnectAsync(to, limit.Token);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch (OperationCanceledException) when (timer.IsCancellationRequested && !stop.IsCancellationRequested)
        {
            // As an error of the connection, not of a call: what was to go over it may go to another server.
            socket.Dispose();
            throw new SocketException((int)SocketError.TimedOut);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
