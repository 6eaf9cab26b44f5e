using Praetor.Server.Storage.Etcd;

namespace Praetor.Agent.Cluster;

/// <summary>How the lead goes to another server, and how a server goes.</summary>
internal sealed partial class ClusterNode
{
    /// <summary>How long a server that is to give the lead away waits until another one is well enough to take
    /// it.</summary>
    /// <remarks>Who leads looks at the others once a second, and hears of who was away within a few.</remarks>
    public static readonly TimeSpan SuccessorTime = TimeSpan.FromSeconds(10);

    /// <summary>The same for a server that goes in any case: leaving and ending have limits as a whole.</summary>
    public static readonly TimeSpan SuccessorTimeWhenLeaving = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan SuccessorPause = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan HandOverTime = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan HandOverPause = TimeSpan.FromMilliseconds(10);
    private static readonly TimeSpan LeaveTime = TimeSpan.FromSeconds(5);

    /// <summary>Gives the lead to another server, and waits until it has it.</summary>
    /// <param name="successor">Its node id. Empty: whoever is first.</param>
    /// <param name="stop">Ends the wait.</param>
    /// <returns>False: this server did not lead, or leads still.</returns>
    public async Task<bool> HandOverAsync(string successor, CancellationToken stop)
    {
        if (!_replica.Resign(successor))
        {
            return false;
        }

        var begin = _time.GetTimestamp();
        while (Leader is not { } leader || leader.Id == _self.Id)
        {
            if (_time.GetElapsedTime(begin) > HandOverTime)
            {
                return false;
            }

            await Task.Delay(HandOverPause, _time, stop);
        }

        return true;
    }

    /// <summary>Gives the lead to the voter that is best to lead next, once one is known to be well.</summary>
    /// <param name="patience">How long none may be: who has just begun to lead knows of nobody yet, and who was
    /// restarted is well a moment later.</param>
    /// <param name="stop">Ends the wait.</param>
    /// <returns>False: this server did not lead, or leads still.</returns>
    public async Task<bool> HandOverToBestAsync(TimeSpan patience, CancellationToken stop) =>
        await SuccessorAsync(patience, stop) is { Length: > 0 } successor && await HandOverAsync(successor, stop);

    /// <summary>The voter that is best to lead next. Empty: none is known to be well.</summary>
    public string BestSuccessor() => _care.BestSuccessor();

    /// <summary>Gives away what this server has before it goes: the lead.</summary>
    public async Task PrepareToLeaveAsync(CancellationToken stop)
    {
        _isLeaving = true;
        if (Leads && Servers().Any(s => s.IsVoter && s.Id != _self.Id))
        {
            // Then whoever is first: it goes in any case.
            _ = await HandOverAsync(await SuccessorAsync(SuccessorTimeWhenLeaving, stop), stop);
        }
    }

    /// <summary>Waits until the others have taken this server out, which needs its vote if there are few: then it may
    /// end.</summary>
    public async Task FinishLeavingAsync(CancellationToken stop)
    {
        if (_founding is null)
        {
            return;
        }

        var begin = _time.GetTimestamp();
        try
        {
            while (_time.GetElapsedTime(begin) < LeaveTime && Servers().Any(s => s.Id == _self.Id)
                && Servers().Count(static s => s.IsVoter) > 1)
            {
                await Task.Delay(HandOverPause, _time, stop);
                await RefreshAsync(stop);
            }
        }
        catch (Exception e) when (e is EtcdUnknownException or EtcdRefusedException)
        {
            // It is out, so its etcd has ended.
        }
    }

    /// <summary>Takes a server out.</summary>
    /// <returns>Why not. Null: it is out.</returns>
    public async Task<string?> RemoveAsync(ClusterServer server, CancellationToken stop)
    {
        if (_founding is null)
        {
            return "the servers share an etcd that somebody else runs, and none of them is a member of it: stop the "
                + "server, and 'force-leave' it when it did not leave";
        }

        if (server.Id == _self.Id && Leads && Servers().Any(s => s.IsVoter && s.Id != _self.Id)
            && !await HandOverToBestAsync(SuccessorTime, stop) && Leads)
        {
            return "this server leads, and no other takes the lead: none of the others was well enough within "
                + $"{SuccessorTime.TotalSeconds:0} s; 'praetor operator autopilot state' says what they lack";
        }

        var why = await _care.RemoveAsync(server.MemberId, stop);
        return why is not null && server.Id == _self.Id && await IsOutAsync(_founding, stop) ? null : why;
    }

    // An etcd that is taken out ends, often before it has answered who asked it for that: the others know.
    private async Task<bool> IsOutAsync(Founding founding, CancellationToken stop)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(stop);
        limit.CancelAfter(CallTime);
        try
        {
            ClusterStanding? standing;
            while ((standing = await founding.StandingAsync(limit.Token)) is null)
            {
                await Task.Delay(SuccessorPause, _time, limit.Token);
            }

            return !standing.IsMember;
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            return false;
        }
    }

    /// <summary>This server's etcd is known to stand still for a while.</summary>
    /// <param name="limit">How long at most.</param>
    /// <returns>What ends it. Null: no etcd of this server's runs.</returns>
    public IDisposable? ExpectSilence(TimeSpan limit) => _child?.ExpectSilence(limit);

    // Empty: none is well in time.
    private async Task<string> SuccessorAsync(TimeSpan patience, CancellationToken stop)
    {
        if (_founding is null)
        {
            // Nobody looks after the others: whoever is first.
            return "";
        }

        var begin = _time.GetTimestamp();
        while (_care.BestSuccessor() is { Length: 0 } && _replica.Leads && _time.GetElapsedTime(begin) < patience)
        {
            await Task.Delay(SuccessorPause, _time, stop);
        }

        return _care.BestSuccessor();
    }
}
