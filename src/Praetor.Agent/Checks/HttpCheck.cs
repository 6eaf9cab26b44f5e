using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text;

namespace Praetor.Agent.Checks;

/// <summary>2xx is passing, 429 warning, all else critical; follows redirects, but never to another host.</summary>
/// <remarks>
/// Who may register a check makes the agent send requests from where it stands. A target must not be able to point them
/// elsewhere, at a metadata service for instance, so a redirect is followed only to the same host and port, or from
/// http
/// to https on the same host. Each run has a connection of its own and says <c>Connection: close</c>, as Consul does.
/// </remarks>
internal sealed class HttpCheck(Dialer dialer, TimeProvider time) : ICheckRunner
{
    private const int ReadBytes = 4096;

    public async Task<CheckResult> RunAsync(CheckSpec spec, CancellationToken stop)
    {
        if (HttpRequests.Problem(spec) is { } problem)
        {
            return CheckResult.Critical(problem);
        }

        var url = new Uri(spec.Http);
        using var limit = new RunLimit(spec.EffectiveTimeout, time, stop);
        try
        {
            return await FollowAsync(spec, url, limit);
        }
        catch (HttpRequestException failure)
        {
            return CheckResult.Critical(HttpRequests.Failed(spec, url, WhyOf(failure)));
        }
        catch (OperationCanceledException) when (limit.IsLate)
        {
            return CheckResult.Critical(HttpRequests.Failed(
                spec, url, "context deadline exceeded (Client.Timeout exceeded while awaiting headers)"));
        }
    }

    private async Task<CheckResult> FollowAsync(CheckSpec spec, Uri url, RunLimit limit)
    {
        var method = HttpRequests.MethodOf(spec);
        for (var hop = 0; hop <= CheckLimits.RedirectsMax; hop++)
        {
            using var http = new HttpMessageInvoker(Handler(spec, url));
            using var request = HttpRequests.Make(spec, url, method);
            using var answer = await http.SendAsync(request, limit.Token);
            if (spec.DisableRedirects || RedirectOf(answer, url) is not { } next)
            {
                return await ResultAsync(spec, answer, limit);
            }

            if (HttpRequests.RefusalOf(url, next) is { } refusal)
            {
                return CheckResult.Critical(HttpRequests.Failed(spec, next, refusal));
            }

            method = HttpRequests.MethodAfter(answer.StatusCode, method);
            url = next;
        }

        return CheckResult.Critical(HttpRequests.Failed(spec, url, "stopped after 10 redirects"));
    }

    private SocketsHttpHandler Handler(CheckSpec spec, Uri url) => new()
    {
        UseProxy = false,
        UseCookies = false,
        AllowAutoRedirect = false,
        AutomaticDecompression = DecompressionMethods.GZip,
        // TLS is ours, by the options of this check: the handler sees http only.
        ConnectCallback = async (_, stop) => await dialer.OpenAsync(
            new HostPort(url.IdnHost, url.Port), url.Scheme == Uri.UriSchemeHttps, spec, null, stop),
    };

    private static Uri? RedirectOf(HttpResponseMessage answer, Uri url)
    {
        var isRedirect = answer.StatusCode is HttpStatusCode.Moved or HttpStatusCode.Found or HttpStatusCode.SeeOther
            or HttpStatusCode.TemporaryRedirect or HttpStatusCode.PermanentRedirect;
        return isRedirect && answer.Headers.Location is { } location ? new Uri(url, location) : null;
    }

