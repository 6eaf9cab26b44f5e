using System.IO.Compression;
using System.IO.Pipelines;
using System.Net;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Primitives;
using Microsoft.Net.Http.Headers;
using Praetor.Agent.Forwarding;
using Praetor.Agent.Http.Endpoints;
using Praetor.Agent.Telemetry;
using Praetor.Server.Queries;
using Praetor.Server.State;

namespace Praetor.Agent.Http;

/// <summary>What the API needs from the agent around it.</summary>
internal sealed record ApiSurroundings
{
    public required RouteTable Routes { get; init; }

    /// <summary>The state that reads are answered from. Null: this agent is a client and has none.</summary>
    public required StateStore? Store { get; init; }

    /// <summary>Shares answers. Null: as <see cref="Store"/>.</summary>
    public required QueryHub? Hub { get; init; }

    /// <summary>Passes on what others answer. Null: nothing is passed on.</summary>
    public HttpPassing? Passing { get; init; }

    /// <summary>Whether other agents ask here, and not users.</summary>
    public bool IsRpc { get; init; }

    /// <summary>Where requests are timed. Null: those of other agents are not, their own agents time them.</summary>
    public required Metrics? Metrics { get; init; }

    /// <summary>Whether this server may answer by itself. Null: it is no one of several.</summary>
    public ILeadership? Leadership { get; init; }

    public required IAuthorizer Authorizer { get; init; }

    /// <summary>Keeps web pages out. Null: none come here.</summary>
    public required HostGuard? Guard { get; init; }

    public required string Datacenter { get; init; }

    /// <summary>This agent's node; <c>near=_agent</c> means it.</summary>
    public required string NodeName { get; init; }

    /// <summary>Waits are spread with it; the API's own, as it is used by many requests at once.</summary>
    public required Random Random { get; init; }

    public WaitLimits Waits { get; init; } = WaitLimits.Usual;

    /// <summary>Whether paths may hold characters that cannot be seen. Other agents have judged their users' paths
    /// themselves.</summary>
    public bool AllowUnprintable { get; init; } = true;

    /// <summary>Dev agents indent every answer, as Consul's do.</summary>
    public bool AlwaysPretty { get; init; }

    /// <summary>Whether nodes of other datacenters are shown by their WAN addresses.</summary>
    public bool TranslatesWan { get; init; }

    /// <summary>Headers that the configuration, as it is now, adds to every answer.</summary>
    public Func<IReadOnlyDictionary<string, string>> ResponseHeaders { get; init; } = Config.Empty.Map<string>;

    /// <summary>Names requests in the log. Null: those of other agents are named by their own agents.</summary>
    public RequestLog? RequestLog { get; init; }

    /// <summary>Answers what is not under /v1/, such as the UI; false: it does not know the path either.</summary>
    public Func<HttpContext, ValueTask<bool>>? Pages { get; init; }
}

/// <summary>Takes requests off the wire, asks the route table, and writes answers.</summary>
/// <remarks>
/// Authorization stands before the body is read and before data is touched. Kestrel parses HTTP; everything about
/// Consul's habits is here and in the rows.
/// </remarks>
internal sealed partial class HttpApi(ApiSurroundings around)
{
    private const string NotApi =
        "Invalid URL path: if attempting to use the HTTP API, ensure the path starts with '/v1/'";

    private const string NoEndpoint = "Invalid URL path: not a recognized HTTP API endpoint";

    /// <summary>What is said of a datacenter that is not known.</summary>
    public const string NoPath = Forwarder.NoPath;

    // Below this size compression costs more than the bytes it saves, as in Consul.
    private const int CompressFromBytes = 1400;

    // About a millisecond; more would hold up the other connections of the thread that reads the sockets.
    private const int CompressHereBytesMax = 256 * 1024;

    // As Consul lists them.
    private static readonly string[] MethodOrder = ["OPTIONS", "GET", "PUT", "POST", "DELETE"];

