using System.Net;
using System.Net.Security;
using System.Net.Sockets;

namespace Praetor.Client.Wire;

/// <summary>Requests to an agent over TLS, by .NET's own client.</summary>
internal sealed class SecureWire : IWire
{
    private readonly HttpMessageInvoker _http;
    private readonly string _authority;

    /// <param name="address">An address of scheme https.</param>
    public SecureWire(ClientOptions options, Uri address)
    {
        var handler = new SocketsHttpHandler
        {
            UseProxy = false,
            UseCookies = false,
            AllowAutoRedirect = false,
            ConnectTimeout = options.ConnectTimeout,
            AutomaticDecompression = DecompressionMethods.GZip,
        };
        if (options.Tls is not null)
        {
            handler.SslOptions = options.Tls;
        }

        _authority = options.Tls is { TargetHost.Length: > 0 } tls
            ? UseServerName(address, tls, handler)
            : address.GetLeftPart(UriPartial.Authority);
        _http = new HttpMessageInvoker(handler);
    }

    public async ValueTask<WireAnswer> SendAsync(WireRequest request, CancellationToken stop)
    {
        using var message = new HttpRequestMessage(request.Method, Locate(request.Target)) { Content = request.Body };
        foreach (var (name, value) in request.Headers)
        {
            message.Headers.TryAddWithoutValidation(name, value);
        }

        var response = await _http.SendAsync(message, stop);
        try
        {
            var headers = new List<KeyValuePair<string, string>>();
            foreach (var (name, values) in response.Headers.NonValidated)
            {
                headers.Add(new(name, values.ToString()));
            }

            foreach (var (name, values) in response.Content.Headers.NonValidated)
            {
                headers.Add(new(name, values.ToString()));
            }

            // Its end is the response's, too: there is nothing else in it that is held.
            var body = await response.Content.ReadAsStreamAsync(stop);
            return new WireAnswer((int)response.StatusCode, headers) { Stream = body };
        }
        catch
        {
            response.Dispose();
            throw;
        }
    }

    public void Dispose() => _http.Dispose();

    // Keys may hold "..", "//" and the like, which canonicalization would change into another key.
    private Uri Locate(string target) =>
        new(_authority + target, new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true });

    // SocketsHttpHandler always checks certificates against the address's host. A server name of its own therefore
    // needs the TLS stream made here, below plain HTTP.
    private static string UseServerName(Uri address, SslClientAuthenticationOptions tls, SocketsHttpHandler handler)
    {
        handler.ConnectCallback = async (context, stop) =>
        {
            var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            try
            {
                await socket.ConnectAsync(context.DnsEndPoint, stop);
                var stream = new SslStream(new NetworkStream(socket, ownsSocket: true));
                await stream.AuthenticateAsClientAsync(tls, stop);
                return stream;
            }
            catch
            {
                socket.Dispose();
                throw;
            }
        };
        return $"http://{address.Host}:{address.Port}";
    }
}
