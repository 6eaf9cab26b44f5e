using System.Net;
using Gossip.Wire;

namespace Gossip.Swim;

/// <summary>How a member takes part. The defaults are memberlist's for a LAN.</summary>
/// <remarks>
/// All members of a pool should agree on the intervals: the suspicion of one is timed by its own
/// <see cref="ProbeInterval"/>, and the accused must hear of it and answer within that time.
/// </remarks>
public sealed record SwimConfig
{
    /// <summary>
    /// The member's name, unique in the pool; at most <see cref="SwimLimits.NameCharsMax"/> characters.
    /// </summary>
    public required string Name { get; init; }

    /// <summary>Where others reach this member, by packets and by streams.</summary>
    public required IPEndPoint Address { get; init; }

    /// <summary>The protocol versions that this member says of itself.</summary>
    public ProtocolVersions Versions { get; init; } = ProtocolVersions.Default;

    /// <summary>
    /// How often one member is probed. Default 1 s, WAN 5 s. Halving it halves detection and doubles load.
    /// </summary>
    public TimeSpan ProbeInterval { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>How long a probe waits for the direct answer. Default 500 ms, WAN 3 s.</summary>
    /// <remarks>Below <see cref="ProbeInterval"/>: what is left of the interval is for the indirect answers.</remarks>
    public TimeSpan ProbeTimeout { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>
    /// How many others are asked to ping a member that does not answer. Default 3; 0 switches it off.
    /// </summary>
    public int IndirectChecks { get; init; } = 3;

    /// <summary>
    /// Whether a silent member is also pinged over a stream, for networks that lose UDP. Default true.
    /// </summary>
    public bool StreamPings { get; init; } = true;

    /// <summary>A broadcast is sent this many times the logarithm of the number of members. Default 4.</summary>
    public int RetransmitMultiplier { get; init; } = 4;

    /// <summary>A suspect has at least this many times log10(N) probe intervals to refute. Default 4, WAN 6.</summary>
    public int SuspicionMultiplier { get; init; } = 4;

    /// <summary>An unconfirmed suspicion lasts this many times the shortest one. Default 6.</summary>
    public int SuspicionMaxTimeoutMultiplier { get; init; } = 6;

    /// <summary>
    /// How far a member that doubts itself slows its probes down: at most this many times. Default 8.
    /// </summary>
    public int AwarenessMaxMultiplier { get; init; } = 8;

    /// <summary>
    /// How often queued broadcasts are sent. Default 200 ms, WAN 500 ms. Nothing is sent when none are queued.
    /// </summary>
    public TimeSpan GossipInterval { get; init; } = TimeSpan.FromMilliseconds(200);

    /// <summary>How many members get them each time. Default 3, WAN 4.</summary>
    public int GossipNodes { get; init; } = 3;

    /// <summary>
    /// How long a dead member still gets gossip, so that it can refute, and is remembered. Default 30 s.
    /// </summary>
    public TimeSpan GossipToTheDeadTime { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// How often everything known is exchanged with somebody. Default 30 s, WAN 60 s; grows beyond 32 members.
    /// </summary>
    public TimeSpan PushPullInterval { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long an exchange over a stream may take. Default 10 s, WAN 30 s.</summary>
    public TimeSpan StreamTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long after its death a member's name may be taken over at another address. Default 1 s.</summary>
    /// <remarks>
    /// Consul waits 30 s. A machine that is replaced under its old name should not: the old one was declared dead
    /// after several probes already, so a second's grace for its refutation on the way is enough.
    /// </remarks>
    public TimeSpan DeadNodeReclaimTime { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>How long a refused claim to a live member's name is kept, to be honoured if that member dies.</summary>
    /// <remarks>Default 60 s: longer than a detection in the largest pools.</remarks>
    public TimeSpan NameClaimTime { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>How often one of the failed members is pinged. Default 2 s, WAN 10 s; zero switches it off.</summary>
    /// <remarks>A healed partition becomes one pool again about this much later, in large pools sooner.</remarks>
    public TimeSpan ReconnectInterval { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>How long after its failure a member is still pinged. Default 72 h, Consul's.</summary>
    public TimeSpan ReconnectTimeout { get; init; } = TimeSpan.FromHours(72);

    /// <summary>
    /// Lifeguard: doubt oneself, want confirmations, tell suspects at once. Off is for comparison. Default true.
    /// </summary>
    public bool Lifeguard { get; init; } = true;

    /// <summary>memberlist's defaults for members that reach each other within milliseconds.</summary>
    public static SwimConfig Lan(string name, IPEndPoint address) => new() { Name = name, Address = address };

    /// <summary>memberlist's defaults for members in several datacenters.</summary>
    public static SwimConfig Wan(string name, IPEndPoint address) => new()
    {
        Name = name,
        Address = address,
        StreamTimeout = TimeSpan.FromSeconds(30),
        SuspicionMultiplier = 6,
        PushPullInterval = TimeSpan.FromSeconds(60),
        ProbeTimeout = TimeSpan.FromSeconds(3),
        ProbeInterval = TimeSpan.FromSeconds(5),
        GossipNodes = 4,
        GossipInterval = TimeSpan.FromMilliseconds(500),
        GossipToTheDeadTime = TimeSpan.FromSeconds(60),
        NameClaimTime = TimeSpan.FromSeconds(180),
        ReconnectInterval = TimeSpan.FromSeconds(10),
    };

    /// <summary>memberlist's defaults for members on one machine.</summary>
    public static SwimConfig Local(string name, IPEndPoint address) => new()
    {
        Name = name,
        Address = address,
        StreamTimeout = TimeSpan.FromSeconds(1),
        IndirectChecks = 1,
        RetransmitMultiplier = 2,
        SuspicionMultiplier = 3,
        PushPullInterval = TimeSpan.FromSeconds(15),
        ProbeTimeout = TimeSpan.FromMilliseconds(200),
        GossipInterval = TimeSpan.FromMilliseconds(100),
        GossipToTheDeadTime = TimeSpan.FromSeconds(15),
    };

    /// <summary>What is wrong with this configuration, one sentence each; empty when nothing is.</summary>
    public IEnumerable<string> Problems()
    {
        if (Name.Length is 0 or > SwimLimits.NameCharsMax)
        {
            yield return $"the member's name has {Name.Length} characters: use 1 to {SwimLimits.NameCharsMax}";
        }
        if (ProbeTimeout <= TimeSpan.Zero || ProbeTimeout >= ProbeInterval)
        {
            yield return $"probe timeout {ProbeTimeout} is not between zero and the probe interval {ProbeInterval}";
        }
        if (GossipInterval <= TimeSpan.Zero || PushPullInterval <= TimeSpan.Zero)
        {
            yield return $"gossip interval {GossipInterval} and push-pull interval {PushPullInterval} "
                + "must be above zero";
        }
        if (GossipNodes is < 1 or > SwimLimits.ChosenMax || IndirectChecks is < 0 or > SwimLimits.ChosenMax)
        {
            yield return $"gossip nodes {GossipNodes} or indirect checks {IndirectChecks} is not in 1 to "
                + $"{SwimLimits.ChosenMax}";
        }
        if (SuspicionMultiplier < 1 || SuspicionMaxTimeoutMultiplier < 1 || RetransmitMultiplier < 1
            || AwarenessMaxMultiplier < 1)
        {
            yield return "the multipliers of suspicion, retransmission and awareness must be 1 or more";
        }
    }
}
