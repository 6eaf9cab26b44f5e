using System.Net;
using System.Text;
using Shouldly;
using Support;
using Xunit;

namespace Integration.Cluster;

/// <summary>Three servers that replicate on a real etcd each, as real processes.</summary>
public sealed class ClusterTests : IAsyncLifetime
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(60);

    private readonly List<AgentProcess> _servers = [];

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        Assert.SkipUnless(RealEtcd.IsThere, RealEtcd.Missing);
        for (var i = 1; i <= 3; i++)
        {
            _servers.Add(AgentProcess.Launch(Options($"s{i}", [.. _servers])));
        }

        await Task.WhenAll(_servers.Select(s => s.ReadyAsync(Stop)));
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var server in _servers)
        {
            await server.DisposeAsync();
        }
    }

    [Fact]
    public async Task What_is_written_at_any_server_is_read_at_every_other_and_outlives_the_leader()
    {
        for (var i = 0; i < 3; i++)
        {
            (await PutAsync(_servers[i], $"k{i}")).ShouldBeTrue();
        }

        foreach (var server in _servers)
        {
            (await KeysAsync(server, "")).ShouldBe("""["k0","k1","k2"]""");
            (await KeysAsync(server, "&consistent")).ShouldBe("""["k0","k1","k2"]""");
            await Eventually.HoldsAsync(
                "a follower has it, too", Soon,
                async () => await KeysAsync(server, "&stale") == """["k0","k1","k2"]""", Stop);
        }

        var leader = (await LeaderAsync(_servers)).ShouldNotBeNull();
        var others = _servers.Where(s => s != leader).ToList();
        await leader.KillAsync();
        await Eventually.HoldsAsync("another server takes writes", Soon, () => PutAsync(others[0], "after"), Stop);
        (await KeysAsync(others[1], "")).ShouldBe("""["after","k0","k1","k2"]""");

        await leader.StartAgainAsync(Stop);
        await Eventually.HoldsAsync(
            "the one that was away has caught up", Soon,
            async () => await KeysAsync(leader, "&stale") == """["after","k0","k1","k2"]""", Stop);
    }

    [Fact]
    public async Task The_lead_goes_to_the_server_that_is_named_and_list_peers_shows_it()
    {
        var leader = (await LeaderAsync(_servers)).ShouldNotBeNull();
        var next = _servers.First(s => s != leader);
        var id = await IdAsync(next);
        using var answer = await leader.Http.PostAsync(
            new Uri($"/v1/operator/raft/transfer-leader?id={id}", UriKind.Relative), content: null, Stop);
        answer.StatusCode.ShouldBe(HttpStatusCode.OK);
        await Eventually.HoldsAsync("it leads", Soon, async () => await LeaderAsync(_servers) == next, Stop);

        await Eventually.HoldsAsync("three voters are listed, one of them leads", Soon, async () =>
        {
            var (code, output) = await leader.RunAsync("operator", "raft", "list-peers");
            var lines = output.Split('\n');
            return code == 0 && lines.Count(static line => line.Contains(" true ", StringComparison.Ordinal)) == 3
                && lines.Count(static line => line.Contains(" leader ", StringComparison.Ordinal)) == 1;
        }, Stop);
    }

    [Fact]
    public async Task A_snapshot_that_is_restored_is_the_state_of_all_servers()
    {
        (await PutAsync(_servers[0], "kept")).ShouldBeTrue();
        using var saved = await _servers[1].Http.GetAsync(new Uri("/v1/snapshot", UriKind.Relative), Stop);
        saved.StatusCode.ShouldBe(HttpStatusCode.OK);
        var archive = await saved.Content.ReadAsByteArrayAsync(Stop);
        (await PutAsync(_servers[2], "later")).ShouldBeTrue();

        using var body = new ByteArrayContent(archive);
        using var restored = await _servers[2].Http.PutAsync(new Uri("/v1/snapshot", UriKind.Relative), body, Stop);
        restored.StatusCode.ShouldBe(HttpStatusCode.OK, await restored.Content.ReadAsStringAsync(Stop));
        foreach (var server in _servers)
        {
            await Eventually.HoldsAsync(
                "only what was saved is there", Soon,
                async () => await KeysAsync(server, "&stale") == """["kept"]""", Stop);
        }

        (await PutAsync(_servers[1], "next")).ShouldBeTrue();
        (await KeysAsync(_servers[0], "")).ShouldBe("""["kept","next"]""");
    }

    internal static AgentOptions Options(string node, IReadOnlyList<AgentProcess> joins) => new()
    {
        IsDev = false,
        Servers = 3,
        Node = node,
        NodeId = "",
        Joins = joins,
        Hcl = [$"etcd_path = \"{RealEtcd.Executable}\"", "retry_interval = \"1s\""],
        ReadyLimit = Soon,
    };

    private static async Task<bool> PutAsync(AgentProcess server, string key)
    {
        using var body = new StringContent("v", Encoding.UTF8);
        try
        {
            using var answer = await server.Http.PutAsync(new Uri($"/v1/kv/{key}", UriKind.Relative), body, Stop);
            return await answer.Content.ReadAsStringAsync(Stop) == "true";
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    private static async Task<string> KeysAsync(AgentProcess server, string how)
    {
        using var answer = await server.Http.GetAsync(new Uri($"/v1/kv/?keys{how}", UriKind.Relative), Stop);
        return await answer.Content.ReadAsStringAsync(Stop);
    }

    private static async Task<AgentProcess?> LeaderAsync(IReadOnlyList<AgentProcess> servers)
    {
        var leader = await servers[0].Http.GetStringAsync(new Uri("/v1/status/leader", UriKind.Relative), Stop);
        return servers.FirstOrDefault(s => leader.EndsWith($":{s.Ports.Server}\"", StringComparison.Ordinal));
    }

    private static async Task<string> IdAsync(AgentProcess server)
    {
        var self = await server.Http.GetStringAsync(new Uri("/v1/agent/self", UriKind.Relative), Stop);
        using var json = System.Text.Json.JsonDocument.Parse(self);
        return json.RootElement.GetProperty("Config").GetProperty("NodeID").GetString()!;
    }
}
