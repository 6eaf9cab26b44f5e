using System.Text.Json;
using Praetor.Server.State;

namespace Praetor.Server.Model;

/// <summary>What is known of the health of a node or of a service on it.</summary>
public sealed record CheckRecord : StoredRecord
{
    /// <summary>The node's name.</summary>
    public string Node { get; init; } = "";

    /// <summary>The check's id, unique on its node.</summary>
    public required string Id { get; init; }

    /// <summary>A name for people.</summary>
    public string Name { get; init; } = "";

    /// <summary>passing, warning or critical.</summary>
    public string Status { get; init; } = CheckStatuses.Critical;

    /// <summary>What people wrote about it.</summary>
    public string Notes { get; init; } = "";

    /// <summary>What the check said last.</summary>
    public string Output { get; init; } = "";

    /// <summary>The instance it is about. Empty: the node.</summary>
    public string ServiceId { get; init; } = "";

    /// <summary>That instance's service. Empty: the node.</summary>
    public string ServiceName { get; init; } = "";

    /// <summary>That instance's tags.</summary>
    public IReadOnlyList<string>? ServiceTags { get; init; }

    /// <summary>http, tcp, ttl … Empty: not said.</summary>
    public string Type { get; init; } = "";

    /// <summary>How it is checked, as it was given. Null: not said.</summary>
    public JsonElement? Definition { get; init; }

    /// <summary>The port under which a proxy exposes what is checked. 0: none.</summary>
    public int ExposedPort { get; init; }
}

/// <summary>The words for health, as they stand in answers.</summary>
public static class CheckStatuses
{
    /// <summary>Well.</summary>
    public const string Passing = "passing";

    /// <summary>Worth a look, still used.</summary>
    public const string Warning = "warning";

    /// <summary>Not used.</summary>
    public const string Critical = "critical";

    /// <summary>Whether the text is one of the three.</summary>
    public static bool IsKnown(string status) => status is Passing or Warning or Critical;
}
