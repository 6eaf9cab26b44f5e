using System.Diagnostics;
using Shouldly;
using Support;
using Xunit;

namespace Integration.Membership;

/// <summary>One server and four clients as a user starts them: by flags and files, on addresses of one machine, with
/// the usual ports and the intervals of a LAN.</summary>
public sealed class LabTests
{
    private const int Agents = 5;

    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(60);
    private static readonly string Executable = new AgentOptions().Executable;

    private readonly Process?[] _running = new Process?[Agents + 1];

    [Fact]
    public async Task A_server_and_four_clients_are_a_datacenter()
    {
        Assert.SkipUnless(NetworkLab.IsPossible, NetworkLab.Missing);
        await using var lab = await NetworkLab.MakeAsync(1);
        var machine = lab.Machines[0];
        WriteFiles(lab.Folder);
        for (var i = 1; i <= Agents; i++)
        {
            Start(lab, i);
        }

        await AllAliveAsync(machine);
        await EachClientServesAsync(machine);

        Kill(4);
        await RowIsAsync(machine, "n4", "failed");
        await Eventually.HoldsAsync("its node is critical", Soon, async () =>
            (await GetAsync(machine, 1, "/v1/health/node/n4")).Contains("critical", StringComparison.Ordinal));
        Start(lab, 4);
        await AllAliveAsync(machine);

        (await CliAsync(machine, 5, "leave")).Output.ShouldContain("Graceful leave complete");
        await RowIsAsync(machine, "n5", "left");
        await Eventually.HoldsAsync("it is gone from the catalog", Soon, async () =>
            !(await CliAsync(machine, 2, "catalog", "nodes")).Output.Contains("n5", StringComparison.Ordinal));
    }

    // Most by flags; the server's features and one client wholly by files, of both formats.
    private static void WriteFiles(TempFolder folder)
    {
        File.WriteAllText(
            folder.File("server.json"), """{"server":true,"bootstrap_expect":1,"connect":{"enabled":true}}""");
        Directory.CreateDirectory(folder.File("n3.d"));
        File.WriteAllText(folder.File("n3.d/agent.hcl"), $"""
            node_name  = "n3"
            bind_addr  = "127.0.0.3"
            client_addr = "127.0.0.3"
            data_dir   = "{folder.File("n3")}"
            retry_join = ["127.0.0.1"]
            retry_interval = "1s"
            """);
        File.WriteAllText(
            folder.File("n3.d/web.json"), """{"service":{"name":"web","port":80,"address":"10.3.3.3"}}""");
    }

    private static async Task EachClientServesAsync(Machine machine)
    {
        for (var i = 2; i <= Agents; i++)
        {
            (await CliAsync(machine, i, "kv", "put", $"lab/{i}", $"by n{i}")).Code.ShouldBe(0);
        }

        for (var i = 1; i <= Agents; i++)
        {
            var at = i;
            await Eventually.HoldsAsync($"n{i} lists all nodes and what n3 has", Soon, async () =>
                (await CliAsync(machine, at, "catalog", "nodes")).Output.Split('\n')
                    .Count(static row => row.StartsWith('n')) == Agents
                && (await CliAsync(machine, at, "catalog", "services")).Output
                    .Contains("web", StringComparison.Ordinal));
            (await CliAsync(machine, i, "kv", "get", "-recurse", "lab/")).Output.Trim().Split('\n')
                .ShouldBe(["lab/2:by n2", "lab/3:by n3", "lab/4:by n4", "lab/5:by n5"]);
            await Eventually.HoldsAsync($"n{i} answers DNS", Soon, async () =>
                await DigAsync(machine, at, "web.service.consul") == "10.3.3.3");
            (await DigAsync(machine, i, "n2.node.consul")).ShouldBe("127.0.0.2");
        }
    }

    private static async Task AllAliveAsync(Machine machine)
    {
        for (var i = 1; i <= Agents; i++)
        {
            var at = i;
            await Eventually.HoldsAsync($"n{i} sees five alive", Soon, async () =>
                (await CliAsync(machine, at, "members")).Output.Split('\n')
                    .Count(static row => row.Contains(" alive ", StringComparison.Ordinal)) == Agents);
        }
    }

    private static Task RowIsAsync(Machine machine, string name, string status) => Eventually.HoldsAsync(
        $"{name} is {status}", Soon, async () => (await CliAsync(machine, 2, "members")).Output.Split('\n')
            .Any(row => row.StartsWith(name + " ", StringComparison.Ordinal)
                && row.Contains($" {status} ", StringComparison.Ordinal)));

    private static Task<(int Code, string Output)> CliAsync(Machine machine, int agent, params string[] command) =>
        machine.RunAsync(["env", $"CONSUL_HTTP_ADDR=127.0.0.{agent}:8500", Executable, .. command]);

    private static async Task<string> GetAsync(Machine machine, int agent, string path) =>
        (await machine.RunAsync("curl", "-s", "-m", "5", $"http://127.0.0.{agent}:8500{path}")).Output;

    private static async Task<string> DigAsync(Machine machine, int agent, string name) => (await machine.RunAsync(
        "dig", "+short", "+time=2", "+tries=1", $"@127.0.0.{agent}", "-p", "8600", name)).Output.Trim();

    private void Start(NetworkLab lab, int agent)
    {
        var folder = lab.Folder;
        var at = $"127.0.0.{agent}";
        string[] flags = ["-node", $"n{agent}", "-bind", at, "-client", at, "-data-dir", folder.File($"n{agent}")];
        string[] join = ["-retry-join", "127.0.0.1", "-retry-interval", "1s"];
        string[] arguments = agent switch
        {
            1 => [.. flags, "-config-file", folder.File("server.json")],
            3 => ["-config-dir", folder.File("n3.d")],
            _ => [.. flags, .. join],
        };
        _running[agent] = lab.Machines[0].Serve([Executable, "agent", .. arguments]);
    }

    private void Kill(int agent)
    {
        _running[agent]!.Kill();
        _running[agent]!.WaitForExit();
    }
}
