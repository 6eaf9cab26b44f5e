using Shouldly;
using Support.Consistency;
using Xunit;

namespace Integration.Faults;

/// <summary>Clients of three real servers and etcds, while these are killed, stopped, cut off and slowed down: what the
/// clients saw is one order.</summary>
public sealed class HistoryTests
{
    private const int Clients = 9;
    private static readonly bool IsLong = Environment.GetEnvironmentVariable("PRAETOR_LONG") == "1";
    private static readonly int Calls = IsLong ? 3000 : 1000;
    private static readonly int Rounds =
        int.TryParse(Environment.GetEnvironmentVariable("PRAETOR_HISTORIES"), out var set) ? set : IsLong ? 12 : 1;

    private static readonly int FirstSeed =
        int.TryParse(Environment.GetEnvironmentVariable("PRAETOR_SEED"), out var seed) ? seed : 1;

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(55);
    private static readonly TimeSpan ShortestFault = TimeSpan.FromSeconds(2.5);
    private static readonly TimeSpan LongestFault = TimeSpan.FromSeconds(IsLong ? 20 : 4);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public Task With_servers_that_are_killed() => CheckAsync(1, Fault.KillAgent, Fault.KillEtcd);

    [Fact]
    public Task With_servers_that_stand_still() => CheckAsync(2, Fault.StopAgent, Fault.StopEtcd, Fault.StopBoth);

    [Fact]
    public Task With_a_network_that_falls_apart() => CheckAsync(3, Fault.Cut, Fault.CutTowards, Fault.CutFrom);

    [Fact]
    public Task With_slow_disks_wrong_clocks_and_planned_changes() =>
        CheckAsync(4, Fault.SlowDisk, Fault.Resign, Fault.Clock);

    [Fact]
    public Task With_everything_in_turn()
    {
        Assert.SkipUnless(IsLong, "only in long runs: set PRAETOR_LONG=1");
        return CheckAsync(5, [.. Enum.GetValues<Fault>()]);
    }

    private static async Task CheckAsync(int kind, params Fault[] plan)
    {
        Assert.SkipWhen(FaultLab.Missing is not null, FaultLab.Missing ?? "");
        await using var lab = await FaultLab.MakeAsync(setsClocks: plan.Contains(Fault.Clock));
        await lab.StartAsync(Stop);
        for (var round = 0; round < Rounds; round++)
        {
            var seed = (100 * kind) + FirstSeed + round;
            await CheckAsync(lab, seed, plan);
        }
    }

    private static async Task CheckAsync(FaultLab lab, int seed, Fault[] plan)
    {
        var random = new Random(seed);
        plan = [.. plan.Where(static f => f != Fault.Clock || FaultServer.FakeClock is not null)];
        random.Shuffle(plan);
        Workload? workload = null;
        var clients = lab.Clients(Clients, () => workload!);
        try
        {
            workload = new Workload($"h{seed}/", seed, clients, Pause, TimeProvider.System);
            var driver = new FaultDriver(lab, random, ShortestFault, LongestFault);
            using var end = CancellationTokenSource.CreateLinkedTokenSource(Stop);
            var faults = driver.RunAsync(plan, end.Token);
            await workload.RunAsync(Calls, Stop);
            await end.CancelAsync();
            await faults;
            await lab.ReadyAsync(Stop);
            var what = $"seed {seed}; {string.Join(", ", driver.Done)}; {workload.Known} of {workload.Count} known";
            TestContext.Current.TestOutputHelper?.WriteLine(what);
            workload.ProblemOf().ShouldBeNull($"{what}\n{lab.Logs()}");
            workload.Known.ShouldBeGreaterThan(Calls / 2, $"hardly anything was answered; {what}\n{lab.Logs()}");
        }
        finally
        {
            clients.ForEach(static c => c.Dispose());
        }
    }
}
