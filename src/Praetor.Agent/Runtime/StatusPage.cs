using Microsoft.AspNetCore.Http;
using Praetor.Agent.Config;

namespace Praetor.Agent.Runtime;

/// <summary>A plain page that says how everything is; it needs no script and loads nothing.</summary>
/// <param name="render">Makes it.</param>
/// <param name="config">Whether and where it is.</param>
internal sealed class StatusPage(Func<CancellationToken, ValueTask<string>> render, UiConfig config)
{
    // Nothing on this page runs or is fetched, so nothing is allowed to.
    private const string Policy =
        "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

    /// <summary>Answers a request for a page; false: there is no such page.</summary>
    public async ValueTask<bool> AnswerAsync(HttpContext context)
    {
        var path = context.Request.Path.Value ?? "/";
        if (!config.IsEnabled || !HttpMethods.IsGet(context.Request.Method)
            && !HttpMethods.IsHead(context.Request.Method))
        {
            return false;
        }

        var home = config.ContentPath;
        if (path == "/" || path + "/" == home)
        {
            context.Response.StatusCode = StatusCodes.Status301MovedPermanently;
            context.Response.Headers.Location = home;
            return true;
        }

        if (!path.StartsWith(home, StringComparison.Ordinal))
        {
            return false;
        }

        var headers = context.Response.Headers;
        headers.ContentType = "text/html; charset=utf-8";
        headers.ContentSecurityPolicy = Policy;
        headers.XContentTypeOptions = "nosniff";
        headers["Referrer-Policy"] = "no-referrer";
        headers.CacheControl = "no-store";
        await context.Response.WriteAsync(await render(context.RequestAborted));
        return true;
    }
}
