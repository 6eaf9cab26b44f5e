namespace Praetor.Agent.Cluster;

/// <summary>A server that takes part in replication.</summary>
/// <param name="Id">Its node id.</param>
/// <param name="Name">Its node name.</param>
/// <param name="Address">Where it takes calls of other agents. Empty: not known.</param>
/// <param name="MemberId">Its member of etcd.</param>
/// <param name="IsVoter">Whether it has a vote.</param>
/// <param name="Leads">Whether it leads.</param>
internal sealed record ClusterServer(
    string Id, string Name, string Address, ulong MemberId, bool IsVoter, bool Leads)
{
    /// <summary>The index of its state, as the leader heard last. 0: not known here.</summary>
    public ulong LastIndex { get; init; }
}
