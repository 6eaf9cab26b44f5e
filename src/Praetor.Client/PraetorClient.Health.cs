namespace Praetor.Client;

/// <summary>A health check and its last result.</summary>
public sealed record HealthCheck
{
    /// <summary>The node it stands on.</summary>
    public string? Node { get; init; }

    /// <summary>The check's id, unique on its node.</summary>
    public string CheckID { get; init; } = "";

    /// <summary>A name for people.</summary>
    public string? Name { get; init; }

    /// <summary><c>passing</c>, <c>warning</c> or <c>critical</c>.</summary>
    public string Status { get; init; } = "";

    /// <summary>Free text of whoever made the check; the reason of a maintenance.</summary>
    public string? Notes { get; init; }

    /// <summary>What the last run printed.</summary>
    public string? Output { get; init; }

    /// <summary>The instance it is about. Empty: the node.</summary>
    public string? ServiceID { get; init; }

    /// <summary>The name of the service it is about. Empty: the node.</summary>
    public string? ServiceName { get; init; }

    /// <summary><c>http</c>, <c>tcp</c>, <c>ttl</c>, …</summary>
    public string? Type { get; init; }
}

/// <summary>An instance with its node and everything that says how healthy it is.</summary>
public sealed record ServiceEntry
{
    /// <summary>The node.</summary>
    public CatalogNode? Node { get; init; }

    /// <summary>The instance.</summary>
    public AgentService? Service { get; init; }

    /// <summary>Checks of the instance and of its node.</summary>
    public HealthCheck[]? Checks { get; init; }
}

public sealed partial class PraetorClient
{
    /// <summary>The instances of a service with their checks.</summary>
    /// <param name="service">The service's name.</param>
    /// <param name="passingOnly">Leave out instances with a check that is not passing.</param>
    /// <param name="query">Consistency, datacenter, blocking, filter.</param>
    /// <param name="stop">Gives up.</param>
    public Task<Answer<ServiceEntry[]>> HealthServiceAsync(
        string service, bool passingOnly = false, QueryOptions? query = null, CancellationToken stop = default) =>
        GetAsync(
            "/v1/health/service/" + Uri.EscapeDataString(service),
            passingOnly ? (query ?? new()).With("passing", "1") : query,
            ClientJson.Default.ServiceEntryArray,
            stop);

    /// <summary>The checks of a service's instances.</summary>
    public Task<Answer<HealthCheck[]>> HealthChecksAsync(
        string service, QueryOptions? query = null, CancellationToken stop = default) =>
        GetAsync(
            "/v1/health/checks/" + Uri.EscapeDataString(service), query, ClientJson.Default.HealthCheckArray, stop);

    /// <summary>The checks on a node.</summary>
    public Task<Answer<HealthCheck[]>> HealthNodeAsync(
        string node, QueryOptions? query = null, CancellationToken stop = default) =>
        GetAsync("/v1/health/node/" + Uri.EscapeDataString(node), query, ClientJson.Default.HealthCheckArray, stop);

    /// <summary>The checks in a state: <c>passing</c>, <c>warning</c>, <c>critical</c> or <c>any</c>.</summary>
    public Task<Answer<HealthCheck[]>> HealthStateAsync(
        string state, QueryOptions? query = null, CancellationToken stop = default) =>
        GetAsync("/v1/health/state/" + Uri.EscapeDataString(state), query, ClientJson.Default.HealthCheckArray, stop);
}