    /// <summary>Kestrel's one request delegate.</summary>
    public Task HandleAsync(HttpContext context) => around.RequestLog is { IsRead: true } log
        ? log.AnswerAsync(context, TakeAsync) : TakeAsync(context);

    private async Task TakeAsync(HttpContext context)
    {
        if (await FramingGuard.RefusedAsync(context))
        {
            return;
        }

        var target = context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget;
        var question = target.IndexOf('?');
        var path = question < 0 ? target : target[..question];
        var headers = context.Request.Headers;
        var writes = !HttpMethods.IsGet(context.Request.Method) && !HttpMethods.IsHead(context.Request.Method);

        // No page in a browser reaches a Unix socket, and its clients call the agent by all kinds of names.
        var onLoopback = context.Connection.LocalIpAddress is { } local && IPAddress.IsLoopback(local);
        var visit = new Visit(
            path, headers.Host.ToString(), headers.Origin.ToString(), writes, onLoopback,
            context.Connection.RemoteIpAddress);
        if (around.Guard?.Refuses(visit) is { } guarded)
        {
            await WriteAsync(context, Reply.Text(403, guarded), null, null);
            return;
        }

        if (!around.AllowUnprintable && !PrintablePath.Holds(path))
        {
            // Not a word: so does Consul, and the path is nothing to show.
            context.Response.StatusCode = StatusCodes.Status400BadRequest;
            return;
        }

        if (!path.StartsWith("/v1/", StringComparison.Ordinal))
        {
            await OtherAsync(context);
            return;
        }

        var match = around.Routes.Find(path);
        if (match is null && around.Store is null && !Route.IsOfAgent(path))
        {
            // Servers know the rows, be they newer than this agent.
            await PassAsync(context, RequestOf(context, target, question, []), null, around.Datacenter);
            return;
        }

        var began = around.Metrics?.Now() ?? default;
        try
        {
            if (Unroutable(context, match, out var route) is { } refusal)
            {
                await WriteAsync(context, refusal, null, null);
                return;
            }

            await RunAsync(context, RequestOf(context, target, question, match!.Values), route!);
        }
        finally
        {
            // Also of those who went away while they waited: they took that long.
            if (around.Metrics is { } metrics)
            {
                match?.Times?.Add(metrics, context.Request.Method, began);
            }
        }
    }

    private ApiRequest RequestOf(HttpContext context, string target, int question, string[] values)
    {
        var query = question < 0 ? QueryParameters.None : QueryParameters.Parse(target.AsSpan(question + 1));
        return new ApiRequest
        {
            Method = context.Request.Method,
            Target = target,
            Path = question < 0 ? target : target[..question],
            Query = query,
            PathValues = values,
            Token = TokenOf(context.Request.Headers, query),
            UserAgent = context.Request.Headers.UserAgent.ToString(),
            Pretty = around.AlwaysPretty || query.Has("pretty"),
            Near = query["near"] == "_agent" ? around.NodeName : query["near"],
            CacheControl = context.Request.Headers.CacheControl.ToString(),
            Hops = around.IsRpc ? context.Request.Headers[HopTrail.Header].ToString() : "",
            Remote = context.Connection.RemoteIpAddress,
            Aborted = context.RequestAborted,
        };
    }

    private async Task PassAsync(HttpContext context, ApiRequest request, Route? route, string datacenter)
    {
        WriteCommonHeaders(context.Response.Headers);
        var refused = around.Passing is null ? Reply.Text(500, NoPath)
            : await around.Passing.PassAsync(context, request, datacenter);
        if (refused is null)
        {
            return;
        }

        if (route?.Read is not null)
        {
            WriteReadHeaders(context.Response.Headers, "1", hasLeader: false);
        }

        await WriteAsync(context, refused, route, request);
    }

