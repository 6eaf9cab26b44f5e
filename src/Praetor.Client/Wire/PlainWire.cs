using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Praetor.Client.Wire;

/// <summary>Requests to an agent without TLS: HTTP/1.1 over TCP or a unix socket.</summary>
/// <remarks>
/// Beside <see cref="SecureWire"/>, which is .NET's, because that one's start is most of what a command takes from its
/// own start to its answer, and its code a good part of what a proxy is in memory. What is left out is what agents do
/// not need: proxies, redirects, cookies, decompression, HTTP/2.
/// </remarks>
internal sealed class PlainWire : IWire
{
    /// <summary>Connections that are kept for the next request; more than these are closed after theirs.</summary>
    private const int IdleMax = 8;

    /// <summary>Bodies up to this length are read whole before the answer is given.</summary>
    private const long WholeBytesMax = 1024 * 1024;

    private readonly ClientOptions _options;
    private readonly EndPoint _endPoint;
    private readonly string _host;
    private readonly TimeProvider _time;
    private readonly Lock _gate = new();
    private readonly Stack<PlainConnection> _idle = new();
    private bool _isDisposed;

    /// <param name="endPoint">Where the agent is.</param>
    /// <param name="host">What the agent is told that it is called (<c>Host</c>).</param>
    public PlainWire(ClientOptions options, EndPoint endPoint, string host, TimeProvider time) =>
        (_options, _endPoint, _host, _time) = (options, endPoint, host, time);

    /// <summary>Whether connecting ends at once, well or not: the agent is on this machine.</summary>
    public bool IsNear => _endPoint is UnixDomainSocketEndPoint
        || (_endPoint is IPEndPoint { Address: var address } && IPAddress.IsLoopback(address));

    public async ValueTask<WireAnswer> SendAsync(WireRequest request, CancellationToken stop)
    {
        var body = request.Body is null ? [] : await request.Body.ReadAsByteArrayAsync(stop);
        var head = Encoding.Latin1.GetBytes(HeadOf(request, body.Length));
        if (TakeIdle() is { } kept)
        {
            try
            {
                return await ExchangeAsync(kept, request, head, body, stop);
            }
            catch (Exception e) when (e is SocketException or HttpIOException
                && request.Method == HttpMethod.Get && !kept.HasAnswered && !stop.IsCancellationRequested)
            {
                // The agent closed it while the request was on its way: asked again, on a new one.
            }
        }

        var connection = await ConnectAsync(request.KeepsThread, stop);
        return await ExchangeAsync(connection, request, head, body, stop);
    }

    public void Dispose()
    {
        PlainConnection[] idle;
        lock (_gate)
        {
            _isDisposed = true;
            idle = [.. _idle];
            _idle.Clear();
        }

        foreach (var connection in idle)
        {
            connection.Dispose();
        }
    }

    private async ValueTask<WireAnswer> ExchangeAsync(
        PlainConnection connection, WireRequest request, byte[] head, byte[] body, CancellationToken stop)
    {
        connection.Begin(request.KeepsThread);
        try
        {
            await connection.SendAsync(head, stop);
            await SendBodyAsync(connection, body, stop);
            var answer = await connection.ReadHeadAsync(stop);
            return await AnswerAsync(connection, request, answer, stop);
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    // Who finds a body too large may answer and close before it has taken all of it: then the answer is what counts.
    private static async ValueTask SendBodyAsync(PlainConnection connection, byte[] body, CancellationToken stop)
    {
        try
        {
            await connection.SendAsync(body, stop);
        }
        catch (SocketException e) when (e.SocketErrorCode is SocketError.Shutdown or SocketError.ConnectionReset)
        {
        }
    }

    private async ValueTask<WireAnswer> AnswerAsync(
        PlainConnection connection, WireRequest request, WireHead head, CancellationToken stop)
    {
        Action<PlainConnection>? giveBack = head.KeepsConnection ? GiveBack : null;
        const int noContent = 204, notModified = 304;
        var length = request.Method == HttpMethod.Head || head.Status is noContent or notModified ? 0 : head.Length;
        if (length is null or > WholeBytesMax)
        {
            return new WireAnswer(head.Status, head.Headers) { Stream = new BodyStream(connection, head, giveBack) };
        }

        var whole = await connection.ReadWholeAsync((int)length, stop);
        (giveBack ?? (static spent => spent.Dispose()))(connection);
        return new WireAnswer(head.Status, head.Headers) { Whole = whole };
    }

    private PlainConnection? TakeIdle()
    {
        while (true)
        {
            PlainConnection? kept;
            lock (_gate)
            {
                if (!_idle.TryPop(out kept))
                {
                    return null;
                }
            }

            if (!kept.IsStale)
            {
                return kept;
            }

            kept.Dispose();
        }
    }

    private void GiveBack(PlainConnection connection)
    {
        lock (_gate)
        {
            if (!_isDisposed && _idle.Count < IdleMax)
            {
                _idle.Push(connection);
                return;
            }
        }

        connection.Dispose();
    }

    private async ValueTask<PlainConnection> ConnectAsync(bool keepsThread, CancellationToken stop)
    {
        var socket = NewSocket();
        try
        {
            if (keepsThread)
            {
                socket.ReceiveTimeout = (int)_options.AnswerTimeout.TotalMilliseconds;
                socket.Connect(_endPoint);
                return new PlainConnection(socket);
            }

            using var late = new CancellationTokenSource(_options.ConnectTimeout, _time);
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(stop, late.Token);
            try
            {
                await socket.ConnectAsync(_endPoint, limit.Token);
            }
            catch (OperationCanceledException) when (late.IsCancellationRequested && !stop.IsCancellationRequested)
            {
                throw new SocketException((int)SocketError.TimedOut);
            }

            return new PlainConnection(socket);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private Socket NewSocket() => _endPoint switch
    {
        UnixDomainSocketEndPoint => new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified),
        IPEndPoint address => new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true },
        _ => new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true },
    };

    private string HeadOf(WireRequest request, int bodyBytes)
    {
        if (request.Target.AsSpan().ContainsAnyExceptInRange('!', '~'))
        {
            throw new HttpRequestException($"{request.Target} cannot be sent: percent-encode what is not ASCII");
        }

        var head = new StringBuilder(256);
        head.Append(request.Method.Method).Append(' ').Append(request.Target).Append(" HTTP/1.1\r\n");
        Add(head, "Host", _host);
        foreach (var (name, value) in request.Headers)
        {
            Add(head, name, value);
        }

        if (request.Body is { } body)
        {
            if (body.Headers.ContentType is { } type)
            {
                Add(head, "Content-Type", type.ToString());
            }
        }

        if (request.Body is not null || (request.Method != HttpMethod.Get && request.Method != HttpMethod.Head))
        {
            Add(head, "Content-Length", bodyBytes.ToString(CultureInfo.InvariantCulture));
        }

        return head.Append("\r\n").ToString();
    }

    private static void Add(StringBuilder head, string name, string value)
    {
        if (value.AsSpan().ContainsAny('\r', '\n', '\0'))
        {
            throw new HttpRequestException($"the value of {name} cannot be sent: it has a line break in it");
        }

        head.Append(name).Append(": ").Append(value).Append("\r\n");
    }
}
