using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Runtime.Versioning;
using Shouldly;
using Support;
using Xunit;

namespace Integration.Cluster;

/// <summary>An agent whose etcd is in trouble: one line says what it is, the API answers, and it goes on when it can.
/// </summary>
[SupportedOSPlatform("linux")]
public sealed class EtcdTroubleTests : IDisposable
{
    private const int SigStop = 19;
    private const int SigCont = 18;

    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(60);

    private readonly TempFolder _folder = new("etcd-trouble");
    private readonly int _peerPort = FreePorts.Take();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private string Data => _folder.File("data");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task An_etcd_does_not_outlive_an_agent_that_is_killed()
    {
        await using var agent = await StartAsync();
        var etcd = EtcdOf(agent).ShouldNotBeNull();
        var start = TimeProvider.System.GetTimestamp();
        await agent.KillAsync();
        await Eventually.HoldsAsync("etcd is gone", Soon, () => Task.FromResult(!IsRunning(etcd)), Stop);
        Tell($"etcd was gone after {TimeProvider.System.GetElapsedTime(start).TotalMilliseconds:0} ms");
        await agent.StartAgainAsync(Stop);
        EtcdOf(agent).ShouldNotBe(etcd);
    }

    [Fact]
    public async Task A_taken_peer_port_is_named_and_taken_when_it_is_free()
    {
        Assert.SkipUnless(RealEtcd.IsThere, RealEtcd.Missing);
        await using var agent = await WhileTakenAsync(async agent =>
        {
            await agent.SaidAsync("address already in use", Stop);
            await RefusesAsync(agent);
        });
        await agent.ReadyAsync(Stop);
        (await agent.PutAsync("k", "v", Stop)).ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task An_etcd_that_stands_still_leaves_reads_and_refuses_writes_until_it_goes_on()
    {
        await using var agent = await StartAsync();
        (await agent.PutAsync("k", "v", Stop)).ShouldBe(HttpStatusCode.OK);
        var etcd = EtcdOf(agent).ShouldNotBeNull();
        Lifecycle.Command.Signal(etcd, SigStop);
        await RefusesAsync(agent);
        (await agent.GetAsync("k", Stop)).ShouldBe("v");
        await agent.SaidAsync("etcd does not answer", Stop);
        Lifecycle.Command.Signal(etcd, SigCont);
        await Eventually.HoldsAsync(
            "writes work", Soon, async () => await agent.PutAsync("k", "w", Stop) == HttpStatusCode.OK, Stop);
        (await agent.GetAsync("k", Stop)).ShouldBe("w");
    }

    [Fact]
    public async Task An_etcd_that_always_ends_is_tried_again_with_pauses_that_grow()
    {
        var program = _folder.Write("etcd", """
            #!/bin/sh
            case "$1" in --version) echo "etcd Version: 3.5.30" ;; *) echo "it is broken" >&2; exit 3 ;; esac
            """);
        File.SetUnixFileMode(program, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        await using var agent = AgentProcess.Launch(Options(program));
        await agent.SaidAsync("it is started again in 0.1 s", Stop);
        await agent.SaidAsync("it is started again in 1.6 s", Stop);
        await RefusesAsync(agent);
    }

    [Fact]
    public async Task An_etcd_whose_log_is_damaged_says_so_and_the_agent_answers()
    {
        await using var agent = await StartAsync();
        (await agent.PutAsync("k", new string('x', 100_000), Stop)).ShouldBe(HttpStatusCode.OK);
        await agent.KillAsync();
        var wal = Directory.GetFiles(Path.Combine(Data, "etcd", "data", "member", "wal"), "*.wal").Order().First();
        await using (var file = new FileStream(wal, FileMode.Open))
        {
            file.Position = 20_000;
            file.Write(new byte[1000].Select(static (_, i) => (byte)(i * 7)).ToArray());
        }

        await using var again = AgentProcess.Launch(Options(RealEtcd.Executable));
        await again.SaidAsync("etcd ended with code", Stop);
        await RefusesAsync(again);
        again.Log.ShouldContain("wal", Case.Insensitive);
    }

    private async Task<AgentProcess> WhileTakenAsync(Func<AgentProcess, Task> what)
    {
        using var taken = new TcpListener(IPAddress.Loopback, _peerPort);
        taken.Start();
        var agent = AgentProcess.Launch(Options(RealEtcd.Executable));
        await what(agent);
        return agent;
    }

    // A write is answered, and not with yes.
    private static async Task RefusesAsync(AgentProcess agent)
    {
        await agent.AnswersAsync(Stop);
        var start = TimeProvider.System.GetTimestamp();
        ((int)await agent.PutAsync("refused", "v", Stop)).ShouldBeInRange(500, 599);
        Tell($"refused after {TimeProvider.System.GetElapsedTime(start).TotalMilliseconds:0} ms");
    }

    private static void Tell(string what) => TestContext.Current.SendDiagnosticMessage(what);

    // The child of the agent that is an etcd.
    private static int? EtcdOf(AgentProcess agent) => Directory.GetDirectories("/proc")
        .Select(Path.GetFileName)
        .Where(static name => int.TryParse(name, CultureInfo.InvariantCulture, out _))
        .Select(static name => int.Parse(name!, CultureInfo.InvariantCulture))
        .Cast<int?>()
        .FirstOrDefault(id => StatOf(id!.Value) is ["etcd", _, int parent] && parent == agent.ProcessId);

    private static bool IsRunning(int process) => StatOf(process) is [_, not "Z", ..];

    // Name, state and parent, as /proc tells them; empty when there is no such process.
    private static object[] StatOf(int process)
    {
        try
        {
            var stat = File.ReadAllText($"/proc/{process}/stat");
            var end = stat.LastIndexOf(')');
            var rest = stat[(end + 2)..].Split(' ');
            return [stat[(stat.IndexOf('(') + 1)..end], rest[0], int.Parse(rest[1], CultureInfo.InvariantCulture)];
        }
        catch (IOException)
        {
            return [];
        }
    }

    private async Task<AgentProcess> StartAsync()
    {
        Assert.SkipUnless(RealEtcd.IsThere, RealEtcd.Missing);
        return await AgentProcess.StartAsync(Options(RealEtcd.Executable), Stop);
    }

    private AgentOptions Options(string etcd) => new()
    {
        IsDev = false,
        Arguments = ["-store=etcd", $"-data-dir={Data}"],
        Hcl = [$"etcd_path = \"{etcd}\"", $"ports {{ store_peer = {_peerPort} }}"],
        ReadyLimit = Soon,
    };
}
