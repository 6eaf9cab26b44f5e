using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Security;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Praetor.Client;

/// <summary>A connection to one agent's HTTP API. Thread-safe; keep one for as long as the program runs.</summary>
/// <remarks>The calls of each part of the API stand in files of their own: <c>PraetorClient.Kv.cs</c> and so
/// on.</remarks>
public sealed partial class PraetorClient : IDisposable
{
    private readonly HttpMessageInvoker _http;
    private readonly ClientOptions _options;
    private readonly TimeProvider _time;
    private readonly Uri _base;
    private string _shown = "";
    private string _endpoint = "";

    /// <summary>Makes a client; nothing is sent until the first call.</summary>
    /// <exception cref="UriFormatException">The address cannot be read.</exception>
    public PraetorClient(ClientOptions options, TimeProvider? time = null)
    {
        _options = options;
        _time = time ?? TimeProvider.System;
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

        _base = Connect(options, handler);
        _http = new HttpMessageInvoker(handler);
    }

    /// <summary>The agent's address as a URI; a unix socket shows as <c>http://localhost/</c>.</summary>
    public Uri BaseAddress => _base;

    /// <summary>Reads a value; null in the answer when it does not exist (404).</summary>
    /// <exception cref="ApiException">The agent answered with another status than 200 or 404.</exception>
    /// <exception cref="ConnectionException">The agent cannot be reached.</exception>
    public async Task<Answer<T>> GetAsync<T>(
        string path, QueryOptions? query, JsonTypeInfo<T> type, CancellationToken stop = default)
    {
        using var answer = await SendAsync(HttpMethod.Get, path, query, null, stop);
        var meta = MetaOf(answer);
        if (answer.StatusCode == HttpStatusCode.NotFound)
        {
            return new Answer<T>(default, meta);
        }

        await RequireOkAsync(answer, stop);
        await using var body = await answer.Content.ReadAsStreamAsync(stop);
        return new Answer<T>(await JsonSerializer.DeserializeAsync(body, type, stop), meta);
    }

    /// <summary>Sends a request and gives its raw answer, whatever its status; the caller disposes it.</summary>
    /// <exception cref="ConnectionException">The agent cannot be reached.</exception>
    public async Task<HttpResponseMessage> SendAsync(
        HttpMethod method, string path, QueryOptions? query, HttpContent? body, CancellationToken stop = default)
    {
        var target = (query ?? new QueryOptions()).AppendTo(path.StartsWith('/') ? path : "/" + path, _options);
        using var request = new HttpRequestMessage(method, Locate(target)) { Content = body };
        if (_options.Token is { Length: > 0 } token)
        {
            request.Headers.TryAddWithoutValidation("X-Consul-Token", token);
        }

        if (_options.UserAgent is { Length: > 0 } name)
        {
            request.Headers.TryAddWithoutValidation("User-Agent", name);
        }

        if (_options.BasicAuth is { Length: > 0 } basic)
        {
            var bytes = Encoding.UTF8.GetBytes(basic);
            request.Headers.Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String(bytes));
        }

        using var limit = new CancellationTokenSource(_options.AnswerTimeout + LongestWait(query), _time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(stop, limit.Token);
        try
        {
            return await _http.SendAsync(request, both.Token);
        }
        catch (HttpRequestException refused)
        {
            throw new ConnectionException(
                method, _shown + target, ConnectionException.ReasonOf(refused, _endpoint), refused);
        }
        catch (SocketException reset)
        {
            // HttpClient lets this one through when the peer resets a connection at once.
            var refused = new HttpRequestException(reset.Message, reset);
            throw new ConnectionException(
                method, _shown + target, ConnectionException.ReasonOf(refused, _endpoint), refused);
        }
        catch (OperationCanceledException late) when (limit.IsCancellationRequested && !stop.IsCancellationRequested)
        {
            throw new TimeoutException($"{method} {target}: no answer from {_shown} in time", late);
        }
    }

    /// <summary>Sends a body and demands status 200; gives the answer's text.</summary>
    /// <exception cref="ApiException">The agent answered with another status.</exception>
    public async Task<string> SendTextAsync(
        HttpMethod method, string path, QueryOptions? query, HttpContent? body, CancellationToken stop = default)
    {
        using var answer = await SendAsync(method, path, query, body, stop);
        await RequireOkAsync(answer, stop);
        return await answer.Content.ReadAsStringAsync(stop);
    }

    /// <summary>A JSON request body.</summary>
    public static HttpContent Json<T>(T value, JsonTypeInfo<T> type)
    {
        var content = new ByteArrayContent(JsonSerializer.SerializeToUtf8Bytes(value, type));
        content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        return content;
    }

    /// <summary>Closes pooled connections.</summary>
    public void Dispose() => _http.Dispose();

    // The server adds up to a sixteenth of the wait as jitter, so the limit must leave room for it.
    private static TimeSpan LongestWait(QueryOptions? query)
    {
        if (query is null || (query.Index == 0 && query.Hash is null))
        {
            return TimeSpan.Zero;
        }

        var wait = query.Wait ?? TimeSpan.FromMinutes(5);
        return wait + (wait / 16);
    }

    private static async Task RequireOkAsync(HttpResponseMessage answer, CancellationToken stop)
    {
        if (answer.StatusCode != HttpStatusCode.OK)
        {
            throw new ApiException(answer.StatusCode, await answer.Content.ReadAsStringAsync(stop));
        }
    }

    private static AnswerMeta MetaOf(HttpResponseMessage answer)
    {
        string? Header(string name) => answer.Headers.TryGetValues(name, out var values) ? values.First() : null;
        _ = ulong.TryParse(Header("X-Consul-Index"), CultureInfo.InvariantCulture, out var index);
        _ = long.TryParse(Header("X-Consul-LastContact"), CultureInfo.InvariantCulture, out var contact);
        return new AnswerMeta(
            index,
            Header("X-Consul-ContentHash"),
            TimeSpan.FromMilliseconds(contact),
            string.Equals(Header("X-Consul-KnownLeader"), "true", StringComparison.OrdinalIgnoreCase),
            Header("X-Consul-Default-ACL-Policy"));
    }

    private Uri Connect(ClientOptions options, SocketsHttpHandler handler)
    {
        const string unix = "unix://";
        if (options.Address.StartsWith(unix, StringComparison.Ordinal))
        {
            UseUnixSocket(options.Address[unix.Length..], handler);
            return new Uri("http://localhost/");
        }

        var text = options.Address;
        var address = new Uri(text.Contains("://", StringComparison.Ordinal) ? text : $"http://{text}");
        _shown = address.GetLeftPart(UriPartial.Authority);
        _endpoint = $"{address.Host}:{address.Port}";
        return address.Scheme == Uri.UriSchemeHttps && options.Tls is { TargetHost.Length: > 0 } tls
            ? UseServerName(address, tls, handler)
            : address;
    }

    // Keys may hold "..", "//" and the like, which canonicalization would change into another key.
    private Uri Locate(string target) =>
        new(
            _base.GetLeftPart(UriPartial.Authority) + target,
            new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true });

    private void UseUnixSocket(string path, SocketsHttpHandler handler)
    {
        _shown = "http://" + Uri.EscapeDataString(path);
        _endpoint = path;
        handler.ConnectCallback = async (_, stop) =>
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
        };
    }

    // SocketsHttpHandler always checks certificates against the address's host. A server name of its own therefore
    // needs the TLS stream made here, below plain HTTP.
    private Uri UseServerName(Uri address, SslClientAuthenticationOptions tls, SocketsHttpHandler handler)
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
        return new Uri($"http://{address.Host}:{address.Port}");
    }
}
