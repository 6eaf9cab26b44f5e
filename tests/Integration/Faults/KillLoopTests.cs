using System.Globalization;
using Shouldly;
using Support;
using Support.Consistency;
using Xunit;

namespace Integration.Faults;

/// <summary>Servers and their etcds are killed again and again under load: nothing that was acknowledged is lost, the
/// numbers of a lock only grow, and soon somebody takes writes again.</summary>
public sealed class KillLoopTests
{
    private const string Lock = "kill-lock";
    private static readonly bool IsLong = Environment.GetEnvironmentVariable("PRAETOR_LONG") == "1";
    private static readonly int LeaderKills = Rounds("PRAETOR_LEADER_KILLS", IsLong ? 300 : 3);
    private static readonly int ClusterKills = Rounds("PRAETOR_CLUSTER_KILLS", IsLong ? 200 : 2);
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(120);
    private static readonly TimeSpan ProbePause = TimeSpan.FromMilliseconds(10);

    // What no busy machine reaches by itself: a figure is for quiet ones, a hang is not.
    private static readonly TimeSpan FailoverMax = TimeSpan.FromSeconds(30);

    // What took longer is told with the servers' logs.
    private static readonly TimeSpan Slow = TimeSpan.FromSeconds(4);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Nothing_is_lost_when_leaders_are_killed_and_another_soon_takes_writes()
    {
        Assert.SkipWhen(FaultLab.Missing is not null, FaultLab.Missing ?? "");
        await using var lab = await FaultLab.MakeAsync();
        await lab.StartAsync(Stop);
        var times = new List<double>();
        var token = 0UL;
        for (var kill = 1; kill <= LeaderKills; kill++)
        {
            await using var writes = new AckedWrites(lab, $"leader-{kill}/");
            writes.Start();
            await Eventually.HoldsAsync("some is written", Soon, () => Task.FromResult(writes.Count > 100), Stop);
            var leader = await Eventually.GivesAsync("somebody leads", Soon, lab.LeaderAsync, Stop);
            var others = lab.Servers.Where(s => s != leader).ToList();
            times.Add(await KillAsync(lab, leader, others));
            if (times[^1] > Slow.TotalMilliseconds)
            {
                TestContext.Current.TestOutputHelper?.WriteLine($"kill {kill} took {times[^1]:0} ms\n{lab.Logs()}");
            }

            var acknowledged = writes.Acknowledged();
            await writes.CheckAsync(acknowledged, lab.ProbeOf(others[0]), $"kill {kill} of {leader.Name}");
            token = await TakeLockAsync(lab, others[1], token);
            leader.StartAgain();
            await lab.ReadyAsync(Stop);
        }

        Tell("leader kill -9 to next acknowledged write", times);
        times.Max().ShouldBeLessThan(FailoverMax.TotalMilliseconds, lab.Logs());
    }

    [Fact]
    public async Task Nothing_is_lost_when_all_servers_are_killed_at_once()
    {
        Assert.SkipWhen(FaultLab.Missing is not null, FaultLab.Missing ?? "");
        await using var lab = await FaultLab.MakeAsync();
        await lab.StartAsync(Stop);
        var times = new List<double>();
        var token = 0UL;
        for (var kill = 1; kill <= ClusterKills; kill++)
        {
            await using var writes = new AckedWrites(lab, $"cluster-{kill}/");
            writes.Start();
            await Eventually.HoldsAsync("some is written", Soon, () => Task.FromResult(writes.Count > 100), Stop);
            await Task.WhenAll(lab.Servers.Select(static s => Task.Run(s.KillAsync)));
            var acknowledged = writes.Acknowledged();
            var begin = TimeProvider.System.GetTimestamp();
            await lab.HealAsync();
            await lab.ReadyAsync(Stop);
            times.Add(TimeProvider.System.GetElapsedTime(begin).TotalMilliseconds);
            await writes.CheckAsync(acknowledged, lab.ProbeOf(lab.Servers[kill % 3]), $"kill {kill} of all");
            token = await TakeLockAsync(lab, lab.Servers[kill % 3], token);
        }

        Tell("three killed servers started again to writes at each", times);
    }

    // From the kill to the first write that was sent after it and acknowledged.
    private static async Task<double> KillAsync(FaultLab lab, FaultServer leader, List<FaultServer> others)
    {
        var begin = TimeProvider.System.GetTimestamp();
        var killing = leader.KillAsync();
        using var end = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        var first = await Task.WhenAny(others.Select(async s =>
        {
            while (!await lab.ProbeOf(s).PutAsync("failover", "x"))
            {
                await Task.Delay(ProbePause, TimeProvider.System, end.Token);
            }

            return TimeProvider.System.GetElapsedTime(begin).TotalMilliseconds;
        }));
        await end.CancelAsync();
        await killing;
        return await first;
    }

    // Each hold has a larger number than the one before, whoever led then.
    private static async Task<ulong> TakeLockAsync(FaultLab lab, FaultServer at, ulong before)
    {
        Workload? workload = null;
        using var client = new HttpStoreClient(at.Socket, () => workload!, TimeSpan.FromSeconds(12));
        workload = new Workload("", 1, [client], ProbePause, TimeProvider.System);
        var session = await Eventually.GivesAsync("a session is made", Soon, client.CreateSessionAsync, Stop);
        var taken = await Eventually.GivesAsync("the lock is taken", Soon, () => TryAsync(LockVerb.Acquire), Stop);
        taken.IsDone.ShouldBeTrue("the holder before gave it back");
        var held = await Eventually.GivesAsync("the lock is read", Soon, () => TryAsync(LockVerb.Read), Stop);
        held.LockIndex.ShouldBeGreaterThan(before);
        await Eventually.GivesAsync("the lock is given back", Soon, () => TryAsync(LockVerb.End), Stop);
        return held.LockIndex;

        async Task<LockOutput?> TryAsync(LockVerb verb)
        {
            try
            {
                return await client.LockAsync(new LockInput(verb, Lock, 1), session);
            }
            catch (NotDoneException)
            {
                return null;
            }
        }
    }

    private static void Tell(string what, List<double> times)
    {
        times.Sort();
        TestContext.Current.TestOutputHelper?.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{what}: {times.Count} times, ms: median {Of(50):0} p90 {Of(90):0} p99 {Of(99):0} min {times[0]:0} "
            + $"max {times[^1]:0}"));

        double Of(int percent) => times[Math.Min(times.Count - 1, times.Count * percent / 100)];
    }

    private static int Rounds(string variable, int usual) =>
        int.TryParse(Environment.GetEnvironmentVariable(variable), CultureInfo.InvariantCulture, out var set)
            ? set : usual;
}
