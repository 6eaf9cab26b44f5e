namespace Praetor.Client.Connect;

/// <summary>What a proxy of the mesh asks its agent.</summary>
public static class ConnectCalls
{
    /// <summary>The leaf certificate of a service.</summary>
    public static Task<Answer<LeafCertificate>> ConnectLeafAsync(
        this PraetorClient client, string service, QueryOptions? query, CancellationToken stop) =>
        client.GetAsync(
            $"v1/agent/connect/ca/leaf/{Escape(service)}", query, ConnectJson.Default.LeafCertificate, stop);

    /// <summary>The roots of the mesh.</summary>
    public static Task<Answer<TrustBundle>> ConnectRootsAsync(
        this PraetorClient client, QueryOptions? query, CancellationToken stop) =>
        client.GetAsync("v1/agent/connect/ca/roots", query, ConnectJson.Default.TrustBundle, stop);

    /// <summary>The intentions that match a destination, by the destination's name.</summary>
    public static Task<Answer<Dictionary<string, List<MatchedIntention>>>> ConnectMatchAsync(
        this PraetorClient client, string destination, QueryOptions? query, CancellationToken stop) =>
        client.GetAsync(
            "v1/connect/intentions/match",
            (query ?? new QueryOptions()).With("by", "destination").With("name", destination),
            ConnectJson.Default.DictionaryStringListMatchedIntention,
            stop);

    /// <summary>All intentions, for the sake of their index: agents before 1.9 give none for a match.</summary>
    public static Task<Answer<List<MatchedIntention>>> ConnectIntentionsAsync(
        this PraetorClient client, QueryOptions? query, CancellationToken stop) =>
        client.GetAsync("v1/connect/intentions", query, ConnectJson.Default.ListMatchedIntention, stop);

    /// <summary>Asks whether a client may connect to a service of this agent.</summary>
    public static async Task<AuthorizeAnswer> ConnectAuthorizeAsync(
        this PraetorClient client, AuthorizeQuestion question, CancellationToken stop)
    {
        var body = PraetorClient.Json(question, ConnectJson.Default.AuthorizeQuestion);
        var text = await client.SendTextAsync(HttpMethod.Post, "v1/agent/connect/authorize", null, body, stop);
        return System.Text.Json.JsonSerializer.Deserialize(text, ConnectJson.Default.AuthorizeAnswer)
            ?? new AuthorizeAnswer();
    }

    /// <summary>A proxy's registration at this agent.</summary>
    public static Task<Answer<ProxyRegistration>> ConnectProxyAsync(
        this PraetorClient client, string id, QueryOptions? query, CancellationToken stop) =>
        client.GetAsync($"v1/agent/service/{Escape(id)}", query, ConnectJson.Default.ProxyRegistration, stop);

    /// <summary>All registrations at this agent, by id.</summary>
    public static Task<Answer<Dictionary<string, ProxyRegistration>>> ConnectServicesAsync(
        this PraetorClient client, CancellationToken stop) =>
        client.GetAsync("v1/agent/services", null, ConnectJson.Default.DictionaryStringProxyRegistration, stop);

    /// <summary>The healthy instances that speak for a service in the mesh.</summary>
    public static Task<Answer<List<MeshInstance>>> ConnectHealthAsync(
        this PraetorClient client, string service, QueryOptions? query, CancellationToken stop) =>
        client.GetAsync(
            $"v1/health/connect/{Escape(service)}",
            (query ?? new QueryOptions()).With("passing", "1"),
            ConnectJson.Default.ListMeshInstance,
            stop);

    /// <summary>Runs a prepared query for instances that speak for its service in the mesh.</summary>
    public static Task<Answer<MeshQueryAnswer>> ConnectQueryAsync(
        this PraetorClient client, string query, QueryOptions? options, CancellationToken stop) =>
        client.GetAsync(
            $"v1/query/{Escape(query)}/execute",
            (options ?? new QueryOptions()).With("connect", "true"),
            ConnectJson.Default.MeshQueryAnswer,
            stop);

    /// <summary>Registers a proxy at this agent.</summary>
    public static Task ConnectRegisterAsync(
        this PraetorClient client, SelfRegistration registration, CancellationToken stop) =>
        client.SendTextAsync(
            HttpMethod.Put,
            "v1/agent/service/register",
            null,
            PraetorClient.Json(registration, ConnectJson.Default.SelfRegistration),
            stop);

    /// <summary>Removes a registration from this agent.</summary>
    public static Task ConnectDeregisterAsync(this PraetorClient client, string id, CancellationToken stop) =>
        client.SendTextAsync(HttpMethod.Put, $"v1/agent/service/deregister/{Escape(id)}", null, null, stop);

    /// <summary>Says that a check of this agent passes.</summary>
    public static Task ConnectPassAsync(this PraetorClient client, string checkId, CancellationToken stop) =>
        client.SendTextAsync(HttpMethod.Put, $"v1/agent/check/pass/{Escape(checkId)}", null, null, stop);

    private static string Escape(string name) => Uri.EscapeDataString(name);
}
