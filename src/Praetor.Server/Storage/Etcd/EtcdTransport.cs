using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;

namespace Praetor.Server.Storage.Etcd;

/// <summary>gRPC to one endpoint: one HTTP/2 connection that all calls share, made again when it broke.</summary>
/// <remarks>
/// gRPC is a POST whose body and answer are messages in frames, and whose status stands in the trailers, or in the
/// headers when there is no message. What of it we need is less code here than a library would be start-up time.
/// </remarks>
internal sealed class EtcdTransport : IDisposable
{
    private const string ContentType = "application/grpc";

    // A large answer shall not wait for the windows to grow while a state is loaded.
    private const int WindowBytes = 4 * 1024 * 1024;

    // A watch on a member that stands still would wait for ever. etcd takes more than one ping in 5 s for an attack.
    private static readonly TimeSpan PingAfter = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan PingLimit = TimeSpan.FromSeconds(5);
    private static readonly TransferCodingWithQualityHeaderValue Trailers = new("trailers");

    private readonly HttpMessageInvoker _http;
    private readonly Uri _address;

    /// <param name="endpoint">One of the options' endpoints.</param>
    /// <param name="options">How it is reached.</param>
    /// <exception cref="System.Security.Cryptography.CryptographicException">A certificate cannot be read.</exception>
    public EtcdTransport(string endpoint, EtcdClientOptions options)
    {
        Endpoint = endpoint;
        var socket = EtcdClientOptions.SocketOf(endpoint);
        _address = new Uri(socket is null ? endpoint : "http://localhost");
        var handler = new SocketsHttpHandler
        {
            UseProxy = false,
            UseCookies = false,
            AllowAutoRedirect = false,
            ActivityHeadersPropagator = null,
            ConnectTimeout = options.ConnectLimit,
            PooledConnectionIdleTimeout = Timeout.InfiniteTimeSpan,
            InitialHttp2StreamWindowSize = WindowBytes,
            KeepAlivePingDelay = PingAfter,
            KeepAlivePingTimeout = PingLimit,
            KeepAlivePingPolicy = HttpKeepAlivePingPolicy.WithActiveRequests,
        };
        if (socket is not null)
        {
            handler.ConnectCallback = (_, stop) => ConnectAsync(socket, stop);
        }
        else if (_address.Scheme == Uri.UriSchemeHttps)
        {
            handler.SslOptions = Tls(_address.Host, options);
        }

        _http = new HttpMessageInvoker(handler);
    }

    /// <summary>The endpoint as it was given.</summary>
    public string Endpoint { get; }

    /// <summary>Sends a request; gives the answer when its headers are there.</summary>
    /// <param name="method">As in <c>etcdserverpb.KV/Txn</c>.</param>
    /// <param name="body">The framed request; the caller disposes it.</param>
    /// <param name="limit">After this time etcd need not go on. Null: it has no end.</param>
    /// <param name="stop">Ends it.</param>
    /// <exception cref="HttpRequestException">There is no connection, or it broke.</exception>
    public async Task<HttpResponseMessage> SendAsync(
        string method, HttpContent body, TimeSpan? limit, CancellationToken stop)
    {
        // Not disposed here: that would end the body, and a stream's goes on after the headers of the answer.
        var request = new HttpRequestMessage(HttpMethod.Post, new Uri(_address, method))
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = body,
        };
        body.Headers.TryAddWithoutValidation("Content-Type", ContentType);
        request.Headers.TE.Add(Trailers);
        if (limit is { } time)
        {
            request.Headers.TryAddWithoutValidation(
                "grpc-timeout", string.Create(CultureInfo.InvariantCulture, $"{(long)time.TotalMilliseconds}m"));
        }
        else
        {
            // Else the watch of a member that lost its leader would be silent instead of over.
            request.Headers.TryAddWithoutValidation("hasleader", "true");
        }

        return await _http.SendAsync(request, stop);
    }

    public void Dispose() => _http.Dispose();

    private static async ValueTask<Stream> ConnectAsync(string path, CancellationToken stop)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), stop);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>How TLS is spoken to an endpoint.</summary>
    internal static SslClientAuthenticationOptions Tls(string host, EtcdClientOptions options)
    {
        var tls = new SslClientAuthenticationOptions { TargetHost = host };
        if (options.CaFile is { } ca)
        {
            tls.CertificateChainPolicy = new X509ChainPolicy
            {
                TrustMode = X509ChainTrustMode.CustomRootTrust,
                RevocationMode = X509RevocationMode.NoCheck,
            };
            tls.CertificateChainPolicy.CustomTrustStore.ImportFromPemFile(ca);
        }

        if (options.CertificateFile is { } certificate)
        {
            var between = new X509Certificate2Collection();
            between.ImportFromPemFile(certificate);
            tls.ClientCertificateContext = SslStreamCertificateContext.Create(
                X509Certificate2.CreateFromPemFile(certificate, options.KeyFile), between, offline: true);
        }

        return tls;
    }
}
