using System.Diagnostics;
using System.Globalization;
using Shouldly;
using Support;
using Xunit;

namespace Integration.Locks;

/// <summary>The commands that need locks, as real processes: ours, and the real Consul's beside them.</summary>
public sealed class CommandTests
{
    private const int Runs = 3;
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(2);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private static string Ours => new AgentOptions().Executable;

    [Fact]
    public async Task Our_lock_and_the_real_one_exclude_each_other_on_our_agent()
    {
        Assert.SkipUnless(RealConsul.IsThere, RealConsul.Missing);
        await using var agent = await AgentProcess.StartAsync(new AgentOptions(), Stop);
        await ShouldExcludeAsync(agent, Ours, RealConsul.Executable);
    }

    [Fact]
    public async Task Our_lock_and_the_real_one_exclude_each_other_on_the_real_agent()
    {
        Assert.SkipUnless(RealConsul.IsThere, RealConsul.Missing);
        await using var agent = await RealConsul.StartAsync(new AgentOptions(), Stop);
        await ShouldExcludeAsync(agent, Ours, RealConsul.Executable);
    }

    [Fact]
    public async Task Our_locks_exclude_each_other()
    {
        await using var agent = await AgentProcess.StartAsync(new AgentOptions(), Stop);
        await ShouldExcludeAsync(agent, Ours, Ours);
    }

    [Fact]
    public async Task A_child_is_ended_when_its_lock_is_lost()
    {
        await using var agent = await AgentProcess.StartAsync(new AgentOptions(), Stop);
        var held = Path.Combine(agent.Folder.Path, "held");
        var script = $"trap 'echo told; exit 7' TERM; touch {held}; sleep 60 & wait";
        var run = RunAsync(Ours, ["lock", $"-http-addr={agent.HttpAddress}", "-verbose", "k", script]);
        await Eventually.HoldsAsync("the child runs", Limit, () => Task.FromResult(File.Exists(held)), Stop);
        var session = (await agent.Client.GetKeyAsync("k/.lock", stop: Stop)).Value!.Session!;
        await agent.Client.DestroySessionAsync(session, Stop);
        var (code, output, errors) = await run;
        code.ShouldBe(0);
        output.ShouldContain("Lock lost, killing child");
        output.ShouldContain("told");
        errors.ShouldContain("Error running handler: exit status 7");
    }

    [Fact]
    public async Task A_command_runs_on_the_nodes_that_take_part_and_leaves_no_keys()
    {
        await using var agent = await AgentProcess.StartAsync(
            new AgentOptions { Hcl = ["disable_remote_exec = false"] }, Stop);
        var (code, output, errors) = await RunAsync(
            Ours, ["exec", $"-http-addr={agent.HttpAddress}", "-wait=5s", "echo well; exit 3"]);
        errors.ShouldBe("");
        code.ShouldBe(2);
        output.ShouldContain("lab: well");
        output.ShouldContain("==> lab: finished with exit code 3");
        output.ShouldContain("1 / 1 node(s) completed / acknowledged");
        (await agent.Client.ListKeysAsync("_rexec", stop: Stop)).Value.ShouldBeNull();
        (await agent.Client.SessionsAsync(stop: Stop)).Value.ShouldBeEmpty();
    }

    // What two do at once shows: a number that is read, and written one larger a while later.
    private static async Task ShouldExcludeAsync(AgentProcess agent, string first, string second)
    {
        using var folder = new TempFolder("locks");
        var number = Path.Combine(folder.Path, "number");
        var log = Path.Combine(folder.Path, "log");
        await File.WriteAllTextAsync(number, "0", Stop);
        var count = $"v=$(cat {number}); sleep 0.03; echo $((v+1)) > {number}";
        var mark = $"echo + >> {log}; sleep 0.1; echo - >> {log}";
        var address = $"-http-addr={agent.HttpAddress}";
        var runs = Enumerable.Range(0, Runs).SelectMany(_ => new[] { first, second }).SelectMany(cli => new[]
        {
            RunAsync(cli, ["lock", address, "one", count]), RunAsync(cli, ["lock", address, "-n=2", "two", mark]),
        });
        foreach (var (code, _, errors) in await Task.WhenAll(runs))
        {
            errors.ShouldBe("");
            code.ShouldBe(0);
        }

        int.Parse(await File.ReadAllTextAsync(number, Stop), CultureInfo.InvariantCulture).ShouldBe(2 * Runs);
        var (now, most) = (0, 0);
        foreach (var line in await File.ReadAllLinesAsync(log, Stop))
        {
            now += line == "+" ? 1 : -1;
            most = Math.Max(most, now);
        }

        now.ShouldBe(0);
        most.ShouldBeLessThanOrEqualTo(2);
    }

    private static async Task<(int Code, string Output, string Errors)> RunAsync(string cli, string[] arguments)
    {
        var start = new ProcessStartInfo(cli, arguments)
        {
            UseShellExecute = false, RedirectStandardOutput = true, RedirectStandardError = true,
        };
        using var process = Process.Start(start)!;
        using var limit = new CancellationTokenSource(Limit, TimeProvider.System);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, Stop);
        try
        {
            var output = process.StandardOutput.ReadToEndAsync(both.Token);
            var errors = process.StandardError.ReadToEndAsync(both.Token);
            await process.WaitForExitAsync(both.Token);
            return (process.ExitCode, await output, await errors);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw;
        }
    }
}
