using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Praetor.Client.Wire;

namespace Praetor.Client;

/// <summary>A connection to one agent's HTTP API. Thread-safe; keep one for as long as the program runs.</summary>
/// <remarks>The calls of each part of the API stand in files of their own: <c>PraetorClient.Kv.cs</c> and so
/// on.</remarks>
public sealed partial class PraetorClient : IDisposable
{
    /// <summary>What Linux allows.</summary>
    private const int SocketPathBytesMax = 107;

    private readonly IWire _wire;
    private readonly ClientOptions _options;
    private readonly TimeProvider _time;
    private readonly Uri _base;
    private readonly string _shown;
    private readonly string _endpoint;
    private readonly bool _isNear;

    /// <summary>Makes a client; nothing is sent until the first call.</summary>
    /// <exception cref="UriFormatException">The address cannot be read.</exception>
    public PraetorClient(ClientOptions options, TimeProvider? time = null)
    {
        _options = options;
        _time = time ?? TimeProvider.System;
        (_base, _shown, _endpoint, _wire) = Reach(options, _time);
        _isNear = _wire is PlainWire { IsNear: true };
    }

    /// <summary>The agent's address as a URI; a unix socket shows as <c>http://localhost/</c>.</summary>
    public Uri BaseAddress => _base;

    /// <summary>Reads a value; null in the answer when it does not exist (404).</summary>
    /// <exception cref="ApiException">The agent answered with another status than 200 or 404.</exception>
    /// <exception cref="ConnectionException">The agent cannot be reached.</exception>
    public async Task<Answer<T>> GetAsync<T>(
        string path, QueryOptions? query, JsonTypeInfo<T> type, CancellationToken stop = default)
    {
        await using var answer = await AskAsync(HttpMethod.Get, path, query, null, stop);
        var meta = MetaOf(answer);
        if (answer.Status == HttpStatusCode.NotFound)
        {
            return new Answer<T>(default, meta);
        }

        await RequireOkAsync(answer, stop);
        return new Answer<T>(await answer.ReadJsonAsync(type, stop), meta);
    }

    /// <summary>Sends a request and gives its raw answer, whatever its status; the caller disposes it.</summary>
    /// <exception cref="ConnectionException">The agent cannot be reached.</exception>
    public async Task<HttpResponseMessage> SendAsync(
        HttpMethod method, string path, QueryOptions? query, HttpContent? body, CancellationToken stop = default)
    {
        var answer = await AskAsync(method, path, query, body, stop);
        var message = new HttpResponseMessage(answer.Status) { Content = new StreamContent(answer.Open()) };
        foreach (var (name, value) in answer.Headers)
        {
            if (!message.Headers.TryAddWithoutValidation(name, value))
            {
                message.Content.Headers.TryAddWithoutValidation(name, value);
            }
        }

        return message;
    }

    /// <summary>Sends a body and demands status 200; gives the answer's text.</summary>
    /// <exception cref="ApiException">The agent answered with another status.</exception>
    public async Task<string> SendTextAsync(
        HttpMethod method, string path, QueryOptions? query, HttpContent? body, CancellationToken stop = default)
    {
        await using var answer = await AskAsync(method, path, query, body, stop);
        await RequireOkAsync(answer, stop);
        return await answer.ReadTextAsync(stop);
    }

    /// <summary>A JSON request body.</summary>
    public static HttpContent Json<T>(T value, JsonTypeInfo<T> type)
    {
        var content = new ByteArrayContent(JsonSerializer.SerializeToUtf8Bytes(value, type));
        content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        return content;
    }

    /// <summary>Closes pooled connections.</summary>
    public void Dispose() => _wire.Dispose();

