using System.Collections.Concurrent;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Integration.Checks;

/// <summary>A server that answers each connection with the bytes a test gives, valid HTTP or not.</summary>
internal sealed class HttpTarget : IAsyncDisposable
{
    private const int RequestBytesMax = 64 * 1024;
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentDictionary<string, Func<Stream, CancellationToken, Task>> _answers = new();
    private readonly X509Certificate2? _certificate;
    private readonly Task _accepting;

    public HttpTarget(bool useTls = false)
    {
        _certificate = useTls ? SelfSigned() : null;
        _listener.Start();
        _accepting = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    public string Url => $"{(_certificate is null ? "http" : "https")}://127.0.0.1:{Port}";

    public ConcurrentQueue<string> Requests { get; } = new();

    /// <summary>Connections that the client has closed, or that were closed by the answer.</summary>
    public Task<bool> Closed => _closed.Task;

    private readonly TaskCompletionSource<bool> _closed = new();

    public void On(string path, Func<Stream, CancellationToken, Task> answer) => _answers[path] = answer;

    public void On(string path, string status, string body = "", string headers = "")
    {
        var answer = $"HTTP/1.1 {status}\r\nContent-Length: {body.Length}\r\n{headers}\r\n{body}";
        On(path, async (stream, stop) => await stream.WriteAsync(Encoding.UTF8.GetBytes(answer), stop));
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Stop();
        await _accepting;
        _certificate?.Dispose();
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        var serving = new List<Task>();
        try
        {
            while (true)
            {
                serving.Add(ServeAsync(await _listener.AcceptSocketAsync(_stop.Token)));
            }
        }
        catch (Exception end) when (end is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            await Task.WhenAll(serving);
        }
    }

    private async Task ServeAsync(Socket socket)
    {
        await using var plain = new NetworkStream(socket, ownsSocket: true);
        try
        {
            await using var stream = await TlsAsync(plain);
            var buffer = new byte[RequestBytesMax];
            var length = 0;
            while (!buffer.AsSpan(0, length).EndsWith("\r\n\r\n"u8) && length < buffer.Length)
            {
                var read = await stream.ReadAsync(buffer.AsMemory(length), _stop.Token);
                if (read == 0)
                {
                    return;
                }

                length += read;
                if (buffer.AsSpan(0, length).IndexOf("\r\n\r\n"u8) >= 0)
                {
                    break;
                }
            }

            var request = Encoding.UTF8.GetString(buffer, 0, length);
            Requests.Enqueue(request);
            await _answers[request.Split(' ')[1]](stream, _stop.Token);
            await stream.FlushAsync(_stop.Token);
        }
        catch (Exception end) when (end is IOException or OperationCanceledException
            or System.Security.Authentication.AuthenticationException)
        {
            // The client went away, or refused us: what the test expects.
        }
        finally
        {
            _closed.TrySetResult(true);
        }
    }

    private async Task<Stream> TlsAsync(Stream plain)
    {
        if (_certificate is null)
        {
            return plain;
        }

        var tls = new SslStream(plain);
        await tls.AuthenticateAsServerAsync(
            new SslServerAuthenticationOptions { ServerCertificate = _certificate }, _stop.Token);
        return tls;
    }

    internal static X509Certificate2 SelfSigned()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=test.local", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("test.local");
        request.CertificateExtensions.Add(names.Build());
        var now = TimeProvider.System.GetUtcNow();
        using var certificate = request.CreateSelfSigned(now.AddDays(-1), now.AddDays(1));
        return X509CertificateLoader.LoadPkcs12(certificate.Export(X509ContentType.Pkcs12), null);
    }
}
