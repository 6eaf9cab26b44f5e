using System.Diagnostics;
using Shouldly;
using Support;
using Xunit;

namespace Integration.Membership;

/// <summary>Our agents among real ones: Consul 1.8.7 and serf 0.9.</summary>
public sealed class PeerTests
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(30);
    private const string SerfExecutable = "/usr/bin/serf";

    [Fact]
    public async Task A_real_consul_client_and_our_server_see_each_other_come_fail_and_leave()
    {
        Assert.SkipUnless(RealConsul.IsThere, RealConsul.Missing);
        await using var ours = await AgentProcess.StartAsync(new AgentOptions { Node = "ours", NodeId = "" });
        await using var theirs = await RealConsul.StartAsync(Client("theirs", ours));

        await SeesAsync(ours, "theirs", "alive");
        await SeesAsync(theirs, "ours", "alive");

        await theirs.KillAsync();
        await SeesAsync(ours, "theirs", "failed");
        await theirs.StartAgainAsync();
        await SeesAsync(ours, "theirs", "alive");

        (await theirs.RunAsync("leave")).Code.ShouldBe(0);
        await SeesAsync(ours, "theirs", "left");
    }

    [Fact]
    public async Task Our_client_and_a_real_consul_server_see_each_other_come_fail_and_leave()
    {
        Assert.SkipUnless(RealConsul.IsThere, RealConsul.Missing);
        await using var theirs = await RealConsul.StartAsync(new AgentOptions { Node = "theirs", NodeId = "" });
        await using var ours = await AgentProcess.StartAsync(Client("ours", theirs));

        await SeesAsync(ours, "theirs", "alive");
        await SeesAsync(theirs, "ours", "alive");

        // The real server keeps its catalog true to our member.
        await Eventually.HoldsAsync("our node is in the real catalog", Soon, async () =>
            (await theirs.Http.GetStringAsync("/v1/health/node/ours"))
                .Contains("serfHealth", StringComparison.Ordinal));

        await ours.KillAsync();
        await SeesAsync(theirs, "ours", "failed");
        await ours.StartAgainAsync();
        await SeesAsync(theirs, "ours", "alive");

        (await ours.RunAsync("leave")).Code.ShouldBe(0);
        await SeesAsync(theirs, "ours", "left");
    }

    [Fact]
    public async Task A_serf_agent_that_is_none_of_consuls_does_no_harm()
    {
        Assert.SkipUnless(File.Exists(SerfExecutable), $"needs {SerfExecutable}");
        await using var ours = await AgentProcess.StartAsync(new AgentOptions { Node = "ours", NodeId = "" });
        var ports = FreePorts.TakeRange(2);
        using var serf = Process.Start(new ProcessStartInfo(SerfExecutable, [
            "agent", "-node=stranger", $"-bind=127.0.0.1:{ports}", $"-rpc-addr=127.0.0.1:{ports + 1}",
            $"-join={ours.GossipAddress}",
        ]) { UseShellExecute = false, RedirectStandardOutput = true, RedirectStandardError = true })!;
        try
        {
            await serf.WaitForExitAsync(new CancellationTokenSource(TimeSpan.FromSeconds(3)).Token)
                .ContinueWith(static _ => { }, TaskScheduler.Default);

            (await ours.Http.GetStringAsync("/v1/catalog/nodes")).ShouldNotContain("stranger");
            (await ours.Http.GetStringAsync("/v1/status/leader")).ShouldContain(":");
        }
        finally
        {
            if (!serf.HasExited)
            {
                serf.Kill();
            }
        }
    }

    private static AgentOptions Client(string name, AgentProcess joins) => new()
    {
        IsClient = true, IsAlone = true, Node = name, NodeId = "", Joins = [joins],
    };

    private static Task SeesAsync(AgentProcess asked, string name, string status) => Eventually.HoldsAsync(
        $"{name} is {status}", Soon, async () => (await asked.MembersAsync()).GetValueOrDefault(name) == status);
}
