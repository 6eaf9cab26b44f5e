using System.Text.Json.Nodes;
using static Praetor.Server.ConfigEntries.Fields;

namespace Praetor.Server.ConfigEntries.Kinds;

/// <summary>What all proxies have in common. There is one entry, <c>global</c>.</summary>
internal static class ProxyDefaults
{
    /// <summary>The kind's name.</summary>
    public const string Name = "proxy-defaults";

    /// <summary>The only name of an entry; Consul takes any other for it, so a name is never wrong.</summary>
    public const string Global = "global";

    /// <summary>The kind.</summary>
    public static ConfigKind Kind { get; } = new(
        Name,
        [
            Free("Config").Always(),
            Text("Mode"),
            SharedMembers.TransparentProxy,
            Text("MutualTLSMode"),
            SharedMembers.MeshGateway.Always(),
            SharedMembers.Expose.Always(),
            Object(
                "AccessLogs",
                Boolean("Enabled"),
                Boolean("DisableListenerLogs"),
                Text("Type"),
                Text("Path"),
                Text("JSONFormat"),
                Text("TextFormat")),
            SharedMembers.EnvoyExtensions,
            Object("FailoverPolicy", Text("Mode"), TextList("Regions")),
            Object("PrioritizeByLocality", Text("Mode")),
            SharedMembers.Meta,
        ])
    {
        FixedName = Global,
        Problems = Problems,
    };

    private static IEnumerable<string> Problems(JsonObject body) =>
    [
        .. SharedMembers.Problems(body),
        .. AccessLogProblems(ConfigEntry.Object(body, "AccessLogs")),
        .. SharedMembers.OneOf(
            ConfigEntry.Object(body, "FailoverPolicy"), "Mode", "failover mode", "sequential", "order-by-locality"),
        .. SharedMembers.OneOf(
            ConfigEntry.Object(body, "PrioritizeByLocality"), "Mode", "locality mode", "none", "failover"),
    ];

    private static IEnumerable<string> AccessLogProblems(JsonObject? logs)
    {
        foreach (var problem in SharedMembers.OneOf(logs, "Type", "access log type", "file", "stderr", "stdout"))
        {
            yield return problem;
        }

        if (ConfigEntry.Text(logs, "JSONFormat").Length > 0 && ConfigEntry.Text(logs, "TextFormat").Length > 0)
        {
            yield return "cannot specify both access log JSONFormat and TextFormat";
        }

        if (ConfigEntry.Text(logs, "Type") == "file" && ConfigEntry.Text(logs, "Path").Length == 0)
        {
            yield return "path must be specified when using file type access logs";
        }
    }
}
