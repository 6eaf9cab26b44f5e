using System.Net;
using Gossip.Wire;

namespace Gossip.Swim;

/// <summary>What this member believes of one member at one time. Never changes; news makes another object.</summary>
public sealed class Member
{
    public Member(PushNodeState known, TimeSpan changedAt)
    {
        Known = known;
        ChangedAt = changedAt;
        NameHash = known.Name.GetHashCode(StringComparison.Ordinal);
    }

    /// <summary>The belief as it is told to others.</summary>
    public PushNodeState Known { get; }

    /// <summary>When <see cref="State"/> last changed, on the clock of the driver.</summary>
    public TimeSpan ChangedAt { get; }

    public string Name => Known.Name;

    public IPEndPoint Address => Known.Address;

    public ReadOnlyMemory<byte> Meta => Known.Meta;

    public uint Incarnation => Known.Incarnation;

    public MemberState State => Known.State;

    public ProtocolVersions Versions => Known.Versions;

    /// <summary>Whether it failed or left.</summary>
    public bool IsGone => State is MemberState.Dead or MemberState.Left;

    internal int NameHash { get; }

    internal Member With(MemberState state, uint incarnation, TimeSpan now) =>
        new(Known with { State = state, Incarnation = incarnation }, state == State ? ChangedAt : now);

    internal Alive ToAlive() => new(Incarnation, Name, Address, Meta, Versions);
}
