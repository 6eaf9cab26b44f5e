using System.Text.Json.Nodes;
using Praetor.Server.Intentions;
using static Praetor.Server.ConfigEntries.Fields;

namespace Praetor.Server.ConfigEntries.Kinds;

/// <summary>Who may reach a service. What decides by it stands in <see cref="Intentions"/>.</summary>
internal static class ServiceIntentionsKind
{
    /// <summary>The kind's name.</summary>
    public const string Name = "service-intentions";

    private static readonly Field Jwt = Object(
        "JWT",
        List("Providers", Text("Name").Always(), List("VerifyClaims", TextList("Path"), Text("Value"))));

    private static readonly Field Permissions = List(
        "Permissions",
        Text("Action").Always(),
        Object(
            "HTTP",
            Text("PathExact"),
            Text("PathPrefix"),
            Text("PathRegex"),
            List(
                "Header",
                Text("Name"),
                Boolean("Present"),
                Text("Exact"),
                Text("Prefix"),
                Text("Suffix"),
                Text("Contains"),
                Text("Regex"),
                Boolean("Invert"),
                Boolean("IgnoreCase")),
            TextList("Methods")),
        Jwt);

    /// <summary>The kind.</summary>
    public static ConfigKind Kind { get; } = new(
        Name,
        [
            Jwt,
            List(
                "Sources",
                Text("Name").Always(),
                Text("Action"),
                Permissions,
                Integer("Precedence").Always(),
                Text("LegacyID"),
                Text("Type"),
                Text("Description"),
                TextMap("LegacyMeta"),
                Text("LegacyCreateTime"),
                Text("LegacyUpdateTime"),
                Text("Peer"),
                Text("SamenessGroup"),
                Text("Namespace")).Always(),
            SharedMembers.Meta,
        ])
    {
        Normalize = ServiceIntentionRules.Normalize,
        Problems = ServiceIntentionRules.Problems,
        Adopt = ServiceIntentionRules.AdoptLegacy,
    };
}