    private static async Task<CheckResult> ResultAsync(CheckSpec spec, HttpResponseMessage answer, RunLimit limit)
    {
        var body = new OutputCapture(spec.EffectiveOutputMax);
        await ReadAsync(answer, body, limit);
        var code = (int)answer.StatusCode;
        var reason = answer.ReasonPhrase is { Length: > 0 } text ? $"{code} {text}" : $"{code}";
        var status = code switch
        {
            >= 200 and <= 299 => CheckStatus.Passing,
            (int)HttpStatusCode.TooManyRequests => CheckStatus.Warning,
            _ => CheckStatus.Critical,
        };
        var method = HttpRequests.MethodOf(spec);
        var output = $"HTTP {method} {HttpRequests.Shown(spec.Http)}: {reason} Output: {body.Text()}";
        return new CheckResult(status, output);
    }

    // The status is known; a body that breaks off, or does not end in time, does not change it.
    private static async Task ReadAsync(HttpResponseMessage answer, OutputCapture body, RunLimit limit)
    {
        var buffer = new byte[ReadBytes];
        try
        {
            await using var stream = await answer.Content.ReadAsStreamAsync(limit.Token);
            while (body.Total < CheckLimits.BodyBytesMax
                && await stream.ReadAsync(buffer, limit.Token) is > 0 and var read)
            {
                body.Add(buffer.AsSpan(0, read));
            }
        }
        catch (Exception end) when (end is IOException or HttpRequestException or InvalidDataException)
        {
            return;
        }
        catch (OperationCanceledException) when (limit.IsLate)
        {
            return;
        }
    }

    private static string WhyOf(HttpRequestException failure) => failure switch
    {
        { InnerException: DialException dial } => dial.Message,
        { HttpRequestError: HttpRequestError.ResponseEnded } => "EOF",
        { HttpRequestError: HttpRequestError.InvalidResponse } =>
            $"net/http: HTTP/1.x transport connection broken: {failure.Message}",
        { InnerException: { } inner } => inner.Message,
        _ => failure.Message,
    };
}

/// <summary>What an HTTP check sends, and the words it uses when it cannot.</summary>
internal static class HttpRequests
{
    private const string UserAgent = "Consul Health Check";
    private const string Accept = "text/plain, text/*, */*";

    public static string MethodOf(CheckSpec spec) => spec.Method.Length > 0 ? spec.Method : "GET";

    /// <summary>Why no request can be made of this check; null when one can.</summary>
    public static string? Problem(CheckSpec spec)
    {
        var method = MethodOf(spec);
        if (!IsToken(method))
        {
            return $"net/http: invalid method \"{method}\"";
        }

        if (!Uri.TryCreate(spec.Http, UriKind.Absolute, out var url))
        {
            return $"parse \"{Shown(spec.Http)}\": not an absolute URL";
        }

        if (!IsHttp(url))
        {
            return Failed(spec, url, $"unsupported protocol scheme \"{url.Scheme}\"");
        }

        foreach (var (name, values) in spec.Headers)
        {
            if (!IsToken(name))
            {
                return Failed(spec, url, $"net/http: invalid header field name \"{name}\"");
            }

            if (values.Any(static value => value.AsSpan().ContainsAny('\r', '\n', '\0')))
            {
                return Failed(spec, url, $"net/http: invalid header field value for \"{name}\"");
            }
        }

        return null;
    }

    /// <summary>Why a redirect is not followed; null when it is.</summary>
    public static string? RefusalOf(Uri from, Uri to)
    {
        if (!IsHttp(to))
        {
            return $"unsupported protocol scheme \"{to.Scheme}\"";
        }

        var isSameHost = string.Equals(from.IdnHost, to.IdnHost, StringComparison.OrdinalIgnoreCase);
        var isUpgrade = from.Scheme == Uri.UriSchemeHttp && to.Scheme == Uri.UriSchemeHttps;
        var isSamePlace = isSameHost && (isUpgrade || (from.Port == to.Port && from.Scheme == to.Scheme));
        return isSamePlace
            ? null
            : $"redirect from {from.Authority} refused: checks stay on their host, check it itself";
    }

    /// <summary>As browsers and Go do it: only 307 and 308 repeat the method.</summary>
    public static string MethodAfter(HttpStatusCode status, string method) =>
        method == "HEAD" || status is HttpStatusCode.TemporaryRedirect or HttpStatusCode.PermanentRedirect
            ? method
            : "GET";

