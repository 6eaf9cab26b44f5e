using Praetor.Server.Storage.Etcd;

namespace Praetor.Agent.Cluster;

/// <summary>An etcd that is not there yet: until it is, every call fails as if it did not answer.</summary>
internal sealed class LateEtcd : IEtcd
{
    private volatile IEtcd? _etcd;

    private IEtcd Etcd => _etcd ?? throw new EtcdUnknownException("etcd does not run yet");

    /// <summary>It is there from now on.</summary>
    public void Arrive(IEtcd etcd) => _etcd = etcd;

    /// <summary>It is not there any more; another may come.</summary>
    public void Leave()
    {
        var gone = _etcd;
        _etcd = null;
        gone?.Dispose();
    }

    public Task<EtcdTxnAnswer> CommitAsync(EtcdTxn txn, CancellationToken stop) => Etcd.CommitAsync(txn, stop);

    public IAsyncEnumerable<EtcdEvent> WatchAsync(byte[] key, byte[] end, long fromRevision, CancellationToken stop) =>
        Etcd.WatchAsync(key, end, fromRevision, stop);

    public Task<EtcdStatus> StatusAsync(CancellationToken stop) => Etcd.StatusAsync(stop);

    public Task<IReadOnlyList<EtcdMember>> MembersAsync(CancellationToken stop) => Etcd.MembersAsync(stop);

    public Task ChangeMembersAsync(EtcdMemberChange change, CancellationToken stop) =>
        Etcd.ChangeMembersAsync(change, stop);

    public Task CompactAsync(long revision, CancellationToken stop) => Etcd.CompactAsync(revision, stop);

    public Task DefragmentAsync(CancellationToken stop) => Etcd.DefragmentAsync(stop);

    public Task ClearSpaceAlarmAsync(CancellationToken stop) => Etcd.ClearSpaceAlarmAsync(stop);

    public void Dispose() => _etcd?.Dispose();
}
