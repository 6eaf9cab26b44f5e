using System.Text;
using Microsoft.Extensions.Logging;
using Praetor.Server.Storage.Etcd;

namespace Praetor.Agent.Cluster;

/// <summary>Looks after the space of this server's etcd: gives back what is free in its file, and lets writes through
/// again when there is room.</summary>
/// <remarks>
/// The problem: etcd refuses all writes, for good, once the file of one member has reached its quota; compaction makes
/// room inside the file only, and a member stands still while its file is written anew.
/// The idea: writing anew is worth it when at least half of a large file is free; one member at a time, by a claim in
/// etcd; the leader's own only while little is written, unless space is short. When etcd has raised its alarm nobody
/// can write anyway: history goes, every member writes its file anew, and etcd's leader takes the alarm back.
/// </remarks>
internal sealed partial class EtcdCare(
    IEtcd etcd, string datacenter, long quotaBytes, TimeProvider time, ILogger log)
{
    /// <summary>What at least must be free in a file for it to be written anew.</summary>
    public const long WasteBytesMin = 256L << 20;

    // A leader that does not write more than this in a second does nearly nothing: its own beat is two.
    private const long QuietRevisions = 20;
    private const double Tight = 0.8;
    private const double RoomEnough = 0.9;

    // Longer than the largest file takes; who claims and dies does not keep others from it for ever.
    private static readonly TimeSpan ClaimTime = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan SaidAgainAfter = TimeSpan.FromMinutes(1);

    private readonly byte[] _claim = Encoding.UTF8.GetBytes($"praetor/{datacenter}/upkeep");
    private (long Revision, long At) _claimed;
    private (long Revision, long At) _last;
    private long _saidAt;
    private bool _isAlarmed;

    /// <summary>Does what there is to do, if anything.</summary>
    /// <param name="status">How this server's member is.</param>
    /// <param name="leads">Whether this server leads.</param>
    /// <param name="stop">Ends it.</param>
    /// <exception cref="EtcdUnknownException">etcd did not answer; the next time will do.</exception>
    /// <exception cref="EtcdRefusedException">It did not take something; the next time will do.</exception>
    public async Task TendAsync(EtcdStatus status, bool leads, CancellationToken stop)
    {
        var isQuiet = IsQuiet(status);
        if (status.HasSpaceAlarm)
        {
            await MakeRoomAsync(status, stop);
            return;
        }

        if (_isAlarmed)
        {
            _isAlarmed = false;
            Log.HasRoom(log, status.FileBytes, quotaBytes);
        }

        var isTight = status.FileBytes > Tight * quotaBytes;
        if (IsWorthwhile(status) && (!leads || isQuiet || isTight) && await ClaimAsync(stop))
        {
            await DefragmentAsync(status, stop);
            await etcd.CommitAsync(new EtcdTxn([], [new EtcdDelete(_claim, null)], []), stop);
        }
    }

    private static bool IsWorthwhile(EtcdStatus status) =>
        status.FileBytes - status.UsedBytes >= Math.Max(WasteBytesMin, status.FileBytes / 2);

    // Whether little was written since the last look.
    private bool IsQuiet(EtcdStatus status)
    {
        var now = time.GetTimestamp();
        var seconds = time.GetElapsedTime(_last.At, now).TotalSeconds;
        var isQuiet = _last.Revision > 0 && status.Revision - _last.Revision <= QuietRevisions * Math.Max(1, seconds);
        _last = (status.Revision, now);
        return isQuiet;
    }

    private async Task MakeRoomAsync(EtcdStatus status, CancellationToken stop)
    {
        // Not the server that leads: without space none may be able to.
        var isInCharge = status.LeaderId == status.MemberId;
        if (!_isAlarmed || time.GetElapsedTime(_saidAt) > SaidAgainAfter)
        {
            (_isAlarmed, _saidAt) = (true, time.GetTimestamp());
            Log.NoSpace(log, status.FileBytes, quotaBytes);
        }

        if (isInCharge)
        {
            await ForgetHistoryAsync(status.Revision, stop);
            status = await etcd.StatusAsync(stop);
        }

        if (status.FileBytes - status.UsedBytes > status.FileBytes / 8)
        {
            await DefragmentAsync(status, stop);
            status = await etcd.StatusAsync(stop);
        }

        if (isInCharge && status.FileBytes < RoomEnough * quotaBytes)
        {
            await etcd.ClearSpaceAlarmAsync(stop);
        }
    }

    private async Task ForgetHistoryAsync(long revision, CancellationToken stop)
    {
        try
        {
            await etcd.CompactAsync(revision, stop);
        }
        catch (EtcdRefusedException)
        {
            // It was forgotten before.
        }
    }

    private async Task DefragmentAsync(EtcdStatus before, CancellationToken stop)
    {
        var start = time.GetTimestamp();
        await etcd.DefragmentAsync(stop);
        Log.Defragmented(log, before.FileBytes, before.UsedBytes, time.GetElapsedTime(start).TotalMilliseconds);
    }

    private async Task<bool> ClaimAsync(CancellationToken stop)
    {
        EtcdOp[] put = [new EtcdPut(_claim, [])];
        var answer = await etcd.CommitAsync(
            new EtcdTxn([new EtcdCompare(_claim, 0)], put, [new EtcdRange(_claim, null)]), stop);
        if (answer.Succeeded)
        {
            return true;
        }

        var revision = answer.Answers[0].Rows is [var row] ? row.ModRevision : 0;
        if (revision != _claimed.Revision)
        {
            _claimed = (revision, time.GetTimestamp());
        }

        return time.GetElapsedTime(_claimed.At) >= ClaimTime
            && (await etcd.CommitAsync(new EtcdTxn([new EtcdCompare(_claim, revision)], put, []), stop)).Succeeded;
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Error,
            "etcd has no space left and refuses writes: a member's file has reached its quota (here: bytes={Bytes} "
            + "quota={Quota}); delete what is not needed, or raise etcd_quota_bytes and restart the servers, one "
            + "after the other")]
        public static partial void NoSpace(ILogger log, long bytes, long quota);

        [LoggerMessage(2, LogLevel.Information, "etcd has room again: bytes={Bytes} quota={Quota}")]
        public static partial void HasRoom(ILogger log, long bytes, long quota);

        [LoggerMessage(3, LogLevel.Information,
            "etcd's file was written anew: before={Bytes} used={Used} milliseconds={Milliseconds:0}")]
        public static partial void Defragmented(ILogger log, long bytes, long used, double milliseconds);
    }
}
