namespace Praetor.Server.Storage.Etcd;

/// <summary>One etcd, as much of it as the product needs. Keys and values are bytes.</summary>
/// <remarks>
/// All calls end within the limit that the implementation was given; none retries by itself, for only the caller knows
/// whether doing a thing twice does harm.
/// </remarks>
public interface IEtcd : IDisposable
{
    /// <summary>Does all of <see cref="EtcdTxn.Then"/> when every condition holds, else all of
    /// <see cref="EtcdTxn.Else"/>.</summary>
    /// <exception cref="EtcdUnknownException">It may have been done, or be done yet.</exception>
    /// <exception cref="EtcdRefusedException">It was certainly not done.</exception>
    Task<EtcdTxnAnswer> CommitAsync(EtcdTxn txn, CancellationToken stop);

    /// <summary>The same on the thread of the caller, which waits: the shortest way there and back. One at a
    /// time.</summary>
    /// <param name="txn">The transaction.</param>
    /// <param name="within">How long it may take.</param>
    /// <exception cref="EtcdUnknownException">It may have been done, or be done yet.</exception>
    /// <exception cref="EtcdRefusedException">It was certainly not done.</exception>
    EtcdTxnAnswer Commit(EtcdTxn txn, TimeSpan within);

    /// <summary>Tells of changes of keys in a range from a revision on, in order. Only a hint: events may be late, lost
    /// or told twice (versions of etcd that people run do so).</summary>
    /// <param name="key">The first key.</param>
    /// <param name="end">The first key beyond the range.</param>
    /// <param name="fromRevision">The first revision of interest; 0: from now on.</param>
    /// <param name="stop">Ends it.</param>
    /// <exception cref="EtcdUnknownException">The connection broke; begin again.</exception>
    /// <exception cref="EtcdRefusedException">It cannot be watched from there (compacted); begin from 0.</exception>
    IAsyncEnumerable<EtcdEvent> WatchAsync(byte[] key, byte[] end, long fromRevision, CancellationToken stop);

    /// <summary>How this member is.</summary>
    /// <exception cref="EtcdUnknownException">It did not answer.</exception>
    Task<EtcdStatus> StatusAsync(CancellationToken stop);

    /// <summary>All members, as this one knows them.</summary>
    /// <exception cref="EtcdUnknownException">It did not answer.</exception>
    Task<IReadOnlyList<EtcdMember>> MembersAsync(CancellationToken stop);

    /// <summary>Changes the membership.</summary>
    /// <exception cref="EtcdUnknownException">It may have been done.</exception>
    /// <exception cref="EtcdRefusedException">It was not done.</exception>
    Task ChangeMembersAsync(EtcdMemberChange change, CancellationToken stop);

    /// <summary>Forgets what is older than a revision, and gives the room back for use.</summary>
    /// <exception cref="EtcdUnknownException">It may have been done.</exception>
    /// <exception cref="EtcdRefusedException">It was not done (compacted already).</exception>
    Task CompactAsync(long revision, CancellationToken stop);

    /// <summary>Gives room that is free inside this member's file back to the disk. The member stands still
    /// meanwhile.</summary>
    /// <exception cref="EtcdUnknownException">It may have been done.</exception>
    Task DefragmentAsync(CancellationToken stop);

    /// <summary>Lets writes through again after the alarm for lack of space, when there is space.</summary>
    /// <exception cref="EtcdUnknownException">It may have been done.</exception>
    Task ClearSpaceAlarmAsync(CancellationToken stop);
}

/// <summary>A key must have been changed last at this revision; 0: it must not be there.</summary>
public sealed record EtcdCompare(byte[] Key, long ModRevision);

/// <summary>One operation of a transaction.</summary>
public abstract record EtcdOp;

/// <summary>Sets a key.</summary>
public sealed record EtcdPut(byte[] Key, byte[] Value) : EtcdOp;

/// <summary>Removes keys.</summary>
/// <param name="Key">The first.</param>
/// <param name="End">The first that stays. Null: only <paramref name="Key"/> is removed.</param>
public sealed record EtcdDelete(byte[] Key, byte[]? End) : EtcdOp;

/// <summary>Reads keys in order.</summary>
/// <remarks>etcd has a limit for what it answers, too, but then still counts all keys of the range.</remarks>
/// <param name="Key">The first.</param>
/// <param name="End">The first beyond. Null: only <paramref name="Key"/>.</param>
public sealed record EtcdRange(byte[] Key, byte[]? End) : EtcdOp;

