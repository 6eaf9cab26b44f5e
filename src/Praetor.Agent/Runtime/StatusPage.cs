using System.Net;
using System.Text;
using Microsoft.AspNetCore.Http;
using Praetor.Agent.Config;
using Praetor.Agent.Local;
using Praetor.Server.Catalog;
using Praetor.Server.State;

namespace Praetor.Agent.Runtime;

/// <summary>A plain page that says how everything is; it needs no script and loads nothing.</summary>
internal sealed class StatusPage(StateStore store, NodeIdentity node, UiConfig config, AgentBuild build)
{
    // Nothing on this page runs or is fetched, so nothing is allowed to.
    private const string Policy =
        "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

    private const string Style = """
        body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:60rem;padding:0 1rem;
        color:#1c2530;background:#fbfbfa}
        h1{font-size:1.3rem}h2{font-size:1.05rem;margin-top:2rem}table{border-collapse:collapse;width:100%}
        td,th{text-align:left;padding:.35rem .8rem .35rem 0;border-bottom:1px solid #dfe3e8;vertical-align:top}
        .passing{color:#11703c}.warning{color:#8a5a00}.critical{color:#b3261e}.dim{color:#5d6b7a}
        @media(prefers-color-scheme:dark){body{color:#dfe5ec;background:#14181d}td,th{border-color:#2c343d}
        .passing{color:#63c98f}.warning{color:#e0b04d}.critical{color:#ff8a80}.dim{color:#93a1b0}}
        """;

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
        await context.Response.WriteAsync(Render());
        return true;
    }

    private static string Escape(string text) => WebUtility.HtmlEncode(text);

    private string Render()
    {
        var view = new ReadView(store.Current, tracks: false);
        var page = new StringBuilder(4096);
        page.Append("<!doctype html><html lang=en><meta charset=utf-8>")
            .Append("<meta name=viewport content='width=device-width'>")
            .Append("<meta http-equiv=refresh content=5><title>Praetor – ").Append(Escape(node.Datacenter))
            .Append("</title><style>").Append(Style).Append("</style><h1>Praetor ").Append(Escape(build.Version))
            .Append(" <span class=dim>").Append(Escape(node.Name)).Append(" in ").Append(Escape(node.Datacenter))
            .Append(", index ").Append(view.Snapshot.Index).Append("</span></h1>");
        AppendServices(page, view);
        AppendNodes(page, view);
        return page.ToString();
    }

    private static void AppendServices(StringBuilder page, ReadView view)
    {
        page.Append("<h2>Services</h2><table><tr><th>Service<th>Instance<th>Node<th>Address<th>Health");
        foreach (var name in CatalogQueries.Services(view).Select(static s => s.Name).Distinct(StringComparer.Ordinal))
        {
            foreach (var instance in CatalogQueries.Instances(view, name, connect: false))
            {
                var service = instance.Service;
                var address = service.Address.Length > 0 ? service.Address : instance.Node.Address;
                page.Append("<tr><td>").Append(Escape(service.Name)).Append("<td>").Append(Escape(service.Id))
                    .Append("<td>").Append(Escape(instance.Node.Name)).Append("<td>").Append(Escape(address))
                    .Append(':').Append(service.Port).Append("<td class=").Append(Escape(instance.Health)).Append('>')
                    .Append(Escape(instance.Health));
                AppendTroubles(page, instance);
            }
        }

        page.Append("</table>");
    }

    private static void AppendTroubles(StringBuilder page, Instance instance)
    {
        foreach (var check in instance.Checks.Where(static c => c.Status != "passing"))
        {
            page.Append("<br><span class=dim>").Append(Escape(check.Name)).Append(": ").Append(Escape(check.Output))
                .Append("</span>");
        }
    }

    private static void AppendNodes(StringBuilder page, ReadView view)
    {
        page.Append("<h2>Nodes</h2><table><tr><th>Node<th>Address<th>Services");
        foreach (var node in CatalogQueries.Nodes(view))
        {
            page.Append("<tr><td>").Append(Escape(node.Name)).Append("<td>").Append(Escape(node.Address)).Append("<td>")
                .Append(CatalogQueries.ServicesOn(view, node.Name).Count());
        }

        page.Append("</table>");
    }
}
