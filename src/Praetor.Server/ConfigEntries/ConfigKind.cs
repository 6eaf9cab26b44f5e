using System.Text.Json.Nodes;

namespace Praetor.Server.ConfigEntries;

/// <summary>A kind of configuration entries: its members and its rules. One file and one line in
/// <see cref="ConfigKinds"/> make a kind.</summary>
internal sealed record ConfigKind(string Name, IReadOnlyList<Field> Members)
{
    /// <summary>The members with those that every kind has.</summary>
    public IReadOnlyList<Field> AllMembers { get; } =
        [Fields.Text("Kind").Always(), Fields.Text("Name").Always(), .. Members];

    /// <summary>The name that every entry of the kind has. Null: users choose it.</summary>
    public string? FixedName { get; init; }

    /// <summary>What is said when there is no name.</summary>
    public string NameMissing { get; init; } = "Name is required";

    /// <summary>Brings a decoded body into its canonical form; may change it.</summary>
    public Action<JsonObject> Normalize { get; init; } = static _ => { };

    /// <summary>What is wrong with a normalized body; nothing when it is right.</summary>
    public Func<JsonObject, IEnumerable<string>> Problems { get; init; } = static _ => [];

    /// <summary>Carries over from the entry that is replaced what the writer could not know.</summary>
    public Func<ConfigEntry, ConfigEntry?, ConfigEntry> Adopt { get; init; } = static (next, _) => next;
}
