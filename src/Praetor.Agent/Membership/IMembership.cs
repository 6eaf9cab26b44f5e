using Gossip.Coordinates;
using Gossip.Pool;
using Praetor.Server.Coordinates;

namespace Praetor.Agent.Membership;

/// <summary>Who else is there, and the ways in and out. The LAN is this datacenter's agents, the WAN all datacenters'
/// servers.</summary>
internal interface IMembership
{
    /// <summary>This agent as the others see it.</summary>
    AgentMember Self(bool wan);

    /// <summary>Everybody known, whatever their status; WAN names are <c>node.datacenter</c>.</summary>
    IReadOnlyList<AgentMember> Members(bool wan);

    /// <summary>Whether what members say to each other is encrypted.</summary>
    bool IsEncrypted(bool wan);

    /// <summary>Numbers about the pool. Null: this agent is not in it.</summary>
    PoolFigures? Figures(bool wan);

    /// <summary>Joins the cluster that the addresses belong to.</summary>
    Task<JoinOutcome> JoinAsync(IReadOnlyList<string> addresses, bool wan, CancellationToken stop);

    /// <summary>Declares a member as left.</summary>
    /// <param name="name">The member.</param>
    /// <param name="prune">Whether it is forgotten at once.</param>
    /// <param name="wan">Whether only the WAN is meant.</param>
    /// <param name="stop">Gives up.</param>
    /// <returns>Why not, in Consul's words. Null: it was done.</returns>
    Task<string?> ForceLeaveAsync(string name, bool prune, bool wan, CancellationToken stop);

    /// <summary>Tells the others that this agent goes; who called ends the process afterwards.</summary>
    Task LeaveAsync(CancellationToken stop);
}

/// <summary>What became of a join.</summary>
/// <param name="Joined">How many of the addresses answered.</param>
/// <param name="Problem">Why it did not come about, in Consul's words. Null: it did.</param>
internal sealed record JoinOutcome(int Joined, string? Problem);

/// <summary>Where members are in the network, by what was measured.</summary>
internal interface INetworkCoordinates
{
    /// <summary>This agent's own place.</summary>
    Coordinate Own(bool wan);

    /// <summary>The place that another member told. Null: none so far.</summary>
    Coordinate? Of(string member, bool wan);
}
