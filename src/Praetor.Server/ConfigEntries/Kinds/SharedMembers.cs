using System.Text.Json.Nodes;
using static Praetor.Server.ConfigEntries.Fields;

namespace Praetor.Server.ConfigEntries.Kinds;

/// <summary>Members that several kinds have, and their rules.</summary>
internal static class SharedMembers
{
    public static readonly Field MeshGateway = Object("MeshGateway", Text("Mode"));

    public static readonly Field Expose = Object(
        "Expose",
        Boolean("Checks"),
        List(
            "Paths",
            Integer("ListenerPort"),
            Text("Path"),
            Integer("LocalPathPort"),
            Text("Protocol"),
            Boolean("ParsedFromCheck").Always()));

    public static readonly Field TransparentProxy =
        Object("TransparentProxy", Integer("OutboundListenerPort"), Boolean("DialedDirectly"));

    public static readonly Field EnvoyExtensions = List(
        "EnvoyExtensions",
        Text("Name").Always(),
        Boolean("Required").Always(),
        Free("Arguments").Always(),
        Text("ConsulVersion"),
        Text("EnvoyVersion"));

    public static readonly Field PassiveHealthCheck = Object(
        "PassiveHealthCheck",
        Duration("Interval"),
        Integer("MaxFailures"),
        Integer("EnforcingConsecutive5xx").Nullable(),
        Integer("EnforcingConsecutiveGatewayFailure").Nullable(),
        Integer("Consecutive5xx").Nullable(),
        Integer("ConsecutiveGatewayFailure").Nullable(),
        Integer("MaxEjectionPercent").Nullable(),
        Duration("BaseEjectionTime"));

    public static readonly Field Limits = Object(
        "Limits",
        Integer("MaxConnections").Nullable(),
        Integer("MaxPendingRequests").Nullable(),
        Integer("MaxConcurrentRequests").Nullable());

    public static readonly Field Meta = TextMap("Meta");

    /// <summary>Problems of a member that is one of some words.</summary>
    public static IEnumerable<string> OneOf(JsonObject? body, string key, string what, params string[] words)
    {
        var text = ConfigEntry.Text(body, key);
        if (text.Length > 0 && !words.Contains(text, StringComparer.Ordinal))
        {
            yield return $"invalid {what} \"{text}\"; use {string.Join(", ", words)}";
        }
    }

    /// <summary>Problems of what service-defaults and proxy-defaults have in common.</summary>
    public static IEnumerable<string> Problems(JsonObject body) =>
    [
        .. OneOf(ConfigEntry.Object(body, "MeshGateway"), "Mode", "mesh gateway mode", "none", "local", "remote"),
        .. OneOf(body, "Mode", "proxy mode", "direct", "transparent"),
        .. OneOf(body, "MutualTLSMode", "MutualTLSMode", "strict", "permissive"),
        .. ExposeProblems(ConfigEntry.Object(body, "Expose")),
        .. ExtensionProblems(body),
    ];

    private static IEnumerable<string> ExposeProblems(JsonObject? expose)
    {
        foreach (var path in ConfigEntry.Items(expose, "Paths"))
        {
            var text = ConfigEntry.Text(path, "Protocol");
            if (text is not ("" or "http" or "http2"))
            {
                yield return $"protocol must be either http or http2, got \"{text}\"";
            }
        }
    }

    private static IEnumerable<string> ExtensionProblems(JsonObject body)
    {
        string[] known =
        [
            "builtin/aws/lambda", "builtin/ext-authz", "builtin/lua", "builtin/otel-access-logging",
            "builtin/property-override", "builtin/wasm",
        ];
        var i = 0;
        foreach (var extension in ConfigEntry.Items(body, "EnvoyExtensions"))
        {
            var name = ConfigEntry.Text(extension, "Name");
            if (name.Length == 0)
            {
                yield return $"invalid EnvoyExtensions[{i}]: Name is required";
            }
            else if (!known.Contains(name, StringComparer.Ordinal))
            {
                yield return $"invalid EnvoyExtensions[{i}][{name}]: name \"{name}\" is not a built-in extension";
            }

            i++;
        }
    }
}
