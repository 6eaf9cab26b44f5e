namespace Integration.Faults;

/// <summary>What breaks, in the words of a plan.</summary>
internal enum Fault
{
    KillAgent,
    KillEtcd,
    StopAgent,
    StopEtcd,
    StopBoth,
    Cut,
    CutTowards,
    CutFrom,
    SlowDisk,
    Clock,
    Resign,
}

/// <summary>Breaks one thing after another while clients are at work.</summary>
internal sealed class FaultDriver(FaultLab lab, Random random, TimeSpan shortest, TimeSpan longest)
{
    private static readonly TimeSpan SlowSync = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan Rest = TimeSpan.FromSeconds(1.5);
    private static readonly string[] ClockSteps = ["+1h", "-1h", "+1d", "-1d", "+5"];

    /// <summary>What was done, for failures.</summary>
    public List<string> Done { get; } = [];

    /// <summary>Breaks what the plan says, one after the other, each at the leader or, one time in three, at anybody,
    /// until stopped; then all is whole again.</summary>
    public async Task RunAsync(IReadOnlyList<Fault> plan, CancellationToken stop)
    {
        try
        {
            for (var i = 0; !stop.IsCancellationRequested; i++)
            {
                await Task.Delay(Rest, TimeProvider.System, stop);
                var server = random.Next(3) == 0
                    ? lab.Servers[random.Next(lab.Servers.Count)] : await lab.LeaderOrAnyAsync();
                await BreakAsync(plan[i % plan.Count], server);
                await Task.Delay(shortest + ((longest - shortest) * random.NextDouble()), TimeProvider.System, stop);
                await lab.HealAsync();
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // The clients are through.
        }

        await lab.HealAsync();
    }

    private async Task BreakAsync(Fault fault, FaultServer server)
    {
        Done.Add($"{fault} {server.Name}");
        switch (fault)
        {
            case Fault.KillAgent:
                await server.KillAsync();
                break;
            case Fault.KillEtcd:
                server.KillEtcd();
                break;
            case Fault.StopAgent or Fault.StopEtcd or Fault.StopBoth:
                server.Stop(agent: fault != Fault.StopEtcd, etcd: fault != Fault.StopAgent);
                break;
            case Fault.Cut or Fault.CutTowards or Fault.CutFrom:
                await lab.CutAsync(server, toIt: fault != Fault.CutFrom, fromIt: fault != Fault.CutTowards);
                break;
            case Fault.SlowDisk:
                server.SlowDown(SlowSync);
                break;
            case Fault.Clock:
                await File.WriteAllTextAsync(server.ClockFile, ClockSteps[random.Next(ClockSteps.Length)]);
                break;
            case Fault.Resign:
                await lab.ProbeOf(server).PutAsync("resign", "now");
                await server.Machine.RunAsync(
                    "curl", "-s", "-m", "5", "--unix-socket", server.Socket, "-X", "POST",
                    "http://localhost/v1/operator/raft/transfer-leader");
                break;
        }
    }
}
