using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using Microsoft.Extensions.Logging.Abstractions;
using Praetor.Agent.Checks;
using Praetor.Agent.Cluster;
using Praetor.Server.Storage.Etcd;
using Shouldly;
using Support;
using Xunit;

namespace Integration.Etcd;

/// <summary>A supervised etcd in trouble.</summary>
[SupportedOSPlatform("linux")]
public sealed partial class EtcdChildTests
{
    private const int SigStop = 19;
    private const int SigCont = 18;
    private const long SmallQuota = 20 << 20;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_etcd_that_is_killed_is_started_again_and_the_same_client_goes_on()
    {
        await using var member = await Member.StartAsync();
        await member.PutAsync("k", "kept");
        Process.GetProcessById(member.Child.Status.ProcessId).Kill();
        await Eventually.HoldsAsync(
            "its end is seen", Member.Limit, () => Task.FromResult(member.Child.Status.Ends == 1), Stop);
        member.Child.Status.LastEnd.ShouldStartWith("code 137");
        await member.Child.WaitReadyAsync(Member.Limit, Stop);
        (await member.ReadAsync("k")).ShouldBe("kept");
    }

    [Fact]
    public async Task An_etcd_ends_with_its_agent_and_its_data_is_there_the_next_time()
    {
        await using var member = await Member.StartAsync();
        await member.PutAsync("k", "kept");
        var process = Process.GetProcessById(member.Child.Status.ProcessId);
        await member.StopAsync();
        await process.WaitForExitAsync(Stop);
        member.Child.Status.Phase.ShouldBe(EtcdChildPhase.Stopped);
        EtcdFolder.HasDataIn(member.Options.Folder).ShouldBeTrue();
        await member.StartAgainAsync();
        (await member.ReadAsync("k")).ShouldBe("kept");
    }

    // The kernel sends the signal when the thread ends, which is the last thing that a process which is killed does.
    [Fact]
    public async Task An_etcd_dies_with_the_thread_that_started_it_however_that_ends()
    {
        Assert.SkipUnless(RealEtcd.IsThere, RealEtcd.Missing);
        await using var idle = Member.New("a");
        var (folder, program) = await ClaimAsync(idle.Options);
        using var socket = new EtcdSocket(folder.Path);
        var thread = new ForkingThread("test");
        using var process = await thread.RunAsync(
            () => Process.Start(EtcdCommand.StartInfo(program, idle.Options, folder, socket))!);
        using var client = new EtcdClient(idle.Options.ClientOptions(socket.File), TimeProvider.System);
        await Eventually.HoldsAsync("it answers", Member.Limit, () => AnswersAsync(client), Stop);
        process.HasExited.ShouldBeFalse();
        thread.Dispose();
        await process.WaitForExitAsync(Stop).WaitAsync(Member.Limit, TimeProvider.System, Stop);
        process.ExitCode.ShouldBe(137);
    }

    [Fact]
    public async Task An_etcd_whose_agent_died_before_it_began_does_not_begin()
    {
        await using var idle = Member.New("a");
        var (folder, program) = await ClaimAsync(idle.Options);
        using var socket = new EtcdSocket(folder.Path);
        var info = EtcdCommand.StartInfo(program, idle.Options, folder, socket);
        var self = info.ArgumentList.IndexOf(Environment.ProcessId.ToString(CultureInfo.InvariantCulture));
        info.ArgumentList[self] = "1";
        using var process = Process.Start(info)!;
        await process.WaitForExitAsync(Stop).WaitAsync(Member.Limit, TimeProvider.System, Stop);
        process.ExitCode.ShouldBe(1);
        folder.HasData.ShouldBeFalse();
    }

    [Fact]
    public async Task An_etcd_that_stands_still_leaves_a_call_unknown_within_its_limit_and_is_killed_at_the_end()
    {
        await using var member = await Member.StartAsync(o => o with { StopLimit = TimeSpan.FromMilliseconds(300) });
        using var impatient = member.Client(TimeSpan.FromSeconds(1));
        (await impatient.StatusAsync(Stop)).MemberId.ShouldNotBe(0UL);
        var id = member.Child.Status.ProcessId;
        Kill(id, SigStop);
        var unknown = await Should.ThrowAsync<EtcdUnknownException>(() => impatient.CommitAsync(
            new EtcdTxn([], [new EtcdPut(Member.Of("k"), Member.Of("v"))], []), Stop));
        unknown.Message.ShouldContain("no answer to etcdserverpb.KV/Txn within 1 s");
        Kill(id, SigCont);
        await Eventually.HoldsAsync("it answers again", Member.Limit, () => AnswersAsync(impatient), Stop);
        Kill(id, SigStop);
        using var process = Process.GetProcessById(id);
        await member.StopAsync();
        await process.WaitForExitAsync(Stop);
    }

