using Praetor.Server.Storage.Etcd;

namespace Praetor.Agent.Cluster;

/// <summary>What a member of etcd that is about to stand still has to mind: the other servers, and who watches
/// it.</summary>
internal interface IUpkeepPeers
{
    /// <summary>Asks whether this member may stand still now; no other may until its turn has ended.</summary>
    /// <returns>False: another one does, or too few answer.</returns>
    Task<bool> TakeTurnAsync(CancellationToken stop);

    /// <summary>Another member may.</summary>
    Task EndTurnAsync(CancellationToken stop);

    /// <summary>Gives away what others would miss: the lead, and etcd's own.</summary>
    /// <returns>False: nobody takes it now, so this member must go on. Who is alone has nobody that would.</returns>
    Task<bool> StepAsideAsync(EtcdStatus status, CancellationToken stop);

    /// <summary>Whether a file of another member is too large yet for writes to be let through.</summary>
    /// <param name="most">How large it may be.</param>
    /// <param name="stop">Ends the wait.</param>
    Task<bool> IsAnyFileAboveAsync(long most, CancellationToken stop);

    /// <summary>Nobody takes this member for hung until what is given back is disposed, or the time is over.
    /// Null: nobody watches it.</summary>
    IDisposable? ExpectSilence(TimeSpan limit);
}
