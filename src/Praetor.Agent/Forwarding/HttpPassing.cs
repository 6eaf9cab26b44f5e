using Microsoft.AspNetCore.Http;
using Praetor.Agent.Http;

namespace Praetor.Agent.Forwarding;

/// <summary>What passing requests on needs to know of this agent.</summary>
internal sealed record PassingOptions
{
    /// <summary>The token of requests without one. Empty: none.</summary>
    public Func<string> DefaultToken { get; init; } = static () => "";

    public WaitLimits Waits { get; init; } = WaitLimits.Usual;

    /// <summary>The largest body of a request.</summary>
    public int BodyBytesMax { get; init; } = RpcLimits.RequestBytesMax;

    /// <summary>Whether every answer is to be indented.</summary>
    public bool AlwaysPretty { get; init; }

    /// <summary>Whether nodes of other datacenters are shown by their WAN addresses
    /// (<c>translate_wan_addrs</c>).</summary>
    public bool TranslatesWan { get; init; }

    /// <summary>Whether what comes here are other agents' own questions.</summary>
    public bool IsOwn { get; init; }

    /// <summary>Answers <c>?cached</c>. Null: nothing is kept here.</summary>
    public CachedReads? Cached { get; init; }
}

/// <summary>Passes a request of the HTTP API on to a server, as it came, and its answer back.</summary>
/// <remarks>Who may do what is decided where the request is answered: its token goes along, nothing is looked at
/// here.</remarks>
internal sealed class HttpPassing(Forwarder forwarder, PassingOptions options)
{
    // What of a request means something at the server.
    private static readonly string[] Along = ["accept-encoding", "cache-control", "content-type"];

    /// <summary>Whether a request may go on to a server of a datacenter, or has come too far already.</summary>
    public bool MayPass(ApiRequest request, string datacenter) => request.Trail.MayPass(forwarder.Self, datacenter);

    /// <summary>Asks a server of a datacenter and writes its answer.</summary>
    /// <returns>Null: done; else what to answer, be it that no server did.</returns>
    public async ValueTask<Reply?> PassAsync(HttpContext context, ApiRequest request, string datacenter)
    {
        var target = TargetOf(request);
        if (options.Cached is { } cached && CachedReads.Takes(request)
            && await cached.AnswerAsync(request, target, TokenOf(request), datacenter) is { } kept)
        {
            return kept;
        }

        var wait = TimeSpan.Zero;
        if (request.Query.Has("index") && request.Query["index"] is not ("" or "0"))
        {
            if (!ReadOptions.TryParse(request.Query, out var read, out var problem))
            {
                return Reply.BadRequest(problem);
            }

            wait = options.Waits.Longest(read.Wait);
        }

        if (Route.IsOfAnySize(request.Path))
        {
            return await SendAsync(context, request, CallOf(context, request, target, datacenter, [], wait) with
            {
                IsOfAnySize = true,
                Stream = HttpMethods.IsPut(request.Method) ? context.Request.Body : null,
            });
        }

        var body = await RequestBody.ReadAsync(context, options.BodyBytesMax);
        if (body.IsTooLarge)
        {
            var size = body.Announced is { } bytes ? $"({bytes} bytes)" : "";
            return Reply.Text(413, $"Request body{size} too large, max size: {options.BodyBytesMax} bytes");
        }

        return await SendAsync(context, request, CallOf(context, request, target, datacenter, body.Bytes, wait));
    }

    /// <summary>Asks a server of a datacenter that only the request's body names.</summary>
    public async ValueTask<Reply> AskAsync(ApiRequest request, string datacenter)
    {
        var outcome = await forwarder.AskAsync(
            new ServerCall
            {
                Method = request.Method,
                Target = request.Path,
                Datacenter = datacenter,
                Token = TokenOf(request),
                Body = request.Body,
                Trail = request.Trail,
            },
            request.Aborted);
        return outcome.Refusal is { } refusal ? Reply.Refused(refusal)
            : new Reply(outcome.Value.Status, outcome.Value.ContentType, outcome.Value.Body);
    }

    private async ValueTask<Reply?> SendAsync(HttpContext context, ApiRequest request, ServerCall call)
    {
        var outcome = await forwarder.SendAsync(call, request.Aborted);
        if (outcome.Refusal is { } refusal)
        {
            return Reply.Refused(refusal);
        }

        using var answer = outcome.Value;
        await CopyAsync(context, answer);
        return null;
    }

    private ServerCall CallOf(
        HttpContext context, ApiRequest request, string target, string datacenter, byte[] body, TimeSpan wait)
    {
        List<KeyValuePair<string, string>>? headers = null;
        foreach (var name in Along)
        {
            if (context.Request.Headers.TryGetValue(name, out var value) && value.Count > 0)
            {
                (headers ??= []).Add(new KeyValuePair<string, string>(name, value.ToString()));
            }
        }

        return new ServerCall
        {
            Method = request.Method,
            Target = target,
            Datacenter = datacenter,
            Token = TokenOf(request),
            IsOwn = options.IsOwn,
            Body = body,
            Headers = headers ?? (IReadOnlyList<KeyValuePair<string, string>>)[],
            Trail = request.Trail,
            Wait = wait,
            LeaveAfter = IsFor(request.Datacenter, datacenter) ? RpcLimits.LeaveAfter : RpcLimits.LeaveAfterFar,
            IsRepeatable = HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method),
        };
    }

    private string TokenOf(ApiRequest request) =>
        request.Token.Length > 0 ? request.Token : options.DefaultToken();

    // "_agent" means another agent there.
    private string TargetOf(ApiRequest request)
    {
        var target = request.Target;
        if (request.Query["near"] == "_agent")
        {
            var pairs = request.Query.Pairs.Select(pair =>
            {
                var value = pair.Key == "near" ? request.Near : pair.Value;
                return $"{Uri.EscapeDataString(pair.Key)}={Uri.EscapeDataString(value)}";
            });
            target = $"{request.Path}?{string.Join('&', pairs)}";
        }

        var isElsewhere = !IsFor(request.Datacenter, forwarder.Self.Datacenter);
        target = With(target, WanAddresses.Parameter, options.TranslatesWan && isElsewhere);
        return With(target, "pretty", options.AlwaysPretty && !request.Query.Has("pretty"));
    }

    // Who names none means the one that is asked.
    private static bool IsFor(string named, string datacenter) =>
        named.Length == 0 || named.Equals(datacenter, StringComparison.OrdinalIgnoreCase);

    private static string With(string target, string parameter, bool isWanted) => !isWanted ? target
        : target + (target.Contains('?') ? '&' : '?') + parameter;

    private static async Task CopyAsync(HttpContext context, ServerAnswer answer)
    {
        var response = context.Response;
        response.StatusCode = answer.Status;
        answer.CopyHeaders(response.Headers);
        if (HttpMethods.IsHead(context.Request.Method))
        {
            return;
        }

        try
        {
            await answer.CopyBodyAsync(response.BodyWriter, context.RequestAborted);
        }
        catch (Exception e) when (e is IOException or HttpRequestException or OperationCanceledException)
        {
            // Its beginning is on its way already: only the end of the connection says that it is not whole.
            context.Abort();
        }
    }
}
