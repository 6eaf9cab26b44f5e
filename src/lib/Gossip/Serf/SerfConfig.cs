using Gossip.Swim;

namespace Gossip.Serf;

/// <summary>How serf's layer behaves. The defaults are Consul's.</summary>
public sealed record SerfConfig
{
    public required SwimConfig Swim { get; init; }

    /// <summary>What this member says about itself at start; together at most 512 bytes encoded.</summary>
    public IReadOnlyDictionary<string, string> Tags { get; init; } =
        new Dictionary<string, string>(StringComparer.Ordinal);

    /// <summary>How long a failed member is tried to be reached, then it is forgotten. Default 72 h.</summary>
    public TimeSpan ReconnectTimeout { get; init; } = TimeSpan.FromHours(72);

    /// <summary>Reads from a member's tags after how long it wants to be forgotten when it failed. Null, or null as
    /// its answer: after <see cref="ReconnectTimeout"/>.</summary>
    public Func<IReadOnlyDictionary<string, string>, TimeSpan?>? ReconnectTimeoutOf { get; init; }

    /// <summary>How long a member that left is listed. Default 72 h.</summary>
    public TimeSpan TombstoneTimeout { get; init; } = TimeSpan.FromHours(72);

    /// <summary>How often a failed member may be tried. Default 30 s.</summary>
    public TimeSpan ReconnectInterval { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How often what is due to be forgotten is looked for. Default 15 s.</summary>
    public TimeSpan ReapInterval { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>How long an intent of somebody unknown is kept. Default 5 min.</summary>
    public TimeSpan IntentTimeout { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>How long a leaving member waits for its word to be sent. Default 5 s.</summary>
    public TimeSpan BroadcastTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How long it then still answers, so that everybody hears "left" before it is silent. Default 3
    /// s.</summary>
    public TimeSpan LeavePropagateDelay { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>A query waits this many gossip intervals times log10(N + 1) for answers. Default 16.</summary>
    public int QueryTimeoutMultiplier { get; init; } = 16;

    /// <summary>Whether events from before this member joined are kept from it. Default true, as Consul.</summary>
    public bool IgnoresOldEvents { get; init; } = true;
}