    private async Task RunAsync(HttpContext context, ApiRequest request, Route route)
    {
        if (Enterprise(context.Request.Headers, request.Query) is { } enterprise)
        {
            await WriteAsync(context, Reply.BadRequest(enterprise), route, request);
            return;
        }

        // Whoever answers decides who may.
        if (route.Scope is RouteScope.Catalog or RouteScope.AgentUnlessFar && request.Datacenter is { Length: > 0 } dc
            && !dc.Equals(around.Datacenter, StringComparison.OrdinalIgnoreCase))
        {
            await PassAsync(context, request, route, dc);
            return;
        }

        if (around.Leadership is { } leadership && route.Scope == RouteScope.Catalog
            && await IsLedElsewhereAsync(context, request, route, leadership))
        {
            return;
        }

        if (around.Authorizer.Refuses(request, route.Acl) is { } denied)
        {
            await WriteAsync(context, Reply.Text(403, denied), route, request);
            return;
        }

        if (route.Stream is { } stream)
        {
            WriteCommonHeaders(context.Response.Headers);
            await stream(context, request);
            return;
        }

        if (route.Read is not null)
        {
            await ReadStateAsync(context, request, route);
            return;
        }

        var (body, tooLarge) = await ReadBodyAsync(context, route);
        if (tooLarge is not null)
        {
            await WriteAsync(context, tooLarge, route, request);
            return;
        }

        await WriteAsync(context, await route.Handle!(Complete(request, body)), route, request);
    }

    // True: answered, by the leader or by saying that there is none.
    private async ValueTask<bool> IsLedElsewhereAsync(
        HttpContext context, ApiRequest request, Route route, ILeadership leadership)
    {
        if (route.AnyServer || (route.Read is not null && leadership.HasState && request.Query.Has("stale")))
        {
            return false;
        }

        if (!leadership.Leads)
        {
            if (around.IsRpc && around.Passing?.MayPass(request, around.Datacenter) != true)
            {
                // Another server took this one for the leader: it is to look again. Of what is passed on nobody knows
                // that it was not done, so it must not be marked so.
                context.Response.Headers[Forwarder.NotDoneHeader] = "1";
            }

            await PassAsync(context, request, route, around.Datacenter);
            return true;
        }

        if (await leadership.IsNewestAsync(request.Query.Has("consistent"), request.Aborted))
        {
            return false;
        }

        await WriteAsync(context, Reply.Text(500, Forwarder.NoLeader), route, request);
        return true;
    }

    private static ApiRequest Complete(ApiRequest request, ReadOnlyMemory<byte> body) => body.IsEmpty
        ? request
        : new ApiRequest
        {
            Method = request.Method,
            Target = request.Target,
            Path = request.Path,
            Query = request.Query,
            PathValues = request.PathValues,
            Token = request.Token,
            UserAgent = request.UserAgent,
            Pretty = request.Pretty,
            Near = request.Near,
            CacheControl = request.CacheControl,
            Hops = request.Hops,
            Remote = request.Remote,
            Aborted = request.Aborted,
            Body = body,
        };

    private async Task ReadStateAsync(HttpContext context, ApiRequest request, Route route)
    {
        if (!ReadOptions.TryParse(request.Query, out var options, out var problem))
        {
            await WriteAsync(context, Reply.BadRequest(problem), route, request);
            return;
        }

        var answer = await AnswerAsync(request, route, options);
        var headers = context.Response.Headers;
        WriteReadHeaders(headers, answer.IndexText, around.Leadership?.HasLeader ?? true);
        headers["X-Consul-Effective-Consistency"] = options.Consistency;
        headers["X-Consul-Query-Backend"] = "blocking-query";
        if (answer.ContentType == KvEndpoints.RawType)
        {
            headers.ContentSecurityPolicy = "sandbox";
        }

        if (route.SaysCache || request.Query.Has("cached"))
        {
            headers["X-Cache"] = "MISS";
        }

        await WriteAsync(context, new Reply(answer.Status, answer.ContentType, answer.Body), route, request);
    }

