namespace Praetor.Agent.Http.Endpoints;

/// <summary>/v1/status: who leads, and who takes part.</summary>
internal static class StatusEndpoints
{
    /// <param name="routes">Where the rows go.</param>
    /// <param name="serverAddress">This server's RPC address, <c>ip:8300</c>; it leads, being the only one.</param>
    public static void AddTo(RouteTable routes, string serverAddress)
    {
        routes.Handle("GET", "/v1/status/leader", AclRequirement.None,
            request => ValueTask.FromResult(Reply.Json(request.Pretty, json => json.WriteStringValue(serverAddress))),
            "The address of the leader.");
        routes.Handle("GET", "/v1/status/peers", AclRequirement.None,
            request => ValueTask.FromResult(Reply.Json(request.Pretty, json =>
            {
                json.WriteStartArray();
                json.WriteStringValue(serverAddress);
                json.WriteEndArray();
            })),
            "The addresses of all servers.");
    }
}
