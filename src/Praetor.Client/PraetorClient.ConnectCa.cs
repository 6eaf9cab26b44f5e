using System.Text.Json;

namespace Praetor.Client;

/// <summary>How the mesh's certificate authority is set up.</summary>
public sealed record CaConfiguration
{
    /// <summary>Who signs: <c>consul</c> (built in), <c>vault</c>, …</summary>
    public string? Provider { get; init; }

    /// <summary>The provider's settings; which there are depends on it.</summary>
    public JsonElement? Config { get; init; }

    /// <summary>What the provider keeps between restarts.</summary>
    public Dictionary<string, string>? State { get; init; }

    /// <summary>Change roots even if the old one cannot sign the new one.</summary>
    public bool ForceWithoutCrossSigning { get; init; }

    /// <summary>The index of the write that made it.</summary>
    public ulong CreateIndex { get; init; }

    /// <summary>The index of the last write.</summary>
    public ulong ModifyIndex { get; init; }
}

public sealed partial class PraetorClient
{
    /// <summary>The certificate authority's configuration.</summary>
    public Task<Answer<CaConfiguration>> CaConfigurationAsync(
        QueryOptions? query = null, CancellationToken stop = default) =>
        GetAsync("/v1/connect/ca/configuration", query, ClientJson.Default.CaConfiguration, stop);

    /// <summary>Replaces the certificate authority's configuration.</summary>
    /// <exception cref="ApiException">The agent refused.</exception>
    public Task SetCaConfigurationAsync(
        CaConfiguration configuration, QueryOptions? query = null, CancellationToken stop = default) =>
        SendTextAsync(
            HttpMethod.Put,
            "/v1/connect/ca/configuration",
            query,
            Json(configuration, ClientJson.Default.CaConfiguration),
            stop);
}
