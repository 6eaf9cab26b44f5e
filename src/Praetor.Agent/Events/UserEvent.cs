using System.Globalization;

namespace Praetor.Agent.Events;

/// <summary>An event that somebody fired for all agents, or for those that the filters match.</summary>
internal sealed record UserEvent
{
    /// <summary>The version of the format.</summary>
    public const int CurrentVersion = 1;

    /// <summary>A UUID, made by the agent that fires it.</summary>
    public string Id { get; init; } = "";

    public required string Name { get; init; }

    public ReadOnlyMemory<byte> Payload { get; init; }

    /// <summary>A regular expression: which nodes are meant. Empty: all.</summary>
    public string NodeFilter { get; init; } = "";

    /// <summary>A regular expression on ids: nodes with such an instance are meant. Empty: all.</summary>
    public string ServiceFilter { get; init; } = "";

    /// <summary>A regular expression: the instance must have such a tag. Empty: any.</summary>
    public string TagFilter { get; init; } = "";

    public int Version { get; init; } = CurrentVersion;

    /// <summary>When it was fired by gossip's clock, which orders events. 0: not told yet.</summary>
    public ulong LamportTime { get; init; }

    /// <summary>The index that readers wait with: the two halves of the id over one another.</summary>
    /// <remarks>Not rising, as events have no order that all agents share; it only differs from event to
    /// event.</remarks>
    public ulong Index
    {
        get
        {
            var digits = Id.Replace("-", "", StringComparison.Ordinal);
            const int half = 16;
            return digits.Length == 2 * half && TryHex(digits[..half], out var a) && TryHex(digits[half..], out var b)
                ? a ^ b
                : 1;
        }
    }

    private static bool TryHex(string digits, out ulong value) =>
        ulong.TryParse(digits, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out value);
}