    public static HttpRequestMessage Make(CheckSpec spec, Uri url, string method)
    {
        // The handler believes in plain HTTP (see HttpCheck), so the port is always written out for it.
        var plain = new UriBuilder(url) { Scheme = Uri.UriSchemeHttp, Port = url.Port, UserName = "", Password = "" };
        var request = new HttpRequestMessage(new HttpMethod(method), plain.Uri)
        {
            Version = HttpVersion.Version11,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
        if (spec.Body.Length > 0 && method == MethodOf(spec))
        {
            request.Content = new ByteArrayContent(Encoding.UTF8.GetBytes(spec.Body));
        }

        foreach (var (name, values) in spec.Headers)
        {
            Add(request, name, values);
        }

        AddDefaults(request, url);
        return request;
    }

    /// <summary>Go's shape of a failed request: <c>Get "http://x/": why</c>.</summary>
    public static string Failed(CheckSpec spec, Uri url, string why)
    {
        var method = MethodOf(spec);
        var verb = string.Concat(method[..1].ToUpperInvariant(), method[1..].ToLowerInvariant());
        return $"{verb} \"{Shown(url.OriginalString)}\": {why}";
    }

    /// <summary>A URL without the password that it may carry: outputs are stored and shown to everybody.</summary>
    public static string Shown(string url)
    {
        var start = url.IndexOf("://", StringComparison.Ordinal) + "://".Length;
        var slash = url.IndexOfAny(['/', '?', '#'], Math.Min(start, url.Length));
        var end = slash < 0 ? url.Length : slash;
        var at = url.LastIndexOf('@', end - 1);
        if (at < start || start < "://".Length)
        {
            return url;
        }

        var colon = url.IndexOf(':', start, at - start);
        return colon < 0 ? url : $"{url[..colon]}:xxxxx{url[at..]}";
    }

    private static void Add(HttpRequestMessage request, string name, IReadOnlyList<string> values)
    {
        if (!request.Headers.TryAddWithoutValidation(name, values))
        {
            request.Content ??= new ByteArrayContent([]);
            request.Content.Headers.Remove(name);
            request.Content.Headers.TryAddWithoutValidation(name, values);
        }
    }

    private static void AddDefaults(HttpRequestMessage request, Uri url)
    {
        request.Headers.ConnectionClose = true;
        if (!request.Headers.NonValidated.Contains("Host"))
        {
            request.Headers.Host = HostOf(url);
        }

        if (!request.Headers.NonValidated.Contains("User-Agent"))
        {
            request.Headers.TryAddWithoutValidation("User-Agent", UserAgent);
        }

        if (!request.Headers.NonValidated.Contains("Accept"))
        {
            request.Headers.TryAddWithoutValidation("Accept", Accept);
        }

        if (url.UserInfo.Length > 0 && !request.Headers.NonValidated.Contains("Authorization"))
        {
            var user = Encoding.UTF8.GetBytes(Uri.UnescapeDataString(url.UserInfo));
            request.Headers.Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String(user));
        }
    }

    private static string HostOf(Uri url)
    {
        // Only Host has the brackets of an IPv6 address, only IdnHost is free of other alphabets.
        var host = url.HostNameType == UriHostNameType.IPv6 ? url.Host : url.IdnHost;
        return url.IsDefaultPort ? host : string.Create(CultureInfo.InvariantCulture, $"{host}:{url.Port}");
    }

    private static bool IsHttp(Uri url) => url.Scheme == Uri.UriSchemeHttp || url.Scheme == Uri.UriSchemeHttps;

    private static bool IsToken(string text) => text.Length > 0
        && text.All(static c => char.IsAsciiLetterOrDigit(c) || "!#$%&'*+-.^_`|~".Contains(c));
}
