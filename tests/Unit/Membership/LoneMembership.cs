using Gossip.Coordinates;
using Gossip.Pool;
using Praetor.Agent.Http.Endpoints;
using Praetor.Agent.Membership;

namespace Unit.Membership;

/// <summary>An agent that gossips with nobody: the one member there is.</summary>
internal sealed class LoneMembership(AgentFacts facts) : IMembership, INetworkCoordinates
{
    public AgentMember Self(bool wan) => wan ? facts.WanMember() : facts.Member();

    public IReadOnlyList<AgentMember> Members(bool wan) => wan && !facts.Node.IsServer ? [] : [Self(wan)];

    public bool IsEncrypted(bool wan) => false;

    public PoolFigures? Figures(bool wan) => null;

    public Task<JoinOutcome> JoinAsync(IReadOnlyList<string> addresses, bool wan, CancellationToken stop)
    {
        var failures = string.Concat(addresses.Select(static address =>
            $"\t* Failed to join {address}: this agent takes part in no cluster\n"));
        var count = addresses.Count == 1 ? "1 error" : $"{addresses.Count} errors";
        return Task.FromResult(new JoinOutcome(0, $"{count} occurred:\n{failures}\n"));
    }

    public Task<string?> ForceLeaveAsync(string name, bool prune, bool wan, CancellationToken stop) =>
        Task.FromResult(Members(wan).Any(m => m.Name == name) ? null : $"agent: No node found with name '{name}'");

    public Task LeaveAsync(CancellationToken stop) => Task.CompletedTask;

    public Coordinate Own(bool wan) => Coordinate.Origin;

    public Coordinate? Of(string member, bool wan) => Self(wan).Name == member ? Coordinate.Origin : null;
}