    [Fact]
    public async Task Writes_without_space_are_refused_and_let_through_when_space_was_made()
    {
        await using var member = await Member.StartAsync(o => o with { SpaceBytesMax = SmallQuota });
        var put = new EtcdTxn([], [new EtcdPut(Member.Of("k"), new byte[1 << 20])], []);
        var refused = await Should.ThrowAsync<EtcdRefusedException>(async () =>
        {
            for (var i = 0; i < 100; i++)
            {
                await member.Etcd.CommitAsync(put, Stop);
            }
        });
        refused.IsNoSpace.ShouldBeTrue(refused.Message);
        await Eventually.HoldsAsync(
            "the alarm is told", Member.Limit, async () => (await member.Etcd.StatusAsync(Stop)).HasSpaceAlarm, Stop);
        (await member.ReadAsync("k")).ShouldNotBeNull("reads go on");
        (await Should.ThrowAsync<EtcdRefusedException>(() => member.PutAsync("small", "1"))).IsNoSpace.ShouldBeTrue();

        var before = await member.Etcd.StatusAsync(Stop);
        await member.Etcd.CompactAsync(before.Revision, Stop);
        await member.Etcd.DefragmentAsync(Stop);
        await member.Etcd.ClearSpaceAlarmAsync(Stop);
        var after = await member.Etcd.StatusAsync(Stop);
        after.HasSpaceAlarm.ShouldBeFalse();
        after.FileBytes.ShouldBeLessThan(before.FileBytes / 2);
        (await member.Etcd.CommitAsync(put, Stop)).Succeeded.ShouldBeTrue();
    }

    [Fact]
    public async Task Other_users_of_the_machine_cannot_reach_it_even_when_its_folder_were_open()
    {
        Assert.SkipUnless(Environment.UserName == "root", "needs root, to be another user for a moment");
        await using var member = await Member.StartAsync();
        var socket = member.Child.ClientOptions.Endpoints[0]["unix://".Length..];
        var folder = Path.GetDirectoryName(socket)!;
        string[] ask = ["curl", "-s", "--max-time", "5", "--unix-socket", socket, "http://etcd/version"];
        string[] asOther = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", .. ask];
        Open(Path.GetDirectoryName(folder)!);
        (await RunAsync(ask)).ShouldBe(0);
        (await RunAsync(asOther)).ShouldNotBe(0);
        Open(folder);
        (await RunAsync(asOther)).ShouldNotBe(0);
    }

    [Fact]
    public async Task It_listens_on_no_port_but_the_one_for_other_members()
    {
        await using var member = await Member.StartAsync();
        var mine = Directory.GetFiles($"/proc/{member.Child.Status.ProcessId}/fd")
            .Select(static fd => new FileInfo(fd).LinkTarget ?? "").ToHashSet(StringComparer.Ordinal);
        string[] files = ["/proc/net/tcp", "/proc/net/tcp6"];
        var listening = files.SelectMany(File.ReadLines)
            .Select(static line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            .Where(fields => fields[3] == "0A" && mine.Contains($"socket:[{fields[9]}]"))
            .Select(static fields => int.Parse(fields[1].Split(':')[1], NumberStyles.HexNumber, null));
        listening.ShouldBe([new Uri(member.Url).Port]);
    }

    [Fact]
    public async Task An_etcd_that_cannot_run_is_tried_again_and_tells_why()
    {
        await using var member = Member.New("a");
        member.Options = member.Options with { PeerTls = new EtcdPeerTls("/no/cert", "/no/key", "/no/ca") };
        member.Options = member.Options with
        {
            PeerListenUrl = member.Url.Replace("http:", "https:", StringComparison.Ordinal),
        };
        await using var child = await EtcdChild.StartAsync(
            member.Options, TimeProvider.System, NullLogger.Instance, Stop);
        await Eventually.HoldsAsync(
            "it was started again", Member.Limit, () => Task.FromResult(child.Status.Ends >= 2), Stop);
        child.Status.LastEnd.ShouldContain("/no/");
        (await Should.ThrowAsync<TimeoutException>(() => child.WaitReadyAsync(TimeSpan.FromMilliseconds(1), Stop)))
            .Message.ShouldContain("/no/");
    }

    private static async Task<(EtcdFolder Folder, EtcdProgram Program)> ClaimAsync(EtcdChildOptions options) =>
        (EtcdFolder.Claim(options.Folder, options.NodeId, options.ClusterToken),
            await EtcdProgram.FindAsync(options.Program, TimeProvider.System, Stop));

    private static async Task<bool> AnswersAsync(EtcdClient client)
    {
        try
        {
            await client.StatusAsync(Stop);
            return true;
        }
        catch (EtcdUnknownException)
        {
            return false;
        }
    }

    private static void Open(string folder) => File.SetUnixFileMode(
        folder, File.GetUnixFileMode(folder) | UnixFileMode.OtherExecute | UnixFileMode.OtherRead);

    private static async Task<int> RunAsync(string[] command)
    {
        var end = await new CheckProcess(TimeProvider.System).RunAsync(command, Member.Limit, 4096, Stop);
        return end.ExitCode ?? throw new InvalidOperationException($"{command[0]}: {end.StartError}");
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int process, int signal);
}
