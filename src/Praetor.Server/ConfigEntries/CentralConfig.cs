using System.Text.Json;
using System.Text.Json.Nodes;
using Praetor.Server.Model;

namespace Praetor.Server.ConfigEntries;

// What a proxy does is said in three places: proxy-defaults for all, service-defaults for its service, and its own
// registration. The nearer one wins, member by member and key by key of the free configuration. For a way to another
// service, that service's own protocol counts, then what the proxy's service says about its upstreams.

/// <summary>Merges the central configuration into what a proxy was registered with.</summary>
public static class CentralConfig
{
    private static readonly (string Member, string Key)[] ServiceKeys =
    [
        ("Protocol", "protocol"),
        ("MaxInboundConnections", "max_inbound_connections"),
        ("LocalConnectTimeoutMs", "local_connect_timeout_ms"),
        ("LocalRequestTimeoutMs", "local_request_timeout_ms"),
        ("BalanceInboundConnections", "balance_inbound_connections"),
        ("MaxRequestHeadersKB", "max_request_headers_kb"),
    ];

    private static readonly (string Member, string Key)[] UpstreamKeys =
    [
        ("Protocol", "protocol"),
        ("ConnectTimeoutMs", "connect_timeout_ms"),
        ("EnvoyListenerJSON", "envoy_listener_json"),
        ("EnvoyClusterJSON", "envoy_cluster_json"),
        ("BalanceOutboundConnections", "balance_outbound_connections"),
    ];

    /// <summary>The proxy with everything that is said about it elsewhere.</summary>
    /// <param name="proxy">The proxy as registered.</param>
    /// <param name="proxyDefaults">The proxy-defaults entry. Null: there is none.</param>
    /// <param name="serviceDefaults">A service's service-defaults entry; null when it has none.</param>
    public static ServiceProxy Merge(
        ServiceProxy proxy, ConfigEntry? proxyDefaults, Func<string, ConfigEntry?> serviceDefaults)
    {
        var global = proxyDefaults?.Body;
        var service = serviceDefaults(proxy.DestinationServiceName)?.Body;
        var config = ConfigEntry.Object(global, "Config")?.DeepClone().AsObject() ?? [];
        Copy(service, ServiceKeys, config);
        var upstreams = proxy.Upstreams?.Select(u =>
            Merge(u, global, service,
                u.DestinationType == "prepared_query" ? null : serviceDefaults(u.DestinationName)?.Body));
        return proxy with
        {
            Config = Over(config, proxy.Config),
            Mode = First(proxy.Mode, ConfigEntry.Text(service, "Mode"), ConfigEntry.Text(global, "Mode")),
            MeshGatewayMode = First(proxy.MeshGatewayMode, GatewayMode(service), GatewayMode(global)),
            ExposeChecks = proxy.ExposeChecks || ExposesChecks(service) || ExposesChecks(global),
            ExposePaths = proxy.ExposePaths is { Count: > 0 } ? proxy.ExposePaths : Paths(service) ?? Paths(global),
            Upstreams = upstreams?.ToList(),
            Further = Further(proxy.Further, service, global),
        };
    }

    /// <summary>The protocol that a service speaks: its own, else everybody's, else tcp.</summary>
    public static string ProtocolOf(ConfigEntry? serviceDefaults, ConfigEntry? proxyDefaults) => First(
        ConfigEntry.Text(serviceDefaults?.Body, "Protocol"),
        ConfigEntry.Text(ConfigEntry.Object(proxyDefaults?.Body, "Config"), "protocol"),
        "tcp");

    private static ServiceUpstream Merge(
        ServiceUpstream upstream, JsonObject? global, JsonObject? own, JsonObject? destination)
    {
        var config = new JsonObject();
        var protocol = First(
            ConfigEntry.Text(destination, "Protocol"),
            ConfigEntry.Text(ConfigEntry.Object(global, "Config"), "protocol"),
            "");
        if (protocol.Length > 0)
        {
            config["protocol"] = protocol;
        }

        var said = ConfigEntry.Object(own, "UpstreamConfig");
        var defaults = ConfigEntry.Object(said, "Defaults");
        var special = ConfigEntry.Items(said, "Overrides").FirstOrDefault(o =>
            ConfigEntry.Text(o, "Name").Equals(upstream.DestinationName, StringComparison.OrdinalIgnoreCase));
        CopyUpstream(defaults, config);
        CopyUpstream(special, config);
        return upstream with
        {
            Config = config.Count == 0 ? upstream.Config : Over(config, upstream.Config),
            MeshGatewayMode = First(upstream.MeshGatewayMode, GatewayMode(special), GatewayMode(defaults)),
        };
    }