    private async ValueTask<WireAnswer> AskAsync(
        HttpMethod method, string path, QueryOptions? query, HttpContent? body, CancellationToken stop)
    {
        var target = (query ?? new QueryOptions()).AppendTo(path.StartsWith('/') ? path : "/" + path, _options);
        var keepsThread = _options.KeepsThread && _isNear && !stop.CanBeCanceled && !Waits(query);
        var request = new WireRequest(method, target, Headers(), body, keepsThread);
        try
        {
            if (keepsThread)
            {
                return await _wire.SendAsync(request, stop);
            }

            using var limit = new CancellationTokenSource(_options.AnswerTimeout + LongestWait(query), _time);
            using var both = CancellationTokenSource.CreateLinkedTokenSource(stop, limit.Token);
            try
            {
                return await _wire.SendAsync(request, both.Token);
            }
            catch (OperationCanceledException late)
                when (limit.IsCancellationRequested && !stop.IsCancellationRequested)
            {
                throw TooLate(late);
            }
        }
        catch (SocketException late)
            when (keepsThread && late.SocketErrorCode is SocketError.TimedOut or SocketError.WouldBlock)
        {
            throw TooLate(late);
        }
        catch (Exception failure) when (failure is HttpRequestException or SocketException or IOException)
        {
            throw new ConnectionException(
                method, _shown + target, ConnectionException.ReasonOf(failure, _endpoint), failure);
        }

        TimeoutException TooLate(Exception late) => new($"{method} {target}: no answer from {_shown} in time", late);
    }

    private List<KeyValuePair<string, string>> Headers()
    {
        var headers = new List<KeyValuePair<string, string>>();
        if (_options.Token is { Length: > 0 } token)
        {
            headers.Add(new("X-Consul-Token", token));
        }

        if (_options.UserAgent is { Length: > 0 } name)
        {
            headers.Add(new("User-Agent", name));
        }

        if (_options.BasicAuth is { Length: > 0 } basic)
        {
            headers.Add(new("Authorization", $"Basic {Convert.ToBase64String(Encoding.UTF8.GetBytes(basic))}"));
        }

        return headers;
    }

    private static bool Waits(QueryOptions? query) => query is not null && (query.Index != 0 || query.Hash is not null);

    // The server adds up to a sixteenth of the wait as jitter, so the limit must leave room for it.
    private static TimeSpan LongestWait(QueryOptions? query)
    {
        if (!Waits(query))
        {
            return TimeSpan.Zero;
        }

        var wait = query!.Wait ?? TimeSpan.FromMinutes(5);
        return wait + (wait / 16);
    }

    private static async ValueTask RequireOkAsync(WireAnswer answer, CancellationToken stop)
    {
        if (answer.Status != HttpStatusCode.OK)
        {
            throw new ApiException(answer.Status, await answer.ReadTextAsync(stop));
        }
    }

    private static AnswerMeta MetaOf(WireAnswer answer)
    {
        _ = ulong.TryParse(answer.Header("X-Consul-Index"), CultureInfo.InvariantCulture, out var index);
        _ = long.TryParse(answer.Header("X-Consul-LastContact"), CultureInfo.InvariantCulture, out var contact);
        return new AnswerMeta(
            index,
            answer.Header("X-Consul-ContentHash"),
            TimeSpan.FromMilliseconds(contact),
            string.Equals(answer.Header("X-Consul-KnownLeader"), "true", StringComparison.OrdinalIgnoreCase),
            answer.Header("X-Consul-Default-ACL-Policy"));
    }

    private static (Uri Base, string Shown, string EndPoint, IWire Wire) Reach(ClientOptions options, TimeProvider time)
    {
        const string unix = "unix://";
        if (options.Address.StartsWith(unix, StringComparison.Ordinal))
        {
            var path = options.Address[unix.Length..];
            if (Encoding.UTF8.GetByteCount(path) is 0 or > SocketPathBytesMax)
            {
                throw new UriFormatException(
                    $"the unix socket's path \"{path}\" is empty or longer than {SocketPathBytesMax} bytes");
            }

            return (
                new Uri("http://localhost/"), "http://" + Uri.EscapeDataString(path), path,
                new PlainWire(options, new UnixDomainSocketEndPoint(path), "localhost", time));
        }

        var text = options.Address;
        var address = new Uri(text.Contains("://", StringComparison.Ordinal) ? text : $"http://{text}");
        IWire wire = address.Scheme == Uri.UriSchemeHttps
            ? new SecureWire(options, address)
            : new PlainWire(options, PlaceOf(address), address.Authority, time);
        return (address, address.GetLeftPart(UriPartial.Authority), $"{address.Host}:{address.Port}", wire);
    }

    private static EndPoint PlaceOf(Uri address) => IPAddress.TryParse(address.DnsSafeHost, out var ip)
        ? new IPEndPoint(ip, address.Port)
        : new DnsEndPoint(address.IdnHost, address.Port);
}