    // Today's client reads these in order and stops at the first that is missing, so they go together.
    private static void WriteReadHeaders(IHeaderDictionary headers, string index, bool hasLeader)
    {
        headers["X-Consul-Index"] = index;
        headers["X-Consul-KnownLeader"] = hasLeader ? "true" : "false";
        headers["X-Consul-LastContact"] = "0";
    }

    private async ValueTask<QueryAnswer> AnswerAsync(ApiRequest request, Route route, ReadOptions options)
    {
        // Nodes move without the catalog changing, so an order by distance is never one that was kept.
        if (options.Index == 0 && (!route.KeepsAnswer(request) || request.Near.Length > 0))
        {
            return route.Read!(request, new ReadView(around.Store!.Current, tracks: false));
        }

        QueryAnswer Evaluate(ReadView view) => route.Read!(request, view);
        var key = KeyOf(request);
        if (options.Index == 0)
        {
            return await around.Hub!.ReadAsync(key, Evaluate, route.IgnoresEqual);
        }

        var wait = around.Waits.Of(options.Wait, around.Random);
        return await around.Hub!.WaitAsync(
            key, Evaluate, route.IgnoresEqual, options.Index, wait, request.Aborted);
    }

    // Lengths stand before names and values: whatever these hold, different questions have different keys.
    // Requests that differ only in how they wait, or in who asks, share an answer. With ACLs the rights join the key.
    private static string KeyOf(ApiRequest request)
    {
        if (request.Query.Pairs.Count == 0)
        {
            return request.Path;
        }

        var key = new System.Text.StringBuilder(request.Path);
        foreach (var (name, value) in request.Query.Pairs)
        {
            if (name is not ("index" or "wait" or "stale" or "consistent" or "cached" or "token" or "dc"))
            {
                key.Append('&').Append(name.Length).Append(':').Append(name)
                    .Append(value.Length).Append(':').Append(value);
            }
        }

        return key.ToString();
    }

    private static string TokenOf(IHeaderDictionary headers, QueryParameters query)
    {
        if (query["token"] is { Length: > 0 } inUrl)
        {
            return inUrl;
        }

        if (headers["X-Consul-Token"].ToString() is { Length: > 0 } own)
        {
            return own;
        }

        var words = headers.Authorization.ToString().Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return words.Length >= 2 && words[0].Equals("Bearer", StringComparison.OrdinalIgnoreCase) ? words[1] : "";
    }

    private Reply? Unroutable(HttpContext context, RouteTable.Match? match, out Route? route)
    {
        route = null;
        if (match is null)
        {
            var raw = context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget;
            return UrlPaths.Cleaned(raw) is { } clean ? MovedTo(clean) : Reply.Text(404, NoEndpoint);
        }

        if (match.Methods.Count == 0)
        {
            return Reply.BadRequest("Invalid URL path: a name in it is not percent-encoded UTF-8");
        }

        var method = context.Request.Method;
        if (method == "OPTIONS")
        {
            context.Response.Headers.Allow = Allowed(match);
            return Reply.Ok;
        }

        if (match.Methods.TryGetValue(method == "HEAD" ? "GET" : method, out route))
        {
            return null;
        }

        context.Response.Headers.Allow = Allowed(match);
        return Reply.Text(405, $"method {method} not allowed");
    }

    private static string Allowed(RouteTable.Match match) =>
        string.Join(',', MethodOrder.Where(m => m == "OPTIONS" || match.Methods.ContainsKey(m)));

    private static string? Enterprise(IHeaderDictionary headers, QueryParameters query)
    {
        foreach (var (parameter, header, what) in EnterpriseFeatures)
        {
            if (query[parameter].Length > 0)
            {
                return $"Invalid query parameter: \"{parameter}\" - {what} are a Consul Enterprise feature";
            }

            if (headers[header].Count > 0)
            {
                return $"Invalid header: \"{header}\" - {what} are a Consul Enterprise feature";
            }
        }

        return null;
    }