    private static void CopyUpstream(JsonObject? from, JsonObject config)
    {
        Copy(from, UpstreamKeys, config);
        if (ConfigEntry.Object(from, "Limits") is { } limits)
        {
            config["limits"] = Snake(limits);
        }

        if (ConfigEntry.Object(from, "PassiveHealthCheck") is { } check)
        {
            config["passive_health_check"] = Snake(check);
        }
    }

    private static void Copy(JsonObject? from, (string Member, string Key)[] keys, JsonObject config)
    {
        foreach (var (member, key) in keys)
        {
            if (from?[member] is { } value && !WeakValue.IsZero(value))
            {
                config[key] = value.DeepClone();
            }
        }
    }

    // Free configuration is read by proxies with underscores.
    private static JsonObject Snake(JsonObject members)
    {
        var result = new JsonObject();
        foreach (var (name, value) in members)
        {
            var key = string.Concat(
                name.Select(static (c, i) => char.IsAsciiLetterUpper(c) && i > 0 ? $"_{c}" : $"{c}"));
            result[key.ToLowerInvariant()] = value?.DeepClone();
        }

        return result;
    }

    private static JsonElement? Over(JsonObject central, JsonElement? own)
    {
        if (own is { ValueKind: JsonValueKind.Object } map)
        {
            foreach (var member in map.EnumerateObject())
            {
                central[member.Name] = JsonNode.Parse(member.Value.GetRawText());
            }
        }

        if (central.Count == 0)
        {
            return own;
        }

        using var document = JsonDocument.Parse(central.ToJsonString());
        return document.RootElement.Clone();
    }

    private static IReadOnlyList<ExposedPath>? Paths(JsonObject? body)
    {
        var paths = ConfigEntry.Items(ConfigEntry.Object(body, "Expose"), "Paths")
            .Select(static p => new ExposedPath(
                ConfigEntry.Text(p, "Path"),
                Number(p, "LocalPathPort"),
                Number(p, "ListenerPort"),
                ConfigEntry.Text(p, "Protocol"),
                ParsedFromCheck: false))
            .ToList();
        return paths.Count > 0 ? paths : null;
    }

    private static IReadOnlyDictionary<string, JsonElement>? Further(
        IReadOnlyDictionary<string, JsonElement>? own, JsonObject? service, JsonObject? global)
    {
        var result = new Dictionary<string, JsonElement>(
            own ?? new Dictionary<string, JsonElement>(), StringComparer.Ordinal);
        foreach (var key in (string[])["TransparentProxy", "MutualTLSMode", "AccessLogs", "EnvoyExtensions"])
        {
            if (!result.ContainsKey(key) && (service?[key] ?? global?[key]) is { } value)
            {
                using var document = JsonDocument.Parse(value.ToJsonString());
                result[key] = document.RootElement.Clone();
            }
        }

        return result.Count > 0 ? result : own;
    }

    private static string GatewayMode(JsonObject? body) =>
        ConfigEntry.Text(ConfigEntry.Object(body, "MeshGateway"), "Mode");

    private static bool ExposesChecks(JsonObject? body) =>
        ConfigEntry.Object(body, "Expose")?["Checks"] is JsonValue value && value.GetValueKind() == JsonValueKind.True;

    private static int Number(JsonObject body, string key) =>
        body[key] is JsonValue value && value.TryGetValue<int>(out var number) ? number
            : body[key] is JsonValue other && other.TryGetValue<long>(out var large)
                ? (int)Math.Clamp(large, int.MinValue, int.MaxValue)
            : 0;

    private static string First(params ReadOnlySpan<string> texts)
    {
        foreach (var text in texts)
        {
            if (text.Length > 0)
            {
                return text;
            }
        }

        return "";
    }
}
