namespace Praetor.Agent.Membership;

/// <summary>What is known of a member's life; the numbers are the API's.</summary>
internal enum MemberStatus
{
    None = 0,
    Alive = 1,
    Leaving = 2,
    Left = 3,
    Failed = 4,
}

/// <summary>An agent of the cluster, as membership sees it.</summary>
internal sealed record AgentMember(
    string Name, string Address, int Port, IReadOnlyDictionary<string, string> Tags, MemberStatus Status)
{
    /// <summary>The oldest gossip protocol it understands.</summary>
    public byte ProtocolMin { get; init; } = 1;

    /// <summary>The newest one.</summary>
    public byte ProtocolMax { get; init; } = 5;

    /// <summary>The one it speaks.</summary>
    public byte ProtocolCurrent { get; init; } = 2;

    /// <summary>The same for the protocol of events and queries above it.</summary>
    public byte DelegateMin { get; init; } = 2;

    public byte DelegateMax { get; init; } = 5;

    public byte DelegateCurrent { get; init; } = 4;
}
