using System.Globalization;
using Shouldly;
using Support;
using Xunit;

namespace Integration.Membership;

/// <summary>Ten agents with a real network between them, with the intervals of a LAN: failures, loss,
/// partitions.</summary>
public sealed class NetworkTests
{
    private const int Machines = 10;
    private const int KillsInLongRun = 24;
    private static readonly TimeSpan UntilJoined = TimeSpan.FromSeconds(60);

    // The goal: seen everywhere within 9 s in 99 of 100 cases; a test that may not fail by chance gives it 12.
    private static readonly TimeSpan UntilFailed = TimeSpan.FromSeconds(12);
    private static readonly TimeSpan UntilHealed = TimeSpan.FromSeconds(10);

    private static bool IsLong => Environment.GetEnvironmentVariable("PRAETOR_LONG") == "1";

    [Fact]
    public async Task A_machine_that_loses_its_power_is_seen_as_failed_everywhere_and_welcomed_back()
    {
        Assert.SkipUnless(NetworkLab.IsPossible, NetworkLab.Missing);
        await using var lab = await StartedAsync();
        var victim = lab.Machines[6];

        victim.Kill();
        var rest = lab.Machines.Where(machine => machine != victim).ToList();
        await AllSeeAsync(rest, victim.Name, "failed", UntilFailed);

        victim.StartAgain();
        await AllSeeAsync(lab.Machines, victim.Name, "alive", UntilJoined);
    }

    [Fact]
    public async Task Of_many_machines_that_lose_their_power_the_failures_are_seen_everywhere_in_time()
    {
        Assert.SkipUnless(NetworkLab.IsPossible, NetworkLab.Missing);
        Assert.SkipUnless(IsLong, "only in long runs: set PRAETOR_LONG=1");
        await using var lab = await StartedAsync();
        var random = new Random(1);
        var slowest = new List<double>();
        for (var kills = 0; kills < KillsInLongRun; kills++)
        {
            // A phase of its own for each: the probes of the others come every second.
            await Task.Delay(TimeSpan.FromMilliseconds(random.Next(1_000)), TimeProvider.System);
            var victim = lab.Machines[random.Next(1, Machines)];
            victim.Kill();
            var rest = lab.Machines.Where(machine => machine != victim);
            var times = await Task.WhenAll(rest.Select(machine => SeenAsync(machine, victim.Name, "failed")));
            slowest.Add(times.Max().TotalSeconds);
            victim.StartAgain();
            await EverybodyLivesAsync(lab, UntilJoined);
        }

        slowest.Sort();
        TestContext.Current.SendDiagnosticMessage(
            $"{KillsInLongRun} kills of 10 agents: seen everywhere after (s) "
            + string.Join(' ', slowest.Select(static s => s.ToString("f1", CultureInfo.InvariantCulture))));
        slowest[^1].ShouldBeLessThanOrEqualTo(UntilFailed.TotalSeconds);
    }

    [Fact]
    public async Task Three_packets_of_ten_lost_make_nobody_fail()
    {
        Assert.SkipUnless(NetworkLab.IsPossible, NetworkLab.Missing);
        await using var lab = await StartedAsync();
        foreach (var machine in lab.Machines)
        {
            await NetworkLab.LoseAsync(machine, 0.3);
        }

        // Five minutes are what the product promises; the short run is a sample of them.
        var time = TimeProvider.System;
        var begin = time.GetTimestamp();
        var limit = IsLong ? TimeSpan.FromMinutes(5) : TimeSpan.FromSeconds(20);
        while (time.GetElapsedTime(begin) < limit)
        {
            foreach (var machine in lab.Machines)
            {
                var failed = (await machine.MembersAsync()).Where(static member => member.Value != "alive").ToList();
                failed.ShouldBeEmpty($"seen by {machine.Name} after {time.GetElapsedTime(begin)}");
            }
        }
    }

    [Fact]
    public async Task The_halves_of_a_cut_network_find_each_other_again()
    {
        Assert.SkipUnless(NetworkLab.IsPossible, NetworkLab.Missing);
        await using var lab = await StartedAsync();
        var left = lab.Machines.Take(Machines / 2).ToList();
        var right = lab.Machines.Skip(Machines / 2).ToList();
        foreach (var machine in left)
        {
            await NetworkLab.CutAsync(machine, right);
        }

        await AllSeeAsync(left, right[0].Name, "failed", TimeSpan.FromSeconds(30));
        await AllSeeAsync(right, left[0].Name, "failed", TimeSpan.FromSeconds(30));

        foreach (var machine in left)
        {
            await NetworkLab.HealAsync(machine);
        }

        await EverybodyLivesAsync(lab, UntilHealed);
    }

    private static async Task<NetworkLab> StartedAsync()
    {
        var lab = await NetworkLab.MakeAsync(Machines);
        foreach (var machine in lab.Machines)
        {
            lab.Start(machine, isServer: machine == lab.Machines[0]);
        }

        await EverybodyLivesAsync(lab, UntilJoined);
        return lab;
    }

    private static async Task<TimeSpan> SeenAsync(Machine machine, string name, string status)
    {
        var begin = TimeProvider.System.GetTimestamp();
        await AllSeeAsync([machine], name, status, UntilJoined);
        return TimeProvider.System.GetElapsedTime(begin);
    }

    private static Task EverybodyLivesAsync(NetworkLab lab, TimeSpan limit) => Eventually.HoldsAsync(
        "all see all alive", limit, async () =>
        {
            foreach (var machine in lab.Machines)
            {
                var members = await machine.MembersAsync();
                if (members.Count != lab.Machines.Count || members.Values.Any(static status => status != "alive"))
                {
                    return false;
                }
            }

            return true;
        });

    private static Task AllSeeAsync(
        IReadOnlyList<Machine> machines, string name, string status, TimeSpan limit) => Eventually.HoldsAsync(
        $"all see {name} as {status}", limit, async () =>
        {
            foreach (var machine in machines)
            {
                if ((await machine.MembersAsync()).GetValueOrDefault(name) != status)
                {
                    return false;
                }
            }

            return true;
        });
}
