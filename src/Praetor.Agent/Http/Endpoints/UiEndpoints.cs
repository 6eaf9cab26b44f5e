using Languages.Filters;
using Praetor.Agent.Http.Json;
using Praetor.Server.Catalog;
using Praetor.Server.Queries;
using Praetor.Server.State;

namespace Praetor.Agent.Http.Endpoints;

/// <summary>/v1/internal/ui: what pages show of the catalog; tools read it, too.</summary>
internal sealed class UiEndpoints
{
    // What /v1/internal/ui/nodes lists is filtered by these.
    private static readonly FilterFields<NodeInfo> NodeFields = new FilterFields<NodeInfo>()
        .Text("ID", static n => n.Node.Id)
        .Text("Node", static n => n.Node.Name)
        .Text("Address", static n => n.Node.Address)
        .TextMap("TaggedAddresses", static n => n.Node.TaggedAddresses)
        .TextMap("Meta", static n => n.Node.Meta)
        .Objects("Services", static n => n.Services, CatalogFilters.Service)
        .Objects("Checks", static n => n.Checks, CatalogFilters.Check);

    private readonly ServiceSummaries<byte[]> _plain = new(static s => UiJson.Element(s, pretty: false));
    private readonly ServiceSummaries<byte[]> _pretty = new(static s => UiJson.Element(s, pretty: true));

    public void AddTo(RouteTable routes)
    {
        routes.Read("/v1/internal/ui/services", RouteRows.ServiceRead, Services,
            "All services in one line each: instances, checks, tags.");
        routes.Read("/v1/internal/ui/nodes", RouteRows.NodeRead, Nodes, "All nodes with their services and checks.");
        routes.Read("/v1/internal/ui/node/{node}", RouteRows.NodeRead, Node, "A node with its services and checks.");
        routes.Read("/v1/internal/ui/catalog-overview", RouteRows.OperatorRead,
            static (request, view) => RouteRows.Json(
                request, view, json => UiJson.WriteOverview(json, CatalogOverview.Of(view))),
            "How many nodes, instances and checks there are, by health.");
    }

    private QueryAnswer Services(ApiRequest request, ReadView view)
    {
        var filter = Filter<Instance>.Parse(request.Query["filter"], CatalogFilters.Instance);
        if (filter.Error is { } error)
        {
            return RouteRows.BadFilter(view, error);
        }

        if (!filter.Value!.IsEmpty)
        {
            return RouteRows.List(request, view, ServiceSummary.Of(view, filter.Value.Matches), UiJson.WriteSummary);
        }

        var elements = (request.Pretty ? _pretty : _plain).Read(view);
        return new QueryAnswer(view.Index, 200, Reply.JsonType, UiJson.List(elements, request.Pretty));
    }

    private static QueryAnswer Nodes(ApiRequest request, ReadView view)
    {
        var filter = Filter<NodeInfo>.Parse(request.Query["filter"], NodeFields);
        return filter.Error is { } error
            ? RouteRows.BadFilter(view, error)
            : RouteRows.List(request, view, filter.Value!.Apply(NodeInfo.All(view)), UiJson.WriteNode);
    }

    private static QueryAnswer Node(ApiRequest request, ReadView view)
    {
        if (request.Name.Length == 0)
        {
            return RouteRows.Text(view, 400, "Missing node name");
        }

        return NodeInfo.Find(view, request.Name) is { } node
            ? RouteRows.Json(request, view, json => UiJson.WriteNode(json, node))
            : RouteRows.Text(view, 404, "");
    }
}
