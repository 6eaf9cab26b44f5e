using Praetor.Agent.Checks;
using Praetor.Agent.Membership;

namespace Praetor.Agent.Runtime;

public sealed partial class AgentRuntime
{
    /// <summary>How long leaving may take before the agent goes anyway.</summary>
    private static readonly TimeSpan LeaveTime = TimeSpan.FromSeconds(15);

    /// <summary>How long another server may take to take the lead when this one ends. It includes the time in which
    /// this server looks for one that is well (<see cref="Cluster.ClusterNode.SuccessorTimeWhenLeaving"/>); then the
    /// lead goes to whoever takes it first.</summary>
    private static readonly TimeSpan HandOverTime = TimeSpan.FromSeconds(5);

    /// <summary>How long one part may take to stop before the next one is stopped: the longest is a server with a write
    /// whose outcome is not known (5 s) and an etcd that must be killed (5 s).</summary>
    private static readonly TimeSpan PartTime = TimeSpan.FromSeconds(12);

    /// <summary>Leaves the cluster, gracefully, and ends.</summary>
    public async Task LeaveAsync()
    {
        Log.Leaving(_logger);
        try
        {
            using var limit = new CancellationTokenSource(LeaveTime, _time);
            await _server.PrepareToLeaveAsync(limit.Token);
            await _local.AntiEntropy.EndAsync().WaitAsync(limit.Token);
            await _membership.LeaveAsync(limit.Token);
            await DrainAsync();
            await _server.FinishLeavingAsync(limit.Token);
        }
        catch (OperationCanceledException)
        {
            Log.LeftUnheard(_logger, LeaveTime);
        }

        _ended.TrySetResult(true);
    }

    // Others ask another server from now on; what they have asked this one is still answered.
    private async Task DrainAsync()
    {
        var time = _started.Values.Duration("performance.leave_drain_time");
        var hasOthers = _membership.AgentCount > 0
            || _membership.Members(wan: true).Any(static member => member.Status == MemberStatus.Alive);
        if (_started.IsServer && time > TimeSpan.Zero && hasOthers)
        {
            Log.Draining(_logger, GoText.Duration(time));
            await Task.Delay(time, _time);
        }
    }
    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        Log.Stopping(_logger);
        await HandOverAsync();
        await StopAsync("tools", StopToolsAsync());
        await StopAsync("proxies", _proxies.DisposeAsync());
        await StopAsync("membership", _membership.DisposeAsync());
        await StopAsync("interfaces", _interfaces.DisposeAsync());
        await StopAsync("checks and anti-entropy", _local.DisposeAsync());
        await StopAsync("server", _server.DisposeAsync());
        await StopAsync("links to servers", _links.DisposeAsync());
        _reloads.Dispose();
        Log.Stopped(_logger);
        _log.Dispose();
    }

    // What hangs must not keep the others from ending well, an etcd above all.
    private async Task StopAsync(string part, ValueTask stopping)
    {
        var stopped = stopping.AsTask();
        if (await Task.WhenAny(stopped, Task.Delay(PartTime, _time)) != stopped)
        {
            Log.Hangs(_logger, part, _server.Ending, PartTime);
            return;
        }

        await stopped;
    }

    // First of all: while this agent ends, requests that came to it find another leader.
    private async Task HandOverAsync()
    {
        try
        {
            using var limit = new CancellationTokenSource(HandOverTime, _time);
            await _server.PrepareToLeaveAsync(limit.Token);
        }
        catch (OperationCanceledException)
        {
            // The others will notice that it is gone.
        }
    }
}
