using System.Text.Json;
using Languages.Filters;
using Praetor.Agent.Http.Json;
using Praetor.Agent.Membership;
using Praetor.Server.Catalog;
using Praetor.Server.Coordinates;
using Praetor.Server.Model;
using Praetor.Server.Queries;
using Praetor.Server.State;

namespace Praetor.Agent.Http.Endpoints;

/// <summary>/v1/catalog, the reading half.</summary>
internal static class CatalogReads
{
    public static void AddTo(RouteTable routes, Datacenters datacenters)
    {
        routes.Add(new Route
        {
            Method = "GET",
            Pattern = "/v1/catalog/datacenters",
            Acl = AclRequirement.None,
            Scope = RouteScope.AskedServer,
            Handle = request => ValueTask.FromResult(Reply.Json(request.Pretty, json =>
            {
                json.WriteStartArray();
                foreach (var name in datacenters.Names())
                {
                    json.WriteStringValue(name);
                }

                json.WriteEndArray();
            })),
            Description = "All known datacenters, the nearest first.",
        });
        routes.Read("/v1/catalog/nodes", RouteRows.NodeRead, Nodes, "All nodes.");
        routes.Read("/v1/catalog/services", RouteRows.ServiceRead, Services,
            "The names of all services with their tags.");
        routes.Read("/v1/catalog/service/{service}", RouteRows.ServiceRead,
            (request, view) => Service(request, view, connect: false), "The instances of a service with their nodes.");
        routes.Read("/v1/catalog/connect/{service}", RouteRows.ServiceRead,
            (request, view) => Service(request, view, connect: true),
            "The instances that mesh connections to a service reach.");
        routes.Read("/v1/catalog/node/{node}", RouteRows.NodeRead, NodeWithServices, "A node and its services by id.");
        routes.Read("/v1/catalog/node-services/{node}", RouteRows.NodeRead, NodeServiceList,
            "A node and a list of its services.");
        routes.Read("/v1/catalog/gateway-services/{gateway}", RouteRows.ServiceRead,
            static (request, view) =>
            {
                if (request.Name.Length == 0)
                {
                    return RouteRows.Text(view, 400, "Missing gateway name");
                }

                view.NotePrefix(Tables.ConfigByName, []);
                return RouteRows.Json(request, view, static json => json.WriteNullValue());
            },
            "The services behind a gateway.");
    }

    private static QueryAnswer Nodes(ApiRequest request, ReadView view)
    {
        var filter = Filter<NodeRecord>.Parse(request.Query["filter"], CatalogFilters.Node);
        if (filter.Error is { } error)
        {
            return RouteRows.BadFilter(view, error);
        }

        var meta = NodeMeta(request.Query);
        var nodes = filter.Value!.Apply(CatalogQueries.Nodes(view).Where(n => HasMeta(n, meta)));
        return RouteRows.List(
            request, view, CoordinateQueries.Nearest(view, nodes, static n => n.Name, request.Near),
            (json, node) => CatalogJson.WriteNode(json, WanAddresses.Of(request, node)));
    }

    private static QueryAnswer Services(ApiRequest request, ReadView view)
    {
        var filter = Filter<CatalogEntry>.Parse(request.Query["filter"], CatalogFilters.Entry);
        if (filter.Error is { } error)
        {
            return RouteRows.BadFilter(view, error);
        }

        var meta = NodeMeta(request.Query);
        var needsNode = meta.Count > 0 || !filter.Value!.IsEmpty;
        var tags = new SortedDictionary<string, SortedSet<string>>(StringComparer.Ordinal);
        foreach (var service in CatalogQueries.Services(view))
        {
            if (needsNode && !(Entry(view, service) is { } entry
                && HasMeta(entry.Node, meta) && filter.Value!.Matches(entry)))
            {
                continue;
            }

            if (!tags.TryGetValue(service.Name, out var known))
            {
                tags.Add(service.Name, known = new SortedSet<string>(StringComparer.Ordinal));
            }

            known.UnionWith(service.Tags ?? []);
        }

        return RouteRows.Json(request, view, json =>
        {
            json.WriteStartObject();
            foreach (var (name, known) in tags)
            {
                CatalogJson.WriteTags(json, name, [.. known]);
            }

            json.WriteEndObject();
        });
    }

