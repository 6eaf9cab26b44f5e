using System.Text.Json.Serialization;
using Praetor.Agent.Membership;

namespace Praetor.Agent.Cluster;

/// <summary>What a server says of its part in replication when the leader asks.</summary>
/// <param name="HasState">Whether it follows the log. False: it has no vote yet, or still reads.</param>
/// <param name="Term">The number of the leadership that it knows.</param>
/// <param name="Index">The index of its state.</param>
/// <param name="SilenceMilliseconds">For how long it has not heard the leader.</param>
internal sealed record ServerReport(bool HasState, ulong Term, ulong Index, long SilenceMilliseconds)
{
    [JsonIgnore]
    public TimeSpan Silence => TimeSpan.FromMilliseconds(SilenceMilliseconds);

    /// <summary>How large the file of its etcd is. 0: it does not say.</summary>
    public long FileBytes { get; init; }
}

/// <summary>A server as the leader judges it.</summary>
internal sealed record ServerHealth
{
    public required string Id { get; init; }

    public required string Name { get; init; }

    /// <summary>Where it takes calls of other agents. Empty: not known.</summary>
    public required string Address { get; init; }

    public required MemberStatus Status { get; init; }

    /// <summary>The version of Consul that it stands for. Empty: not known.</summary>
    public required string Version { get; init; }

    public required bool IsLeader { get; init; }

    public required bool IsVoter { get; init; }

    /// <summary>How much later than expected the leader's last sign was.</summary>
    public TimeSpan LastContact { get; init; }

    public ulong LastTerm { get; init; }

    public ulong LastIndex { get; init; }

    public required bool IsHealthy { get; init; }

    /// <summary>Since when it is as healthy, or as unhealthy, as now.</summary>
    public required DateTimeOffset StableSince { get; init; }
}

/// <summary>All servers as the leader judges them.</summary>
internal sealed record ClusterHealth(IReadOnlyList<ServerHealth> Servers)
{
    /// <summary>Nothing was looked at yet.</summary>
    public static readonly ClusterHealth Unknown = new([]);

    public bool IsHealthy => Servers.Count > 0 && Servers.All(static s => s.IsHealthy);

    /// <summary>How many more voters may fail.</summary>
    public int FailureTolerance
    {
        get
        {
            var voters = Servers.Count(static s => s.IsVoter);
            return Math.Max(0, Servers.Count(static s => s is { IsVoter: true, IsHealthy: true }) - Quorum(voters));
        }
    }

    /// <summary>How many of so many voters must agree.</summary>
    public static int Quorum(int voters) => (voters / 2) + 1;
}
