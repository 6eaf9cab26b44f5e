using Praetor.Agent.Cluster;

namespace Praetor.Agent.Http.Endpoints;

/// <summary>/v1/status: who leads, and who takes part.</summary>
internal static class StatusEndpoints
{
    /// <param name="routes">Where the rows go.</param>
    /// <param name="own">This server's RPC address, <c>ip:8300</c>.</param>
    /// <param name="cluster">The servers. Null: this one is alone, and leads.</param>
    public static void AddTo(RouteTable routes, string own, ClusterNode? cluster)
    {
        Add(routes, "/v1/status/leader", "The address of the leader.",
            json => json.WriteStringValue(cluster is null ? own : cluster.Leader?.Rpc ?? ""));
        Add(routes, "/v1/status/peers", "The addresses of all servers.", json =>
        {
            json.WriteStartArray();
            foreach (var address in cluster?.Servers().Select(static s => s.Address) ?? [own])
            {
                json.WriteStringValue(address);
            }

            json.WriteEndArray();
        });
    }

    // Each server says what it knows, also when nobody leads.
    private static void Add(
        RouteTable routes, string path, string description, Action<System.Text.Json.Utf8JsonWriter> write) =>
        routes.Add(new Route
        {
            Method = "GET",
            Pattern = path,
            Acl = AclRequirement.None,
            AnyServer = true,
            Handle = request => ValueTask.FromResult(Reply.Json(request.Pretty, write)),
            Description = description,
        });
}