    private static QueryAnswer Service(ApiRequest request, ReadView view, bool connect)
    {
        if (request.Name.Length == 0)
        {
            return RouteRows.Text(view, 400, "Missing service name");
        }

        var filter = Filter<CatalogEntry>.Parse(request.Query["filter"], CatalogFilters.Entry);
        if (filter.Error is { } error)
        {
            return RouteRows.BadFilter(view, error);
        }

        var meta = NodeMeta(request.Query);
        var tags = request.Query.All("tag").ToList();
        var entries = CatalogQueries.Instances(view, request.Name, connect)
            .Where(i => HasMeta(i.Node, meta) && HasTags(i.Service, tags))
            .Select(static i => new CatalogEntry(i.Node, i.Service));
        return RouteRows.List(
            request, view,
            CoordinateQueries.Nearest(view, filter.Value!.Apply(entries), static e => e.Node.Name, request.Near),
            (json, entry) => CatalogJson.WriteCatalogService(
                json, WanAddresses.Of(request, entry.Node), WanAddresses.Of(request, entry.Service)));
    }

    private static QueryAnswer NodeWithServices(ApiRequest request, ReadView view)
    {
        var (node, services, problem) = OnNode(request, view);
        if (problem is not null)
        {
            return problem;
        }

        return RouteRows.Json(request, view, json =>
        {
            if (node is null)
            {
                json.WriteNullValue();
                return;
            }

            json.WriteStartObject();
            json.WritePropertyName("Node");
            CatalogJson.WriteNode(json, WanAddresses.Of(request, node));
            json.WriteStartObject("Services");
            foreach (var service in services.OrderBy(s => s.Id, StringComparer.Ordinal))
            {
                json.WritePropertyName(service.Id);
                CatalogJson.WriteNodeService(json, WanAddresses.Of(request, service));
            }

            json.WriteEndObject();
            json.WriteEndObject();
        });
    }

    private static QueryAnswer NodeServiceList(ApiRequest request, ReadView view)
    {
        var (node, services, problem) = OnNode(request, view);
        if (problem is not null)
        {
            return problem;
        }

        return RouteRows.Json(request, view, json =>
        {
            json.WriteStartObject();
            json.WritePropertyName("Node");
            if (node is null)
            {
                json.WriteNullValue();
            }
            else
            {
                CatalogJson.WriteNode(json, WanAddresses.Of(request, node));
            }

            WriteListOrNull(json, [.. services.Select(service => WanAddresses.Of(request, service))]);
            json.WriteEndObject();
        });
    }

    private static void WriteListOrNull(Utf8JsonWriter json, List<ServiceRecord> services)
    {
        json.WritePropertyName("Services");
        if (services.Count == 0)
        {
            json.WriteNullValue();
            return;
        }

        json.WriteStartArray();
        foreach (var service in services)
        {
            CatalogJson.WriteNodeService(json, service);
        }

        json.WriteEndArray();
    }

    private static (NodeRecord? Node, List<ServiceRecord> Services, QueryAnswer? Problem) OnNode(
        ApiRequest request, ReadView view)
    {
        if (request.Name.Length == 0)
        {
            return (null, [], RouteRows.Text(view, 400, "Missing node name"));
        }

        var filter = Filter<ServiceRecord>.Parse(request.Query["filter"], CatalogFilters.Service);
        if (filter.Error is { } error)
        {
            return (null, [], RouteRows.BadFilter(view, error));
        }

        var node = CatalogQueries.Node(view, request.Name) ?? CatalogQueries.NodeById(view, request.Name);
        var services = node is null ? [] : filter.Value!.Apply(CatalogQueries.ServicesOn(view, node.Name)).ToList();
        return (node, services, null);
    }

    private static CatalogEntry? Entry(ReadView view, ServiceRecord service) =>
        CatalogQueries.Node(view, service.Node) is { } node ? new CatalogEntry(node, service) : null;

    /// <summary>The metadata that <c>node-meta=key:value</c> asks for.</summary>
    internal static List<KeyValuePair<string, string>> NodeMeta(QueryParameters query) =>
        query.All("node-meta").Select(static text =>
        {
            var colon = text.IndexOf(':');
            return colon < 0
                ? new KeyValuePair<string, string>(text, "")
                : new KeyValuePair<string, string>(text[..colon], text[(colon + 1)..]);
        }).ToList();

    internal static bool HasMeta(NodeRecord node, List<KeyValuePair<string, string>> wanted)
    {
        foreach (var (key, value) in wanted)
        {
            if (node.Meta is null || !node.Meta.TryGetValue(key, out var has) || has != value)
            {
                return false;
            }
        }

        return true;
    }

    // Tags are compared regardless of case, as in Consul.
    internal static bool HasTags(ServiceRecord service, List<string> wanted) =>
        wanted.TrueForAll(tag => service.Tags?.Contains(tag, StringComparer.OrdinalIgnoreCase) == true);
}
