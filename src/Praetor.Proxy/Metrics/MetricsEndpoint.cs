using System.Net;
using System.Net.Sockets;
using System.Text;
using Praetor.Proxy.Control;

namespace Praetor.Proxy.Metrics;

/// <summary>Shows the metrics to Prometheus over HTTP, one request a connection.</summary>
/// <remarks>Meant for loopback or a scraping network: it shows names of services and counts, and changes
/// nothing.</remarks>
internal sealed class MetricsEndpoint(ProxyMetrics metrics, ProxyLog log, TimeProvider time) : IAsyncDisposable
{
    private const int RequestBytesMax = 8 * 1024;
    private const int ClientsMax = 16;

    private static readonly TimeSpan RequestTimeout = TimeSpan.FromSeconds(5);

    private readonly CancellationTokenSource _stop = new();
    private readonly SemaphoreSlim _room = new(ClientsMax);
    private string? _address;
    private volatile TcpListener? _listener;
    private Task _work = Task.CompletedTask;

    /// <summary>Listens at <c>host:port</c>, once; null changes nothing.</summary>
    public void Use(string? address)
    {
        if (address is null || address == _address)
        {
            return;
        }

        _address = address;
        var former = _listener;
        _listener = null;
        former?.Dispose();
        if (Settings.SplitAddress(address) is not { } at
            || !IPAddress.TryParse(at.Host.Length == 0 ? "127.0.0.1" : at.Host, out var ip))
        {
            log(ProxyLogLevel.Error, $"metrics address {address} is not like 127.0.0.1:9102; no metrics are shown");
            return;
        }

        try
        {
            var listener = new TcpListener(ip, at.Port);
            listener.Start(ClientsMax);
            _listener = listener;
            log(ProxyLogLevel.Info, $"metrics for Prometheus at http://{listener.LocalEndpoint}/metrics");
            _work = AcceptAsync(listener, _stop.Token);
        }
        catch (SocketException problem)
        {
            log(ProxyLogLevel.Error, $"cannot show metrics at {address}: {problem.Message}");
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener?.Dispose();
        await _work;
        _stop.Dispose();
        _room.Dispose();
    }

    private async Task AcceptAsync(TcpListener listener, CancellationToken stop)
    {
        while (listener == _listener && !stop.IsCancellationRequested)
        {
            try
            {
                await _room.WaitAsync(stop);
            }
            catch (OperationCanceledException)
            {
                return;
            }

            if (await TryAcceptAsync(listener, stop) is { } client)
            {
                _ = ServeAsync(client, stop);
            }
            else
            {
                _room.Release();
                await Watches.PauseAsync(Limits.AcceptPause, time, stop);
            }
        }
    }

    // A client that has gone already, or a lack of descriptors, passes; a listener that has moved ends in the loop.
    private async Task<TcpClient?> TryAcceptAsync(TcpListener listener, CancellationToken stop)
    {
        try
        {
            return await listener.AcceptTcpClientAsync(stop);
        }
        catch (Exception problem) when (problem is SocketException or OperationCanceledException
            or InvalidOperationException)
        {
            log(ProxyLogLevel.Debug, $"a metrics connection was not accepted: {problem.Message}");
            return null;
        }
    }

    private async Task ServeAsync(TcpClient client, CancellationToken stop)
    {
        try
        {
            using var limit = new CancellationTokenSource(RequestTimeout, time);
            using var both = CancellationTokenSource.CreateLinkedTokenSource(stop, limit.Token);
            using (client)
            {
                var stream = client.GetStream();
                var path = await ReadPathAsync(stream, both.Token);
                await stream.WriteAsync(AnswerTo(path), both.Token);
            }
        }
        catch (Exception problem) when (problem is IOException or OperationCanceledException or ObjectDisposedException)
        {
            log(ProxyLogLevel.Debug, $"a metrics request ended early: {problem.Message}");
        }
        finally
        {
            _room.Release();
        }
    }

    private static async Task<string> ReadPathAsync(NetworkStream stream, CancellationToken stop)
    {
        var buffer = new byte[RequestBytesMax];
        var length = 0;
        while (length < buffer.Length && buffer.AsSpan(0, length).IndexOf("\r\n\r\n"u8) < 0)
        {
            var count = await stream.ReadAsync(buffer.AsMemory(length), stop);
            if (count == 0)
            {
                break;
            }

            length += count;
        }

        var line = Encoding.ASCII.GetString(buffer, 0, length).Split('\r')[0].Split(' ');
        return line.Length == 3 && line[0] == "GET" ? line[1] : "";
    }

    private byte[] AnswerTo(string path)
    {
        var isKnown = path.Split('?')[0] is "/metrics" or "/v1/agent/metrics";
        var body = isKnown ? metrics.ToPrometheus() : "The metrics are at /metrics\n";
        var head = (isKnown ? "HTTP/1.1 200 OK" : "HTTP/1.1 404 Not Found")
            + "\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\nX-Content-Type-Options: nosniff"
            + $"\r\nContent-Length: {Encoding.UTF8.GetByteCount(body)}\r\nConnection: close\r\n\r\n";
        return Encoding.UTF8.GetBytes(head + body);
    }
}
