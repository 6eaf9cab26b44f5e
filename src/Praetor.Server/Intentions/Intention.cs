using System.Text.Json.Nodes;
using Praetor.Server.ConfigEntries;
using Praetor.Server.ConfigEntries.Kinds;

namespace Praetor.Server.Intentions;

/// <summary>Whether one source may reach one destination. A view of one source of a service-intentions entry.</summary>
public sealed record Intention
{
    /// <summary>Any name.</summary>
    public const string Wildcard = "*";

    /// <summary>The namespace that everything is in.</summary>
    public const string DefaultNamespace = "default";

    /// <summary>The id, when it was made by the older API. Empty: none.</summary>
    public string Id { get; init; } = "";

    /// <summary>Text for people.</summary>
    public string Description { get; init; } = "";

    /// <summary>The peer whose services are meant. Empty: this cluster's.</summary>
    public string SourcePeer { get; init; } = "";

    /// <summary>A group of peers; stored only. Empty: none.</summary>
    public string SourceSamenessGroup { get; init; } = "";

    /// <summary>The source's namespace.</summary>
    public string SourceNamespace { get; init; } = DefaultNamespace;

    /// <summary>The service that connects; <c>*</c> is any.</summary>
    public string SourceName { get; init; } = "";

    /// <summary>The destination's namespace.</summary>
    public string DestinationNamespace { get; init; } = DefaultNamespace;

    /// <summary>The service that is reached; <c>*</c> is any.</summary>
    public string DestinationName { get; init; } = "";

    /// <summary>What the source is; there are only services.</summary>
    public string SourceType { get; init; } = "consul";

    /// <summary><c>allow</c> or <c>deny</c>. Empty with <see cref="Permissions"/>.</summary>
    public string Action { get; init; } = "";

    /// <summary>Decisions on requests, in order. Null: <see cref="Action"/> decides on the connection.</summary>
    public JsonArray? Permissions { get; init; }

    /// <summary>Free metadata of the older API.</summary>
    public IReadOnlyDictionary<string, string> Meta { get; init; } = NoMeta;

    /// <summary>9 is decided first; see <see cref="PrecedenceOf"/>.</summary>
    public int Precedence { get; init; }

    /// <summary>When the older API made it. Zero: it did not.</summary>
    public DateTime CreatedAt { get; init; }

    /// <summary>When the older API last changed it.</summary>
    public DateTime UpdatedAt { get; init; }

    /// <summary>The index at which its entry came.</summary>
    public ulong CreateIndex { get; init; }

    /// <summary>The index of its entry's last change.</summary>
    public ulong ModifyIndex { get; init; }

    /// <summary>Whether it decides on requests rather than on connections.</summary>
    public bool IsLayer7 => Permissions is { Count: > 0 };

    internal static IReadOnlyDictionary<string, string> NoMeta { get; } =
        new Dictionary<string, string>(StringComparer.Ordinal);

    /// <summary>The intentions of one entry, in the order in which they decide.</summary>
    public static IReadOnlyList<Intention> From(ConfigEntry entry, ulong createIndex, ulong modifyIndex) =>
    [
        .. ConfigEntry.Items(entry.Body, "Sources").Select(s => FromSource(s, entry.Name) with
        {
            CreateIndex = createIndex,
            ModifyIndex = modifyIndex,
        }),
    ];

    /// <summary>The rank of a pair: an exact destination before any, then an exact source before any.</summary>
    public static int PrecedenceOf(string sourceNamespace, string source, string destination)
    {
        // Consul's table. Exact destination: 9, 8, 7; any destination: 6, 5, 4; the rest is for namespaces to come.
        var best = destination == Wildcard ? 6 : 9;
        return best - (sourceNamespace == Wildcard ? 2 : source == Wildcard ? 1 : 0);
    }

    /// <summary>Orders intentions as Consul lists them: by precedence, then by names.</summary>
    public static int Compare(Intention left, Intention right)
    {
        var order = right.Precedence.CompareTo(left.Precedence);
        order = order != 0 ? order : string.CompareOrdinal(left.SourcePeer, right.SourcePeer);
        order = order != 0 ? order : string.CompareOrdinal(left.SourceNamespace, right.SourceNamespace);
        order = order != 0 ? order : string.CompareOrdinal(left.SourceName, right.SourceName);
        order = order != 0 ? order : string.CompareOrdinal(left.DestinationNamespace, right.DestinationNamespace);
        return order != 0 ? order : string.CompareOrdinal(left.DestinationName, right.DestinationName);
    }

    /// <summary>Whether two intentions are about the same pair.</summary>
    public bool IsSamePair(Intention other) =>
        IsSameSource(other) && SameName(DestinationName, other.DestinationName);

    /// <summary>Whether two intentions are about the same source.</summary>
    public bool IsSameSource(Intention other) =>
        SameName(SourceName, other.SourceName) && SameName(SourceNamespace, other.SourceNamespace) &&
        SameName(SourcePeer, other.SourcePeer) && SameName(SourceSamenessGroup, other.SourceSamenessGroup);

    /// <summary>The intention in one line, as Consul prints it in reasons and refusals.</summary>
    public override string ToString()
    {
        var action = IsLayer7 ? "L7" : Action.ToUpperInvariant();
        var peer = SourcePeer.Length > 0 ? $"peer:{SourcePeer}/" : "";
        var id = Id.Length > 0 ? $"ID: {Id}, " : "";
        return $"{action} {peer}{SourceNamespace}/{SourceName} => {DestinationNamespace}/{DestinationName} " +
            $"({id}Precedence: {Precedence})";
    }

    internal static bool SameName(string left, string right) => left.Equals(right, StringComparison.OrdinalIgnoreCase);

    internal static Intention FromSource(JsonObject source, string destination)
    {
        var name = ConfigEntry.Text(source, "Name");
        var space = ConfigEntry.Text(source, "Namespace") is { Length: > 0 } given ? given : DefaultNamespace;
        return new Intention
        {
            Id = ConfigEntry.Text(source, "LegacyID"),
            Description = ConfigEntry.Text(source, "Description"),
            SourcePeer = ConfigEntry.Text(source, "Peer"),
            SourceSamenessGroup = ConfigEntry.Text(source, "SamenessGroup"),
            SourceNamespace = space,
            SourceName = name,
            DestinationName = destination,
            Action = ConfigEntry.Text(source, "Action"),
            Permissions = source["Permissions"] as JsonArray,
            Meta = ServiceIntentionRules.MetaOf(source),
            Precedence = PrecedenceOf(space, name, destination),
            CreatedAt = IntentionTime.Read(ConfigEntry.Text(source, "LegacyCreateTime")),
            UpdatedAt = IntentionTime.Read(ConfigEntry.Text(source, "LegacyUpdateTime")),
        };
    }

    internal JsonObject ToSource()
    {
        var meta = new JsonObject();
        foreach (var (key, value) in Meta)
        {
            meta[key] = value;
        }

        return new JsonObject
        {
            ["Name"] = SourceName,
            ["Namespace"] = SourceNamespace,
            ["Peer"] = SourcePeer,
            ["SamenessGroup"] = SourceSamenessGroup,
            ["Action"] = Action,
            ["Permissions"] = Permissions?.DeepClone(),
            ["Type"] = SourceType,
            ["Description"] = Description,
            ["LegacyID"] = Id,
            ["LegacyMeta"] = meta,
            ["LegacyCreateTime"] = CreatedAt == default ? "" : IntentionTime.Write(CreatedAt),
            ["LegacyUpdateTime"] = UpdatedAt == default ? "" : IntentionTime.Write(UpdatedAt),
        };
    }
}
