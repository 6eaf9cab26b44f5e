using System.Net;
using Gossip.Wire;

namespace Gossip.Serf;

/// <summary>What serf says of a member, with the numbers that its clients and Consul's API know.</summary>
public enum SerfStatus
{
    None = 0,
    Alive = 1,

    /// <summary>It said that it leaves, and still answers.</summary>
    Leaving = 2,
    Left = 3,
    Failed = 4,
}

/// <summary>A member as users see it.</summary>
public sealed record SerfMember(
    string Name, IPEndPoint Address, IReadOnlyDictionary<string, string> Tags, SerfStatus Status,
    ProtocolVersions Versions);

/// <summary>What happened to a member.</summary>
public enum MemberChange
{
    Joined,
    Updated,

    /// <summary>It left of its own will, or somebody declared a failed one as left.</summary>
    Left,
    Failed,

    /// <summary>It has been gone for so long that it is forgotten.</summary>
    Reaped,
}