/// <summary>A transaction. One with a put or a delete goes through the log of all members, and its reads see the state
/// at its place there.</summary>
public sealed record EtcdTxn(
    IReadOnlyList<EtcdCompare> If, IReadOnlyList<EtcdOp> Then, IReadOnlyList<EtcdOp> Else);

/// <summary>What a transaction did.</summary>
/// <param name="Succeeded">Whether all conditions held.</param>
/// <param name="Revision">The store's revision after it.</param>
/// <param name="Answers">One for each operation that was done, in order.</param>
public sealed record EtcdTxnAnswer(bool Succeeded, long Revision, IReadOnlyList<EtcdOpAnswer> Answers);

/// <summary>What one operation answered.</summary>
/// <param name="Rows">What a range read; empty for others.</param>
public sealed record EtcdOpAnswer(IReadOnlyList<EtcdRow> Rows);

/// <summary>A key that is there.</summary>
public readonly record struct EtcdRow(byte[] Key, byte[] Value, long ModRevision);

/// <summary>A key that changed.</summary>
/// <param name="Row">As it is now; without a value when it was removed.</param>
/// <param name="IsRemoved">Whether it was removed.</param>
public readonly record struct EtcdEvent(EtcdRow Row, bool IsRemoved);

/// <summary>How a member is.</summary>
/// <param name="MemberId">Its id.</param>
/// <param name="LeaderId">The id of the one that leads, in its view; 0: none does.</param>
/// <param name="Term">The raft term.</param>
/// <param name="Version">The program's version, as <c>3.5.30</c>.</param>
/// <param name="FileBytes">How large its file is.</param>
/// <param name="UsedBytes">How much of that is in use.</param>
/// <param name="IsLearner">Whether it has no vote yet.</param>
/// <param name="Revision">The store's revision, in its view.</param>
/// <param name="HasSpaceAlarm">Whether writes are refused for lack of space.</param>
public sealed record EtcdStatus(
    ulong MemberId, ulong LeaderId, ulong Term, string Version, long FileBytes, long UsedBytes, bool IsLearner,
    long Revision, bool HasSpaceAlarm);

/// <summary>A member.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Name">Its name; empty: it was added and has not started yet.</param>
/// <param name="PeerUrls">Where other members reach it.</param>
/// <param name="IsLearner">Whether it has no vote yet.</param>
public sealed record EtcdMember(ulong Id, string Name, IReadOnlyList<string> PeerUrls, bool IsLearner);

/// <summary>A change of the membership.</summary>
public abstract record EtcdMemberChange
{
    /// <summary>Adds a member without a vote.</summary>
    public sealed record AddLearner(string PeerUrl) : EtcdMemberChange;

    /// <summary>Gives a member its vote; refused until it has caught up.</summary>
    public sealed record Promote(ulong Id) : EtcdMemberChange;

    /// <summary>Takes a member out.</summary>
    public sealed record Remove(ulong Id) : EtcdMemberChange;

    /// <summary>Makes a member lead; only the member that leads can be asked.</summary>
    public sealed record MoveLeader(ulong Id) : EtcdMemberChange;
}

/// <summary>Nobody knows whether a call was done: it timed out, or the connection broke.</summary>
public sealed class EtcdUnknownException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>A call was certainly not done.</summary>
/// <param name="message">Why, in etcd's words.</param>
/// <param name="code">gRPC's status code.</param>
public sealed class EtcdRefusedException(string message, int code) : Exception(message)
{
    /// <summary>gRPC's status code, as 8 for lack of space and 11 for what is compacted.</summary>
    public int Code { get; } = code;

    /// <summary>Whether no process was there that could have done it.</summary>
    public bool IsAbsent { get; init; }

    /// <summary>Whether there is no space to write to.</summary>
    /// <remarks>The code alone would also mean that etcd has too many requests, or that one is too large.</remarks>
    public bool IsNoSpace => Code == 8 && Message.Contains("space exceeded", StringComparison.Ordinal);

    /// <summary>Whether the request is larger than etcd takes.</summary>
    public bool IsTooLarge => (Code == 3 && Message.Contains("too large", StringComparison.Ordinal))
        || (Code == 8 && Message.Contains("larger than max", StringComparison.Ordinal));
}
