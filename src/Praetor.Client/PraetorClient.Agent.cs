using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Praetor.Client;

/// <summary>A member of the gossip pool.</summary>
public sealed record AgentMember
{
    /// <summary>The node's name.</summary>
    public string Name { get; init; } = "";

    /// <summary>Its gossip address.</summary>
    public string Addr { get; init; } = "";

    /// <summary>Its gossip port.</summary>
    public int Port { get; init; }

    /// <summary>What it says of itself: role, build, datacenter, …</summary>
    public Dictionary<string, string> Tags { get; init; } = [];

    /// <summary>0 none, 1 alive, 2 leaving, 3 left, 4 failed.</summary>
    public int Status { get; init; }

    /// <summary>A tag, or empty.</summary>
    public string Tag(string name) => Tags.GetValueOrDefault(name, "");
}

/// <summary>What an agent says of itself.</summary>
public sealed record AgentSelf
{
    /// <summary>Identity: NodeName, NodeID, Datacenter, Server, Version, …</summary>
    public JsonElement Config { get; init; }

    /// <summary>Figures by section.</summary>
    public Dictionary<string, Dictionary<string, string>>? Stats { get; init; }

    /// <summary>Its own row in the gossip pool.</summary>
    public AgentMember? Member { get; init; }
}

/// <summary>An address and a port.</summary>
public sealed record ServiceAddress
{
    /// <summary>IP address or name.</summary>
    public string? Address { get; init; }

    /// <summary>The port. 0: none.</summary>
    public int Port { get; init; }
}

/// <summary>A service instance as its agent knows it.</summary>
public sealed record AgentService
{
    /// <summary><c>connect-proxy</c>, <c>mesh-gateway</c>, … Empty: an ordinary service.</summary>
    public string? Kind { get; init; }

    /// <summary>Unique on its agent.</summary>
    public string ID { get; init; } = "";

    /// <summary>The service's name.</summary>
    public string Service { get; init; } = "";

    /// <summary>Its tags.</summary>
    public string[]? Tags { get; init; }

    /// <summary>Its metadata.</summary>
    public Dictionary<string, string>? Meta { get; init; }

    /// <summary>Its port. 0: none.</summary>
    public int Port { get; init; }

    /// <summary>Its address. Empty: the node's.</summary>
    public string? Address { get; init; }

    /// <summary>Further addresses by tag.</summary>
    public Dictionary<string, ServiceAddress>? TaggedAddresses { get; init; }

    /// <summary>What it is a proxy of. Null: it is none.</summary>
    public AgentServiceProxy? Proxy { get; init; }

    /// <summary>The hash that a blocking read of this service waits on.</summary>
    public string? ContentHash { get; init; }
}

/// <summary>What a proxy stands in front of.</summary>
public sealed record AgentServiceProxy
{
    /// <summary>The name of the service it represents.</summary>
    public string? DestinationServiceName { get; init; }

    /// <summary>The id of the instance it represents. Empty: none in particular.</summary>
    public string? DestinationServiceID { get; init; }
}

/// <summary>What is sent to register a service with the local agent; null members are left out.</summary>
public sealed record ServiceRegistration
{
    /// <summary><c>connect-proxy</c>, <c>mesh-gateway</c>, … Null: an ordinary service.</summary>
    public string? Kind { get; init; }

    /// <summary>Unique on the agent. Null: the name.</summary>
    public string? ID { get; init; }

    /// <summary>The service's name.</summary>
    public string Name { get; init; } = "";

    /// <summary>Its tags.</summary>
    public IReadOnlyList<string>? Tags { get; init; }

    /// <summary>Its port. 0: none.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public int Port { get; init; }

    /// <summary>Its address. Null: the node's.</summary>
    public string? Address { get; init; }

    /// <summary>Further addresses by tag.</summary>
    public IReadOnlyDictionary<string, ServiceAddress>? TaggedAddresses { get; init; }

    /// <summary>Its metadata.</summary>
    public IReadOnlyDictionary<string, string>? Meta { get; init; }
}

public sealed partial class PraetorClient
{
    /// <summary>What the agent says of itself.</summary>
    public async Task<AgentSelf> AgentSelfAsync(CancellationToken stop = default) =>
        (await GetAsync("/v1/agent/self", null, ClientJson.Default.AgentSelf, stop)).Value ?? new AgentSelf();

    /// <summary>The members of the gossip pool.</summary>
    /// <param name="wan">The pool of servers of all datacenters instead of the local one.</param>
    /// <param name="segment">Members of a network segment. Null: what the agent gives without being asked for
    /// one.</param>
    /// <param name="filter">Members that fit this expression. Null: all.</param>
    /// <param name="stop">Gives up.</param>
    public async Task<AgentMember[]> MembersAsync(
        bool wan = false, string? segment = null, string? filter = null, CancellationToken stop = default)
    {
        var query = new QueryOptions { Filter = filter };
        query = segment is null ? query : query.With("segment", segment);
        query = wan ? query.With("wan", "1") : query;
        return (await GetAsync("/v1/agent/members", query, ClientJson.Default.AgentMemberArray, stop)).Value ?? [];
    }

