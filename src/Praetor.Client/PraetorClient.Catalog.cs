namespace Praetor.Client;

/// <summary>A node as the catalog knows it.</summary>
public sealed record CatalogNode
{
    /// <summary>The node's UUID. Null: registered from outside without one.</summary>
    public string? ID { get; init; }

    /// <summary>The node's name.</summary>
    public string Node { get; init; } = "";

    /// <summary>The address others reach it at.</summary>
    public string Address { get; init; } = "";

    /// <summary>Where it lives.</summary>
    public string? Datacenter { get; init; }

    /// <summary>Further addresses by tag (<c>lan</c>, <c>wan</c>, …).</summary>
    public Dictionary<string, string>? TaggedAddresses { get; init; }

    /// <summary>The node's metadata.</summary>
    public Dictionary<string, string>? Meta { get; init; }

    /// <summary>The index of the write that made it.</summary>
    public ulong CreateIndex { get; init; }

    /// <summary>The index of the last write.</summary>
    public ulong ModifyIndex { get; init; }
}

/// <summary>A node with the services on it.</summary>
public sealed record CatalogNodeServices
{
    /// <summary>The node.</summary>
    public CatalogNode? Node { get; init; }

    /// <summary>Its services by id.</summary>
    public Dictionary<string, AgentService>? Services { get; init; }
}

/// <summary>One instance of a service in the catalog, with its node.</summary>
public sealed record CatalogService
{
    /// <summary>The node's UUID.</summary>
    public string? ID { get; init; }

    /// <summary>The node's name.</summary>
    public string Node { get; init; } = "";

    /// <summary>The node's address.</summary>
    public string Address { get; init; } = "";

    /// <summary>Where it lives.</summary>
    public string? Datacenter { get; init; }

    /// <summary>Further addresses of the node by tag.</summary>
    public Dictionary<string, string>? TaggedAddresses { get; init; }

    /// <summary>The node's metadata.</summary>
    public Dictionary<string, string>? NodeMeta { get; init; }

    /// <summary>The instance's id, unique on its node.</summary>
    public string ServiceID { get; init; } = "";

    /// <summary>The service's name.</summary>
    public string ServiceName { get; init; } = "";

    /// <summary>The instance's own address. Empty: the node's.</summary>
    public string? ServiceAddress { get; init; }

    /// <summary>The instance's port. 0: none.</summary>
    public int ServicePort { get; init; }

    /// <summary>Its tags.</summary>
    public string[]? ServiceTags { get; init; }

    /// <summary>Its metadata.</summary>
    public Dictionary<string, string>? ServiceMeta { get; init; }

    /// <summary>The index of the write that made it.</summary>
    public ulong CreateIndex { get; init; }

    /// <summary>The index of the last write.</summary>
    public ulong ModifyIndex { get; init; }
}

public sealed partial class PraetorClient
{
    /// <summary>The datacenters known, nearest first.</summary>
    public Task<Answer<string[]>> CatalogDatacentersAsync(CancellationToken stop = default) =>
        GetAsync("/v1/catalog/datacenters", null, ClientJson.Default.StringArray, stop);

    /// <summary>The nodes of a datacenter.</summary>
    public Task<Answer<CatalogNode[]>> CatalogNodesAsync(
        QueryOptions? query = null, CancellationToken stop = default) =>
        GetAsync("/v1/catalog/nodes", query, ClientJson.Default.CatalogNodeArray, stop);

    /// <summary>The names of all services with the tags in use.</summary>
    public Task<Answer<Dictionary<string, string[]>>> CatalogServicesAsync(
        QueryOptions? query = null, CancellationToken stop = default) =>
        GetAsync("/v1/catalog/services", query, ClientJson.Default.DictionaryStringStringArray, stop);

    /// <summary>The instances of a service.</summary>
    public Task<Answer<CatalogService[]>> CatalogServiceAsync(
        string service, QueryOptions? query = null, CancellationToken stop = default) =>
        GetAsync(
            "/v1/catalog/service/" + Uri.EscapeDataString(service),
            query,
            ClientJson.Default.CatalogServiceArray,
            stop);

    /// <summary>A node by name or id, and its services; null when there is no such node.</summary>
    public Task<Answer<CatalogNodeServices>> CatalogNodeAsync(
        string node, QueryOptions? query = null, CancellationToken stop = default) =>
        GetAsync(
            "/v1/catalog/node/" + Uri.EscapeDataString(node), query, ClientJson.Default.CatalogNodeServices, stop);
}
