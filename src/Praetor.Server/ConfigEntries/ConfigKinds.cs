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

    /// <summary>The names of all kinds.</summary>
    public static IEnumerable<string> Names => All.Keys.Order(StringComparer.Ordinal);

    /// <summary>Whether there is such a kind.</summary>
    public static bool IsKnown(string kind) => All.ContainsKey(kind);

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
