using Praetor.Server.Replication;
using Shouldly;
using Support.Consistency;
using Xunit;

namespace Unit.Replication;

/// <summary>Clients of three servers on an etcd in memory, faults from a seed, and what the clients saw is one order.
/// </summary>
public sealed class HistoryTests
{
    private const int Calls = 1000;
    private const int Clients = 8;
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(60);
    private static readonly TimeSpan FaultEvery = TimeSpan.FromMilliseconds(400);

    private static readonly int Histories = Environment.GetEnvironmentVariable("PRAETOR_LONG") == "1" ? 500 : 20;

    public static TheoryData<int> Seeds => [.. Enumerable.Range(1, Histories)];

    [Theory]
    [MemberData(nameof(Seeds))]
    public async Task What_clients_see_is_one_order_whatever_breaks(int seed)
    {
        await using var cluster = new SimulatedCluster(seed);
        var clients = await RunAsync(cluster, seed, mayBeStale: false);
        clients.Count.ShouldBeGreaterThanOrEqualTo(Calls);
        clients.ProblemOf().ShouldBeNull($"seed {seed}");
        clients.Known.ShouldBeGreaterThan(Calls / 2, $"seed {seed}: hardly anything was answered");
    }

    /// <summary>Whoever asks any server and takes what it has gets old answers: the checker sees it.</summary>
    [Fact]
    public async Task Servers_that_answer_without_asking_who_leads_are_found_out()
    {
        var problem = (string?)null;
        for (var seed = 1; seed <= 5 && problem is null; seed++)
        {
            await using var cluster = new SimulatedCluster(seed);
            problem = (await RunAsync(cluster, seed, mayBeStale: true)).ProblemOf();
        }

        problem.ShouldNotBeNull();
    }

    private static async Task<Workload> RunAsync(SimulatedCluster cluster, int seed, bool mayBeStale)
    {
        // Small, so that logs are cut and states loaded all the time.
        var options = new ReplicationOptions { LogBytes = 90_000, EntriesKept = 5, PartBytes = 2000, EntryBytes = 300 };
        foreach (var name in (string[])["a", "b", "c"])
        {
            cluster.Start(name, options).Etcd.DelayMax = TimeSpan.FromMilliseconds(4);
        }

        await cluster.LeaderAsync();
        var random = new Random(seed);
        Workload? workload = null;
        var clients = Enumerable.Range(0, Clients).Select(i => new SimulatedClient(
            cluster, cluster.Servers[i % cluster.Servers.Count], () => workload!, mayBeStale)).ToList();
        workload = new Workload("h/", seed, clients, Pause, cluster.Time);
        var running = workload.RunAsync(Calls);
        for (var step = 1; !running.IsCompleted; step++)
        {
            await cluster.StepAsync();
            if (step % (int)FaultEvery.TotalMilliseconds == 0)
            {
                Break(cluster, random);
            }
        }

        await running;
        return workload;
    }

    private static void Break(SimulatedCluster cluster, Random random)
    {
        var server = random.Next(2) == 0
            ? cluster.Servers.FirstOrDefault(static s => s.Replica.Leads) ?? cluster.Servers[0]
            : cluster.Servers[random.Next(cluster.Servers.Count)];
        switch (random.Next(10))
        {
            case 0 or 1:
                server.Etcd.Hold();
                break;
            case 2:
                server.Etcd.LosesRequests = true;
                break;
            case 3:
                server.Etcd.LosesAnswers = true;
                break;
            case 4:
                server.Etcd.LosesEvents = true;
                break;
            case 5:
                server.Replica.Resign("");
                break;
            default:
                cluster.Servers.ToList().ForEach(static s => s.Etcd.Heal());
                break;
        }
    }
}
