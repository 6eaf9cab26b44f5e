using System.Net;
using System.Security.Cryptography;
using Shouldly;
using Support;
using Xunit;

namespace Integration.Cluster;

/// <summary>A disk without room: reads go on, writes fail clearly and soon, and work again when there is room.
/// </summary>
public sealed class DiskFullTests
{
    private const int ValueBytes = 300_000;
    private const long Quota = 64L << 20;

    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(60);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_server_on_sqlite_outlasts_a_full_disk_without_a_restart()
    {
        using var disk = SmallDisk.Mount(megabytes: 64);
        await using var agent = await AgentProcess.StartAsync(On(disk, "sqlite"), Stop);
        var process = agent.ProcessId;
        var kept = await FillUntilRefusedAsync(agent, disk.Fill);
        (await agent.GetAsync("first", Stop)).ShouldBe("v");
        await WorksAgainAsync(agent, disk.Free);
        agent.ProcessId.ShouldBe(process);
        await agent.KillAsync();
        await agent.StartAgainAsync(Stop);
        await HasAllAsync(agent, kept);
    }

    [Fact]
    public async Task A_server_whose_etcd_has_a_full_disk_answers_reads_and_goes_on_when_there_is_room()
    {
        Assert.SkipUnless(Faults.FaultLab.IsAsked, Faults.FaultLab.Asked);
        Assert.SkipUnless(RealEtcd.IsThere, RealEtcd.Missing);
        using var disk = SmallDisk.Mount(megabytes: 256);
        await using var agent = await AgentProcess.StartAsync(On(disk, "etcd"), Stop);
        var process = agent.ProcessId;
        var kept = await FillUntilRefusedAsync(agent, disk.Fill);
        for (var i = 0; i < 20; i++)
        {
            (await agent.GetAsync("first", Stop)).ShouldBe("v", "reads go on");
            (await TryPutAsync(agent, "small", "v")).Said.ShouldContain("no space left");
        }

        await WorksAgainAsync(agent, disk.Free);
        agent.ProcessId.ShouldBe(process);
        await HasAllAsync(agent, kept);
    }

    [Fact]
    public async Task An_etcd_at_its_quota_answers_reads_and_takes_writes_again_when_keys_were_deleted()
    {
        Assert.SkipUnless(Faults.FaultLab.IsAsked, Faults.FaultLab.Asked);
        Assert.SkipUnless(RealEtcd.IsThere, RealEtcd.Missing);
        using var folder = new TempFolder("quota");
        var options = Of(folder.Path, "etcd", $"etcd_quota_bytes = {Quota}");
        await using var agent = await AgentProcess.StartAsync(options, Stop);
        await FillUntilRefusedAsync(agent, static () => { });
        (await agent.GetAsync("first", Stop)).ShouldBe("v");
        (await agent.GetAsync("first", "&consistent", Stop)).ShouldBe("v");
        await WorksAgainAsync(agent, static () => { }, async () =>
        {
            using var answer = await agent.Http.DeleteAsync(
                new Uri("/v1/kv/fill/?recurse", UriKind.Relative), Stop);
            return answer.IsSuccessStatusCode;
        });
        (await agent.GetAsync("first", Stop)).ShouldBe("v");
    }

    [Fact]
    public async Task Three_servers_at_their_quota_make_room_one_after_the_other_and_take_writes_again()
    {
        Assert.SkipUnless(Faults.FaultLab.IsAsked, Faults.FaultLab.Asked);
        Assert.SkipUnless(RealEtcd.IsThere, RealEtcd.Missing);
        var servers = new List<AgentProcess>();
        try
        {
            for (var i = 1; i <= 3; i++)
            {
                servers.Add(AgentProcess.Launch(Of("", "etcd", $"etcd_quota_bytes = {Quota}") with
                {
                    Arguments = [], Servers = 3, Node = $"s{i}", NodeId = "", Joins = [.. servers],
                }));
            }

            await Task.WhenAll(servers.Select(static s => s.ReadyAsync(Stop)));
            await FillUntilRefusedAsync(servers[0], static () => { });
            await WorksAgainAsync(servers[0], static () => { }, async () =>
            {
                using var answer = await servers[0].Http.DeleteAsync(
                    new Uri("/v1/kv/fill/?recurse", UriKind.Relative), Stop);
                return answer.IsSuccessStatusCode;
            });
            foreach (var server in servers)
            {
                await server.SaidAsync("etcd's file was written anew", Stop);
                (await server.GetAsync("first", Stop)).ShouldBe("v");
            }
        }
        finally
        {
            foreach (var server in servers)
            {
                await server.DisposeAsync();
            }
        }
    }

    // Gives what was acknowledged.
    private static async Task<Dictionary<string, string>> FillUntilRefusedAsync(AgentProcess agent, Action fill)
    {
        (await agent.PutAsync("first", "v", Stop)).ShouldBe(HttpStatusCode.OK);
        fill();
        var kept = new Dictionary<string, string>(StringComparer.Ordinal);
        for (var i = 0; i < 2000; i++)
        {
            var (key, value) = ($"fill/{i}", Convert.ToBase64String(RandomNumberGenerator.GetBytes(ValueBytes)));
            var start = TimeProvider.System.GetTimestamp();
            var (status, said) = await TryPutAsync(agent, key, value);
            if (status == HttpStatusCode.OK)
            {
                kept[key] = value;
                continue;
            }

            Tell($"refused after {TimeProvider.System.GetElapsedTime(start).TotalMilliseconds:0} ms: {said}");
            status.ShouldBe(HttpStatusCode.InternalServerError);
            said.ShouldMatch("no space left|space exceeded");
            return kept;
        }

        throw new InvalidOperationException("the disk never was full");
    }

    private static async Task WorksAgainAsync(AgentProcess agent, Action free, Func<Task<bool>>? also = null)
    {
        var start = TimeProvider.System.GetTimestamp();
        free();
        if (also is not null)
        {
            await Eventually.HoldsAsync("room can be made", Soon, also, Stop);
        }

        await Eventually.HoldsAsync(
            "a write works again", Soon,
            async () => (await TryPutAsync(agent, "again", "v")).Status == HttpStatusCode.OK, Stop);
        Tell($"worked again after {TimeProvider.System.GetElapsedTime(start).TotalMilliseconds:0} ms");
    }

    private static async Task HasAllAsync(AgentProcess agent, Dictionary<string, string> kept)
    {
        foreach (var (key, value) in kept)
        {
            (await agent.GetAsync(key, Stop)).ShouldBe(value, $"{key} was acknowledged");
        }
    }

    private static async Task<(HttpStatusCode Status, string Said)> TryPutAsync(
        AgentProcess agent, string key, string value)
    {
        using var body = new StringContent(value);
        using var answer = await agent.Http.PutAsync(new Uri($"/v1/kv/{key}", UriKind.Relative), body, Stop);
        return (answer.StatusCode, await answer.Content.ReadAsStringAsync(Stop));
    }

    private static void Tell(string what) => TestContext.Current.SendDiagnosticMessage(what);

    private static AgentOptions On(SmallDisk disk, string store) =>
        Of(Path.Combine(disk.Path, "data"), store, "");

    private static AgentOptions Of(string data, string store, string hcl) => new()
    {
        IsDev = false,
        Arguments = [$"-store={store}", $"-data-dir={data}"],
        Hcl = [$"etcd_path = \"{RealEtcd.Executable}\"", $"ports {{ store_peer = {FreePorts.Take()} }}", hcl],
        ReadyLimit = Soon,
    };
}
