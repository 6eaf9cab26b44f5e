using System.Collections.Frozen;
using System.Diagnostics.CodeAnalysis;
using Praetor.Server.ConfigEntries.Kinds;

namespace Praetor.Server.ConfigEntries;

/// <summary>All kinds of configuration entries.</summary>
public static class ConfigKinds
{
    private static readonly FrozenDictionary<string, ConfigKind> All = new ConfigKind[]
    {
        ServiceDefaults.Kind,
        ProxyDefaults.Kind,
        ServiceIntentionsKind.Kind,
    }.ToFrozenDictionary(static k => k.Name, StringComparer.Ordinal);

    // Kinds that Consul has and nothing here acts on yet. They are not taken, so there are none: a client that lists
    // or deletes them is answered as by a Consul where nobody wrote one.
    private static readonly FrozenSet<string> Empty = new[]
    {
        "api-gateway", "bound-api-gateway", "control-plane-request-limit", "exported-services",
        "file-system-certificate", "http-route", "ingress-gateway", "inline-certificate", "jwt-provider", "mesh",
        "sameness-group", "service-resolver", "service-router", "service-splitter", "tcp-route",
        "terminating-gateway",
    }.ToFrozenSet(StringComparer.Ordinal);

    /// <summary>The names of all kinds of which there may be entries.</summary>
    public static IEnumerable<string> Names => All.Keys.Order(StringComparer.Ordinal);

    /// <summary>Whether a kind may be asked for; not all that may be can be written.</summary>
    public static bool IsKnown(string kind) => All.ContainsKey(kind) || Empty.Contains(kind);

    /// <summary>What clients are told about a kind that there is not.</summary>
    public static string Unknown(string kind) => "invalid config entry kind: " + kind;

    /// <summary>What clients are told about an entry that there is not.</summary>
    public static string NotFound(string kind, string name) => $"Config entry not found for \"{kind}\" / \"{name}\"";

    /// <summary>Prepares an entry to take the place of another: what only the server knows is carried over.</summary>
    public static ConfigEntry Adopt(ConfigEntry next, ConfigEntry? previous) =>
        All.TryGetValue(next.Kind, out var kind) ? kind.Adopt(next, previous) : next;

    internal static bool TryFind(string name, [NotNullWhen(true)] out ConfigKind? kind) =>
        All.TryGetValue(name, out kind);
}