    private static readonly (string Parameter, string Header, string What)[] EnterpriseFeatures =
    [
        ("ns", "X-Consul-Namespace", "Namespaces"),
        ("partition", "X-Consul-Partition", "Partitions"),
    ];

    private async Task OtherAsync(HttpContext context)
    {
        var raw = context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget;
        if (UrlPaths.Cleaned(raw) is { } clean && clean.StartsWith("/v1/", StringComparison.Ordinal))
        {
            await WriteAsync(context, MovedTo(clean), null, null);
        }
        else if (around.Pages is null || !await around.Pages(context))
        {
            await WriteAsync(context, Reply.Text(404, NotApi), null, null);
        }
    }

    private static Reply MovedTo(string target) => new Reply(301, "text/html; charset=utf-8", [])
        .With("Location", target);

    private static async ValueTask<(ReadOnlyMemory<byte> Body, Reply? TooLarge)> ReadBodyAsync(
        HttpContext context, Route route)
    {
        var body = await RequestBody.ReadAsync(context, route.BodyMax);
        return body.IsTooLarge ? (default, TooLarge(route, body.Announced))
            : (route.TakesBytes || body.Bytes.Length == 0 ? body.Bytes : JsonText.Mend(body.Bytes), null);
    }

    private static Reply TooLarge(Route route, long? announced)
    {
        var size = announced is { } bytes ? $"({bytes} bytes)" : "";
        return Reply.Text(413, $"Request body{size} too large, max size: {route.BodyMax} bytes{route.BodyMaxRemedy}");
    }

    private ValueTask WriteAsync(HttpContext context, Reply reply, Route? route, ApiRequest? request)
    {
        var response = context.Response;
        response.StatusCode = reply.Status;
        var headers = response.Headers;
        headers.ContentType = reply.ContentType;
        WriteCommonHeaders(headers);
        foreach (var (name, value) in reply.Headers ?? [])
        {
            headers[name] = value;
        }

        var body = reply.Body;
        if (body.Length >= CompressFromBytes && AcceptsGzip(context.Request.Headers.AcceptEncoding))
        {
            headers.ContentEncoding = "gzip";
            return WriteCompressedAsync(context, body);
        }

        return WriteBodyAsync(context, body);
    }

    private static async ValueTask WriteCompressedAsync(HttpContext context, byte[] body) => await WriteBodyAsync(
        context, body.Length <= CompressHereBytesMax ? Compress(body) : await Task.Run(() => Compress(body)));

    private void WriteCommonHeaders(IHeaderDictionary headers)
    {
        headers.Vary = "Accept-Encoding";
        headers.XContentTypeOptions = "nosniff";
        headers["X-Consul-Default-ACL-Policy"] = around.Authorizer.DefaultPolicy;
        if (around.TranslatesWan)
        {
            headers[WanAddresses.Header] = "true";
        }

        var own = around.ResponseHeaders();
        if (own.Count == 0)
        {
            return;
        }

        foreach (var (name, value) in own)
        {
            headers[name] = value;
        }
    }

    private static async ValueTask WriteBodyAsync(HttpContext context, byte[] body)
    {
        context.Response.ContentLength = body.Length;
        if (context.Request.Method != "HEAD")
        {
            await context.Response.BodyWriter.WriteAsync(body);
        }
    }

    // A quality of 0 means: not that one. A header that cannot be read asks for nothing.
    private static bool AcceptsGzip(StringValues accepted) =>
        StringWithQualityHeaderValue.TryParseList(accepted, out var codings)
        && codings.Any(static c => c.Value.Equals("gzip", StringComparison.OrdinalIgnoreCase) && c.Quality != 0);

    private static byte[] Compress(byte[] body)
    {
        using var buffer = new MemoryStream(body.Length / 4);
        using (var gzip = new GZipStream(buffer, CompressionLevel.Fastest))
        {
            gzip.Write(body);
        }

        return buffer.ToArray();
    }
}
