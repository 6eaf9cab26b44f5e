using Praetor.Server.Storage.Etcd;

namespace Praetor.Agent.Cluster;

/// <summary>An etcd that is not there yet, or not now: until it is, every call fails as if it did not answer, and
/// where nobody could do a thing it says so.</summary>
internal sealed class LateEtcd : IEtcd
{
    private const int Unavailable = 14;

    private volatile IEtcd? _etcd;
    private Func<string?> _absence = static () => null;

    private IEtcd Etcd => _etcd ?? throw new EtcdUnknownException("etcd does not run yet");

    /// <summary>It is there from now on.</summary>
    /// <param name="etcd">The etcd.</param>
    /// <param name="absence">Why no process of it runs at this moment. Null result: one does, or nobody knows.</param>
    public void Arrive(IEtcd etcd, Func<string?> absence)
    {
        _absence = absence;
        _etcd = etcd;
    }

    public Task<EtcdTxnAnswer> CommitAsync(EtcdTxn txn, CancellationToken stop)
    {
        var etcd = Etcd;
        return _absence() is { } why
            ? throw new EtcdRefusedException(why, Unavailable) { IsAbsent = true } : etcd.CommitAsync(txn, stop);
    }

    public EtcdTxnAnswer Commit(EtcdTxn txn, TimeSpan within)
    {
        var etcd = Etcd;
        return _absence() is { } why
            ? throw new EtcdRefusedException(why, Unavailable) { IsAbsent = true } : etcd.Commit(txn, within);
    }

    /// <summary>It is not there any more; another may come.</summary>
    public void Leave()
    {
        var gone = _etcd;
        _etcd = null;
        gone?.Dispose();
    }

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
