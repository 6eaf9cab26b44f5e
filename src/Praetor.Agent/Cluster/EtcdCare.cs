using Microsoft.Extensions.Logging;
using Praetor.Server.Storage.Etcd;

namespace Praetor.Agent.Cluster;

/// <summary>Looks after the space of this server's etcd: gives back what is free in its file, and lets writes through
/// again when there is room.</summary>
/// <remarks>
/// The problem: etcd refuses all writes, for good, once the file of one member has reached its quota; compaction makes
/// room inside the file only, and a member stands still while its file is written anew.
/// The idea: writing anew is worth it when at least half of a large file is free. One member at a time
/// (<see cref="UpkeepTurn"/>), which gives the lead away before; who leads does it only while little is written, unless
/// space is short. When etcd has raised its alarm nobody can write anyway: history goes, one member after the other
/// writes its file anew, and when all have, etcd's leader takes the alarm back. The lead stays then where it is, for
/// giving it away and taking it are writes.
/// </remarks>
internal sealed partial class EtcdCare(
    IEtcd etcd, IUpkeepPeers peers, long quotaBytes, TimeProvider time, Random random, ILogger log)
{
    /// <summary>What at least must be free in a file for it to be written anew.</summary>
    public const long WasteBytesMin = 256L << 20;

    /// <summary>How long after a try that failed the next one comes, at most; the first time after
    /// <see cref="RetryMin"/>.</summary>
    public static readonly TimeSpan RetryMax = TimeSpan.FromHours(1);

    /// <summary>The same after the first failure.</summary>
    public static readonly TimeSpan RetryMin = TimeSpan.FromMinutes(1);

    // A leader that does not write more than this in a second does nearly nothing: its own beat is two.
    private const long QuietRevisions = 20;
    private const double Tight = 0.8;
    private const double RoomEnough = 0.9;

    private static readonly TimeSpan SaidAgainAfter = TimeSpan.FromMinutes(1);

    private readonly Backoff _retries = new(RetryMin, RetryMax, random);
    private (long At, TimeSpan Length)? _pause;
    private (long Revision, long At) _last;
    private long _fileBytes;
    private long _saidAt;
    private bool _isAlarmed;

    /// <summary>How large this member's file was when it was looked at last; 0: it was not.</summary>
    public long FileBytes => Volatile.Read(ref _fileBytes);

    /// <summary>Does what there is to do, if anything.</summary>
    /// <param name="status">How this server's member is.</param>
    /// <param name="leads">Whether this server leads.</param>
    /// <param name="stop">Ends it.</param>
    /// <exception cref="EtcdUnknownException">etcd did not answer; the next time will do.</exception>
    /// <exception cref="EtcdRefusedException">It did not take something; the next time will do.</exception>
    public async Task TendAsync(EtcdStatus status, bool leads, CancellationToken stop)
    {
        Volatile.Write(ref _fileBytes, status.FileBytes);
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
        if (IsWorthwhile(status) && (!leads || isQuiet || isTight))
        {
            await DefragmentAsync(status, mustStepAside: true, stop);
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
            await DefragmentAsync(status, mustStepAside: false, stop);
            status = await etcd.StatusAsync(stop);
            Volatile.Write(ref _fileBytes, status.FileBytes);
        }

        // A member that has no room yet would raise it again with the next write.
        var enough = (long)(RoomEnough * quotaBytes);
        if (isInCharge && status.FileBytes < enough && !await peers.IsAnyFileAboveAsync(enough, stop))
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

    // In its turn, and not again at once when it did not work.
    private async Task DefragmentAsync(EtcdStatus before, bool mustStepAside, CancellationToken stop)
    {
        if ((_pause is { } pause && time.GetElapsedTime(pause.At) < pause.Length) || !await peers.TakeTurnAsync(stop))
        {
            return;
        }

        var isOver = true;
        try
        {
            if (mustStepAside && !await peers.StepAsideAsync(before, stop))
            {
                Log.NobodyLeads(log, Pause().TotalMinutes);
                return;
            }

            isOver = await DefragmentNowAsync(before, stop);
        }
        finally
        {
            if (isOver && !stop.IsCancellationRequested)
            {
                await peers.EndTurnAsync(stop);
            }
        }
    }

    // False: etcd may be at it yet, so no other may begin.
    private async Task<bool> DefragmentNowAsync(EtcdStatus before, CancellationToken stop)
    {
        var start = time.GetTimestamp();
        try
        {
            using (peers.ExpectSilence(EtcdClientOptions.DefragmentLimit))
            {
                await etcd.DefragmentAsync(stop);
            }

            _retries.Reset();
            _pause = (time.GetTimestamp(), RetryMin);
            Log.Defragmented(log, before.FileBytes, before.UsedBytes, time.GetElapsedTime(start).TotalMilliseconds);
            return true;
        }
        catch (Exception e) when (e is EtcdUnknownException or EtcdRefusedException)
        {
            Log.NotDefragmented(
                log, e.Message, Pause().TotalMinutes, before.UsedBytes,
                EtcdClientOptions.DefragmentLimit.TotalMinutes);
            return time.GetElapsedTime(start) < EtcdClientOptions.DefragmentLimit;
        }
    }

    private TimeSpan Pause()
    {
        var length = _retries.Next();
        _pause = (time.GetTimestamp(), length);
        return length;
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

        [LoggerMessage(4, LogLevel.Warning,
            "etcd's file could not be written anew, trying again in {Minutes:0.#} min: {Why}; it needs as much room on "
            + "its disk as is in use (bytes={Used}) and a disk that takes that within {Limit} min: make room, or raise "
            + "etcd_quota_bytes so that it need not be")]
        public static partial void NotDefragmented(ILogger log, string why, double minutes, long used, double limit);

        [LoggerMessage(5, LogLevel.Warning,
            "etcd's file is to be written anew, and no other server takes the lead meanwhile; trying again in "
            + "{Minutes:0.#} min: see 'praetor operator autopilot state' for what the others lack")]
        public static partial void NobodyLeads(ILogger log, double minutes);
    }
}
