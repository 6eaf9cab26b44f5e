using System.Net;
using System.Text;
using Praetor.Agent.Local;
using Praetor.Server.Catalog;
using Praetor.Server.State;

namespace Praetor.Agent.Runtime;

/// <summary>The text of the status page, made where the state is.</summary>
internal sealed class StatusPageText(StateStore store, NodeIdentity node, AgentBuild build)
{
    private const string Style = """
        body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:60rem;padding:0 1rem;
        color:#1c2530;background:#fbfbfa}
        h1{font-size:1.3rem}h2{font-size:1.05rem;margin-top:2rem}table{border-collapse:collapse;width:100%}
        td,th{text-align:left;padding:.35rem .8rem .35rem 0;border-bottom:1px solid #dfe3e8;vertical-align:top}
        .passing{color:#11703c}.warning{color:#8a5a00}.critical{color:#b3261e}.dim{color:#5d6b7a}
        @media(prefers-color-scheme:dark){body{color:#dfe5ec;background:#14181d}td,th{border-color:#2c343d}
        .passing{color:#63c98f}.warning{color:#e0b04d}.critical{color:#ff8a80}.dim{color:#93a1b0}}
        """;

    private static string Escape(string text) => WebUtility.HtmlEncode(text);

    /// <summary>The page as everything is now.</summary>
    public string Render()
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
