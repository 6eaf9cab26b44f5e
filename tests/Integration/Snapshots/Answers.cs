using System.Text.Json.Nodes;
using Support;

namespace Integration.Snapshots;

/// <summary>What an agent answers about a state, in a form in which two agents can be compared.</summary>
internal static class Answers
{
    /// <summary>Everything that a snapshot carries and both products answer alike.</summary>
    /// <remarks>Not the proxy: Consul 1.8.7 breaks off answers with free settings that are nested.</remarks>
    public static readonly string[] Paths =
    [
        "/v1/kv/?recurse", "/v1/catalog/node/ext1", "/v1/catalog/service/web", "/v1/catalog/service/nat",
        "/v1/health/node/ext1", "/v1/health/service/web",
        "/v1/config/service-defaults", "/v1/config/proxy-defaults", "/v1/config/service-router",
        "/v1/config/ingress-gateway", "/v1/config/terminating-gateway", "/v1/connect/intentions",
    ];

    // Members that today's versions say and 1.8 does not, that only 1.8 says, or that are each server's own matter.
    private static readonly HashSet<string> Ignored = new(StringComparer.Ordinal)
    {
        "CreateIndex", "ModifyIndex", "PeerName", "ExposedPort", "ServiceSocketPath", "ServiceLocality",
        "ServicePorts", "Hash", "CreatedAt", "UpdatedAt", "DefaultAddr", "DefaultPort", "Session", "LockIndex",
        "SourcePartition", "DestinationPartition", "Namespace",
    };

    public static async Task<string> OfAsync(AgentProcess agent, string path, CancellationToken stop)
    {
        using var answer = await agent.Http.GetAsync(new Uri(path, UriKind.Relative), stop);
        var text = await answer.Content.ReadAsStringAsync(stop);
        return $"{path}: {(int)answer.StatusCode} {Normal(JsonNode.Parse(text))?.ToJsonString()}";
    }

    // Sorted, and without what says nothing: whether that is left out differs between versions.
    private static JsonNode? Normal(JsonNode? node)
    {
        switch (node)
        {
            case JsonObject map:
                var members = map.Where(static m => !Ignored.Contains(m.Key))
                    .Select(static m => KeyValuePair.Create(m.Key, Normal(m.Value)))
                    .Where(static m => m.Value is not null)
                    .OrderBy(static m => m.Key, StringComparer.Ordinal);
                return new JsonObject(members) is { Count: > 0 } some ? some : null;
            case JsonArray list:
                return list.Count == 0 ? null : new JsonArray([.. list.Select(Normal)]);
            default:
                var text = node?.ToJsonString();
                return text is null or "\"\"" or "0" or "false" ? null : JsonNode.Parse(text);
        }
    }
}
