using System.Globalization;
using System.Text.Json;

namespace Praetor.Client;

/// <summary>How the leader looks after the servers.</summary>
public sealed record AutopilotConfiguration
{
    /// <summary>Whether servers that failed are taken out when others have taken their place.</summary>
    public bool CleanupDeadServers { get; init; }

    /// <summary>How late the leader's last sign may be at a healthy server, such as <c>200ms</c>.</summary>
    public string LastContactThreshold { get; init; } = "";

    /// <summary>How many commands a healthy server may be behind the leader.</summary>
    public ulong MaxTrailingLogs { get; init; }

    /// <summary>With fewer servers than this no failed one is taken out.</summary>
    public ulong MinQuorum { get; init; }

    /// <summary>How long a new server must have been healthy before it votes, such as <c>10s</c>.</summary>
    public string ServerStabilizationTime { get; init; } = "";

    /// <summary>Of Consul Enterprise.</summary>
    public string RedundancyZoneTag { get; init; } = "";

    /// <summary>Of Consul Enterprise.</summary>
    public bool DisableUpgradeMigration { get; init; }

    /// <summary>Of Consul Enterprise.</summary>
    public string UpgradeVersionTag { get; init; } = "";

    /// <summary>The index of the write that made it.</summary>
    public ulong CreateIndex { get; init; }

    /// <summary>The index of the last write.</summary>
    public ulong ModifyIndex { get; init; }
}

/// <summary>How the servers are.</summary>
public sealed record AutopilotState
{
    /// <summary>Whether all are healthy.</summary>
    public bool Healthy { get; init; }

    /// <summary>How many voters may fail.</summary>
    public int FailureTolerance { get; init; }

    /// <summary>The same here; in Consul Enterprise zones count, too.</summary>
    public int OptimisticFailureTolerance { get; init; }

    /// <summary>The servers by id.</summary>
    public Dictionary<string, AutopilotServer>? Servers { get; init; }

    /// <summary>The leader's id. Empty: nobody leads.</summary>
    public string Leader { get; init; } = "";

    /// <summary>The ids of those that count for a majority.</summary>
    public string[]? Voters { get; init; }
}

/// <summary>How one server is.</summary>
public sealed record AutopilotServer
{
    /// <summary>Its UUID.</summary>
    public string ID { get; init; } = "";

    /// <summary>Its node name.</summary>
    public string Name { get; init; } = "";

    /// <summary>Its RPC address.</summary>
    public string Address { get; init; } = "";

    /// <summary>What membership says: <c>alive</c>, <c>failed</c>, <c>left</c>, …</summary>
    public string NodeStatus { get; init; } = "";

    /// <summary>Its version.</summary>
    public string Version { get; init; } = "";

    /// <summary>How late the leader's last sign was, such as <c>12ms</c>.</summary>
    public string LastContact { get; init; } = "";

    /// <summary>The number of the leadership that it knows.</summary>
    public ulong LastTerm { get; init; }

    /// <summary>The index of its state.</summary>
    public ulong LastIndex { get; init; }

    /// <summary>Whether it is healthy.</summary>
    public bool Healthy { get; init; }

    /// <summary>Since when that is so, in RFC 3339.</summary>
    public string StableSince { get; init; } = "";

    /// <summary>Whether it never votes; Consul Enterprise.</summary>
    public bool ReadReplica { get; init; }

    /// <summary><c>leader</c>, <c>voter</c> or <c>non-voter</c>.</summary>
    public string Status { get; init; } = "";

    /// <summary>Its node's metadata.</summary>
    public Dictionary<string, string>? Meta { get; init; }

    /// <summary>What it is meant to be: <c>voter</c>.</summary>
    public string NodeType { get; init; } = "";
}

/// <summary>What became of a transfer of the lead.</summary>
internal sealed record TransferOutcome
{
    public bool Success { get; init; }
}

public sealed partial class PraetorClient
{
    /// <summary>How the leader looks after the servers.</summary>
    public async Task<AutopilotConfiguration> AutopilotConfigurationAsync(
        QueryOptions? query = null, CancellationToken stop = default)
    {
        var json = await SendTextAsync(HttpMethod.Get, "/v1/operator/autopilot/configuration", query, null, stop);
        return JsonSerializer.Deserialize(json, ClientJson.Default.AutopilotConfiguration)
            ?? new AutopilotConfiguration();
    }

    /// <summary>Sets how the leader looks after the servers, unless somebody changed it meanwhile.</summary>
    /// <param name="configuration">What is to be; its <see cref="AutopilotConfiguration.ModifyIndex"/> is what was
    /// read.</param>
    /// <param name="query">Where, and with which token.</param>
    /// <param name="stop">Gives up.</param>
    /// <returns>Whether it was set.</returns>
    public async Task<bool> SetAutopilotConfigurationAsync(
        AutopilotConfiguration configuration, QueryOptions? query = null, CancellationToken stop = default)
    {
        var index = configuration.ModifyIndex.ToString(CultureInfo.InvariantCulture);
        var answer = await SendTextAsync(
            HttpMethod.Put, $"/v1/operator/autopilot/configuration?cas={index}", query,
            Json(configuration, ClientJson.Default.AutopilotConfiguration), stop);
        return answer.Trim() == "true";
    }

    /// <summary>How the servers are.</summary>
    public async Task<AutopilotState> AutopilotStateAsync(
        QueryOptions? query = null, CancellationToken stop = default)
    {
        var json = await SendTextAsync(HttpMethod.Get, "/v1/operator/autopilot/state", query, null, stop);
        return JsonSerializer.Deserialize(json, ClientJson.Default.AutopilotState) ?? new AutopilotState();
    }

    /// <summary>Takes a server out of those that keep the state.</summary>
    /// <param name="id">Its id. Empty: it is named by its address.</param>
    /// <param name="address">Its RPC address. Empty: it is named by its id.</param>
    /// <param name="query">Where, and with which token.</param>
    /// <param name="stop">Gives up.</param>
    /// <exception cref="ApiException">There is no such server, or it cannot be spared.</exception>
    public Task RemovePeerAsync(
        string id, string address, QueryOptions? query = null, CancellationToken stop = default) => SendTextAsync(
            HttpMethod.Delete,
            "/v1/operator/raft/peer?" + (id.Length > 0
                ? "id=" + Uri.EscapeDataString(id) : "address=" + Uri.EscapeDataString(address)),
            query, null, stop);

    /// <summary>Gives the lead to another server; ends when that has it.</summary>
    /// <param name="id">Its id. Empty: the one that is best.</param>
    /// <param name="query">Where, and with which token.</param>
    /// <param name="stop">Gives up.</param>
    /// <returns>Whether it has it.</returns>
    /// <exception cref="ApiException">There is no other server, or none such.</exception>
    public async Task<bool> TransferLeaderAsync(
        string id = "", QueryOptions? query = null, CancellationToken stop = default)
    {
        var which = id.Length > 0 ? "?id=" + Uri.EscapeDataString(id) : "";
        var json = await SendTextAsync(
            HttpMethod.Post, "/v1/operator/raft/transfer-leader" + which, query, null, stop);
        return JsonSerializer.Deserialize(json, ClientJson.Default.TransferOutcome) is { Success: true };
    }
}