    /// <summary>The services registered with this agent, by id.</summary>
    public async Task<Dictionary<string, AgentService>> AgentServicesAsync(
        QueryOptions? query = null, CancellationToken stop = default) =>
        (await GetAsync("/v1/agent/services", query, ClientJson.Default.DictionaryStringAgentService, stop)).Value
        ?? [];

    /// <summary>The checks registered with this agent, by id.</summary>
    public async Task<Dictionary<string, HealthCheck>> AgentChecksAsync(
        QueryOptions? query = null, CancellationToken stop = default) =>
        (await GetAsync("/v1/agent/checks", query, ClientJson.Default.DictionaryStringHealthCheck, stop)).Value ?? [];

    /// <summary>Registers a service with this agent.</summary>
    /// <exception cref="ApiException">The agent refused.</exception>
    public Task RegisterServiceAsync(
        ServiceRegistration service, QueryOptions? query = null, CancellationToken stop = default) =>
        PutAsync("/v1/agent/service/register", query, Json(service, ClientJson.Default.ServiceRegistration), stop);

    /// <summary>Registers a service given as JSON, with everything a definition can hold.</summary>
    /// <exception cref="ApiException">The agent refused.</exception>
    public Task RegisterServiceAsync(
        JsonElement service, QueryOptions? query = null, CancellationToken stop = default) =>
        PutAsync("/v1/agent/service/register", query, Json(service, ClientJson.Default.JsonElement), stop);

    /// <summary>Removes a service from this agent.</summary>
    /// <exception cref="ApiException">The agent refused.</exception>
    public Task DeregisterServiceAsync(string id, QueryOptions? query = null, CancellationToken stop = default) =>
        PutAsync("/v1/agent/service/deregister/" + Uri.EscapeDataString(id), query, null, stop);

    /// <summary>Switches the node's maintenance on or off.</summary>
    /// <exception cref="ApiException">The agent refused.</exception>
    public Task SetNodeMaintenanceAsync(bool enable, string reason = "", CancellationToken stop = default) =>
        PutAsync("/v1/agent/maintenance", Maintenance(enable, reason), null, stop);

    /// <summary>Switches a service's maintenance on or off.</summary>
    /// <exception cref="ApiException">The agent refused; status 404: there is no such service.</exception>
    public Task SetServiceMaintenanceAsync(
        string id, bool enable, string reason = "", CancellationToken stop = default) =>
        PutAsync(
            "/v1/agent/service/maintenance/" + Uri.EscapeDataString(id), Maintenance(enable, reason), null, stop);

    /// <summary>Makes the agent read its configuration files again.</summary>
    /// <exception cref="ApiException">The files are not valid; nothing was changed.</exception>
    public Task ReloadAsync(CancellationToken stop = default) => PutAsync("/v1/agent/reload", null, null, stop);

    /// <summary>Makes the agent leave its cluster and end.</summary>
    /// <exception cref="ApiException">The agent refused.</exception>
    public Task LeaveAsync(CancellationToken stop = default) => PutAsync("/v1/agent/leave", null, null, stop);

    /// <summary>Makes the agent join the cluster of another one.</summary>
    /// <exception cref="ApiException">It did not come about.</exception>
    public Task JoinAsync(string address, bool wan = false, CancellationToken stop = default) =>
        PutAsync(
            "/v1/agent/join/" + Uri.EscapeDataString(address),
            wan ? new QueryOptions().With("wan", "1") : null,
            null,
            stop);

    /// <summary>Declares a failed member as left; with <paramref name="prune"/> it is forgotten as well, with
    /// <paramref name="wan"/> it is one of the pool of all datacenters' servers.</summary>
    /// <exception cref="ApiException">The agent refused, for example because there is no such member.</exception>
    public Task ForceLeaveAsync(
        string node, bool prune = false, bool wan = false, CancellationToken stop = default)
    {
        var query = prune ? new QueryOptions().With("prune", "1") : new QueryOptions();
        return PutAsync(
            "/v1/agent/force-leave/" + Uri.EscapeDataString(node), wan ? query.With("wan", "1") : query, null, stop);
    }

    /// <summary>The agent's log as it is written, line after line, until the caller stops or the agent ends.</summary>
    /// <exception cref="ApiException">The agent refused, for example an unknown level.</exception>
    public async IAsyncEnumerable<string> MonitorAsync(
        string level, bool json, [EnumeratorCancellation] CancellationToken stop)
    {
        var query = new QueryOptions().With("loglevel", level);
        query = json ? query.With("logjson", "true") : query;
        await using var answer = await AskAsync(HttpMethod.Get, "/v1/agent/monitor", query, null, stop);
        await RequireOkAsync(answer, stop);
        using var lines = new StreamReader(answer.Open());
        while (await lines.ReadLineAsync(stop) is { } line)
        {
            yield return line;
        }
    }

    private static QueryOptions Maintenance(bool enable, string reason) =>
        new QueryOptions().With("enable", enable ? "true" : "false").With("reason", reason);

    private Task<string> PutAsync(string path, QueryOptions? query, HttpContent? body, CancellationToken stop) =>
        SendTextAsync(HttpMethod.Put, path, query, body, stop);
}
