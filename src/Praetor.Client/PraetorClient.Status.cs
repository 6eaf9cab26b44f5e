using System.Text.Json;

namespace Praetor.Client;

/// <summary>The servers that keep the state, as Raft's words describe them.</summary>
public sealed record RaftConfiguration
{
    /// <summary>The servers.</summary>
    public RaftServer[]? Servers { get; init; }

    /// <summary>The index of this configuration.</summary>
    public ulong Index { get; init; }
}

/// <summary>One server of a <see cref="RaftConfiguration"/>.</summary>
public sealed record RaftServer
{
    /// <summary>Its UUID.</summary>
    public string ID { get; init; } = "";

    /// <summary>Its node name.</summary>
    public string Node { get; init; } = "";

    /// <summary>Its RPC address.</summary>
    public string Address { get; init; } = "";

    /// <summary>Whether it leads.</summary>
    public bool Leader { get; init; }

    /// <summary>The protocol it speaks.</summary>
    public string? ProtocolVersion { get; init; }

    /// <summary>Whether it counts for a majority.</summary>
    public bool Voter { get; init; }
}

public sealed partial class PraetorClient
{
    /// <summary>The leader's RPC address. Empty: there is no leader.</summary>
    public async Task<string> LeaderAsync(CancellationToken stop = default) =>
        (await GetAsync("/v1/status/leader", null, ClientJson.Default.String, stop)).Value ?? "";

    /// <summary>The servers' RPC addresses.</summary>
    public async Task<string[]> PeersAsync(CancellationToken stop = default) =>
        (await GetAsync("/v1/status/peers", null, ClientJson.Default.StringArray, stop)).Value ?? [];

    /// <summary>The servers that keep the state.</summary>
    /// <exception cref="ApiException">The agent does not know them: it is not there (404), or nobody leads.</exception>
    public async Task<RaftConfiguration> RaftConfigurationAsync(
        QueryOptions? query = null, CancellationToken stop = default)
    {
        var json = await SendTextAsync(HttpMethod.Get, "/v1/operator/raft/configuration", query, null, stop);
        return JsonSerializer.Deserialize(json, ClientJson.Default.RaftConfiguration) ?? new RaftConfiguration();
    }
}
