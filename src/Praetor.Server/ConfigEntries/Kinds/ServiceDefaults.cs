using System.Text.Json.Nodes;
using static Praetor.Server.ConfigEntries.Fields;

namespace Praetor.Server.ConfigEntries.Kinds;

/// <summary>What all instances of a service have in common: protocol, gateways, limits, upstreams.</summary>
internal static class ServiceDefaults
{
    /// <summary>The kind's name.</summary>
    public const string Name = "service-defaults";

    private static readonly Field[] UpstreamMembers =
    [
        Text("Name"),
        Text("Peer"),
        Text("EnvoyListenerJSON"),
        Text("EnvoyClusterJSON"),
        Text("Protocol"),
        Integer("ConnectTimeoutMs"),
        SharedMembers.Limits,
        SharedMembers.PassiveHealthCheck,
        SharedMembers.MeshGateway,
        Text("BalanceOutboundConnections"),
    ];

    /// <summary>The kind.</summary>
    public static ConfigKind Kind { get; } = new(
        Name,
        [
            Text("Protocol").Always(),
            Text("Mode"),
            SharedMembers.TransparentProxy,
            Text("MutualTLSMode"),
            SharedMembers.MeshGateway.Always(),
            SharedMembers.Expose.Always(),
            Text("ExternalSNI"),
            Object("UpstreamConfig", Object("Defaults", UpstreamMembers), List("Overrides", UpstreamMembers)),
            Object("Destination", TextList("Addresses"), Integer("Port")),
            Integer("MaxInboundConnections"),
            Integer("LocalConnectTimeoutMs"),
            Integer("LocalRequestTimeoutMs"),
            Text("BalanceInboundConnections"),
            Object(
                "RateLimits",
                Object(
                    "InstanceLevel",
                    Float("RequestsPerSecond"),
                    Float("RequestsMaxBurst"),
                    List(
                        "Routes",
                        Text("PathExact"),
                        Text("PathPrefix"),
                        Text("PathRegex"),
                        Float("RequestsPerSecond"),
                        Float("RequestsMaxBurst")))),
            SharedMembers.EnvoyExtensions,
            Integer("MaxRequestHeadersKB").Nullable(),
            SharedMembers.Meta,
        ])
    {
        NameMissing = "serviceName is required",
        Normalize = Normalize,
        Problems = Problems,
    };

    private static void Normalize(JsonObject body)
    {
        // As Consul: protocols are compared in lower case.
        body["Protocol"] = ConfigEntry.Text(body, "Protocol").ToLowerInvariant();
        foreach (var upstream in Upstreams(body))
        {
            if (ConfigEntry.Text(upstream, "Protocol") is { Length: > 0 } protocol)
            {
                upstream["Protocol"] = protocol.ToLowerInvariant();
            }
        }
    }

    private static IEnumerable<string> Problems(JsonObject body) =>
    [
        .. SharedMembers.Problems(body),
        .. SharedMembers.OneOf(body, "BalanceInboundConnections", "BalanceInboundConnections", "exact_balance"),
        .. UpstreamProblems(body),
        .. DestinationProblems(ConfigEntry.Object(body, "Destination")),
    ];

    private static IEnumerable<JsonObject> Upstreams(JsonObject body)
    {
        var config = ConfigEntry.Object(body, "UpstreamConfig");
        return ConfigEntry.Object(config, "Defaults") is { } defaults
            ? ConfigEntry.Items(config, "Overrides").Append(defaults)
            : ConfigEntry.Items(config, "Overrides");
    }

    private static IEnumerable<string> UpstreamProblems(JsonObject body)
    {
        var config = ConfigEntry.Object(body, "UpstreamConfig");
        if (ConfigEntry.Text(ConfigEntry.Object(config, "Defaults"), "Name").Length > 0)
        {
            yield return "error in upstream defaults: Name must be empty";
        }

        var i = 0;
        foreach (var upstream in ConfigEntry.Items(config, "Overrides"))
        {
            if (ConfigEntry.Text(upstream, "Name").Length == 0)
            {
                yield return $"error in upstream override for : Name is required (UpstreamConfig.Overrides[{i}])";
            }

            i++;
        }
    }

    private static IEnumerable<string> DestinationProblems(JsonObject? destination)
    {
        if (destination is null)
        {
            yield break;
        }

        if (destination["Addresses"] is not JsonArray { Count: > 0 })
        {
            yield return "Destination must contain at least one valid address";
        }

        if (destination["Port"] is not JsonValue value || !value.TryGetValue<long>(out var port) ||
            port is < 1 or > 65535)
        {
            yield return "Destination Port number is required and must be within 1 to 65535";
        }
    }
}
