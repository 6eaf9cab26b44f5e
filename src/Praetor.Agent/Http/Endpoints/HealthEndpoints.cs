using Languages.Filters;
using Praetor.Agent.Http.Json;
using Praetor.Server.Catalog;
using Praetor.Server.Coordinates;
using Praetor.Server.Model;
using Praetor.Server.Queries;
using Praetor.Server.State;

namespace Praetor.Agent.Http.Endpoints;

/// <summary>/v1/health: who is well.</summary>
internal static class HealthEndpoints
{
    public static void AddTo(RouteTable routes)
    {
        routes.Read("/v1/health/node/{node}", RouteRows.NodeRead, Node, "The checks on a node.");
        routes.Read("/v1/health/checks/{service}", RouteRows.ServiceRead, Checks,
            "The checks of a service's instances.");
        routes.Read("/v1/health/state/{state}", RouteRows.NodeRead, InState, "All checks with a status, or any.");
        routes.Read("/v1/health/service/{service}", RouteRows.ServiceRead,
            (request, view) => Service(request, view, connect: false),
            "The instances of a service with nodes and checks.");
        routes.Read("/v1/health/connect/{service}", RouteRows.ServiceRead,
            (request, view) => Service(request, view, connect: true),
            "The instances that mesh connections to a service reach, with nodes and checks.");
        routes.Read("/v1/health/ingress/{service}", RouteRows.ServiceRead,
            static (request, view) =>
            {
                view.NotePrefix(Tables.ConfigByName, []);
                return RouteRows.List(request, view, Array.Empty<Instance>(), CatalogJson.WriteInstance);
            },
            "The ingress gateways of a service.");
    }

    private static QueryAnswer Node(ApiRequest request, ReadView view) => request.Name.Length == 0
        ? RouteRows.Text(view, 400, "Missing node name")
        : ListChecks(request, view, CatalogQueries.ChecksOn(view, request.Name));

    private static QueryAnswer Checks(ApiRequest request, ReadView view) => request.Name.Length == 0
        ? RouteRows.Text(view, 400, "Missing service name")
        : ListChecks(request, view, CatalogQueries.ChecksOfService(view, request.Name));

    private static QueryAnswer InState(ApiRequest request, ReadView view)
    {
        if (request.Name.Length == 0)
        {
            return RouteRows.Text(view, 400, "Missing check state");
        }

        return ListChecks(request, view, CatalogQueries.ChecksIn(view, request.Name));
    }

    private static QueryAnswer ListChecks(ApiRequest request, ReadView view, IEnumerable<CheckRecord> checks)
    {
        var filter = Filter<CheckRecord>.Parse(request.Query["filter"], CatalogFilters.Check);
        if (filter.Error is { } error)
        {
            return RouteRows.BadFilter(view, error);
        }

        var meta = CatalogReads.NodeMeta(request.Query);
        if (meta.Count > 0)
        {
            checks = checks.Where(c => CatalogQueries.Node(view, c.Node) is { } node
                && CatalogReads.HasMeta(node, meta));
        }

        var listed = CoordinateQueries.Nearest(view, filter.Value!.Apply(checks), static c => c.Node, request.Near);
        return RouteRows.List(
            request, view, listed, static (json, check) => CatalogJson.WriteCheck(json, check));
    }

    private static QueryAnswer Service(ApiRequest request, ReadView view, bool connect)
    {
        if (request.Name.Length == 0)
        {
            return RouteRows.Text(view, 400, "Missing service name");
        }

        var filter = Filter<Instance>.Parse(request.Query["filter"], CatalogFilters.Instance);
        if (filter.Error is { } error)
        {
            return RouteRows.BadFilter(view, error);
        }

        if (!TryPassing(request.Query, out var passing))
        {
            return RouteRows.Text(view, 400, "Invalid value for ?passing");
        }

        var meta = CatalogReads.NodeMeta(request.Query);
        var tags = request.Query.All("tag").ToList();
        var instances = CatalogQueries.Instances(view, request.Name, connect)
            .Where(i => CatalogReads.HasMeta(i.Node, meta) && CatalogReads.HasTags(i.Service, tags))
            .Where(i => !passing || i.Health == CheckStatuses.Passing);
        return RouteRows.List(
            request, view,
            CoordinateQueries.Nearest(view, filter.Value!.Apply(instances), static i => i.Node.Name, request.Near),
            (json, instance) => CatalogJson.WriteInstance(json, WanAddresses.Of(request, instance)));
    }

    // ?passing alone and ?passing=true filter, ?passing=false does not; the words are those of Go's ParseBool.
    private static bool TryPassing(QueryParameters query, out bool passing)
    {
        passing = query.Has("passing");
        switch (query["passing"])
        {
            case "" or "1" or "t" or "T" or "true" or "TRUE" or "True":
                return true;
            case "0" or "f" or "F" or "false" or "FALSE" or "False":
                passing = false;
                return true;
            default:
                return false;
        }
    }
}
