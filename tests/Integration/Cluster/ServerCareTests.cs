using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;
using Shouldly;
using Support;
using Xunit;

namespace Integration.Cluster;

/// <summary>Servers that come, go, die and come again, as real processes with real etcds.</summary>
public sealed class ServerCareTests : IAsyncLifetime
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(90);

    private readonly List<AgentProcess> _servers = [];
    private TimeSpan _firstWrite;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        Assert.SkipUnless(Faults.FaultLab.IsAsked, Faults.FaultLab.Asked);
        Assert.SkipUnless(RealEtcd.IsThere, RealEtcd.Missing);
        var begin = Stopwatch.GetTimestamp();
        for (var i = 1; i <= 3; i++)
        {
            _servers.Add(AgentProcess.Launch(Options($"s{i}", [.. _servers])));
        }

        await Eventually.HoldsAsync("three fresh servers take a write", Soon, () => PutAsync(_servers[0], "k"), Stop);
        _firstWrite = Stopwatch.GetElapsedTime(begin);
        await Task.WhenAll(_servers.Select(s => s.ReadyAsync(Stop)));
    }

    public async ValueTask DisposeAsync()
    {
        TestContext.Current.TestOutputHelper?.WriteLine(
            $"three fresh servers took the first write after {_firstWrite.TotalSeconds:0.00} s");
        foreach (var server in _servers)
        {
            if (TestContext.Current.TestState?.Result == TestResult.Failed)
            {
                TestContext.Current.TestOutputHelper?.WriteLine(server.Log);
            }

            await server.DisposeAsync();
        }
    }

    [Fact]
    public async Task A_dead_server_is_taken_out_when_a_new_one_has_its_vote()
    {
        (await PutAsync(_servers[0], "before")).ShouldBeTrue();
        var dead = _servers[2];
        var id = await IdAsync(dead);
        var begin = Stopwatch.GetTimestamp();
        await dead.KillAsync();
        _servers.Remove(dead);
        await dead.DisposeAsync();

        var fresh = AgentProcess.Launch(Options("s4", [.. _servers]));
        _servers.Add(fresh);

        // It serves before it votes, by asking the leader.
        await Eventually.HoldsAsync("the new one takes writes", Soon, () => PutAsync(fresh, "through-s4"), Stop);
        await Eventually.HoldsAsync("the new one votes and the dead one is out", Soon, async () =>
        {
            var peers = await PeersAsync(_servers[0]);
            return peers.Count == 3 && peers.All(static p => p.Value) && !peers.ContainsKey(id)
                && peers.ContainsKey(await IdAsync(fresh));
        }, Stop);
        TestContext.Current.TestOutputHelper?.WriteLine(
            $"repaired after {Stopwatch.GetElapsedTime(begin).TotalSeconds:0.0} s");
        await Eventually.HoldsAsync("the new one has the state", Soon,
            async () => await KeysAsync(fresh, "&stale") == """["before","k","through-s4"]""", Stop);
        await Eventually.HoldsAsync("all are healthy", Soon, async () => await IsHealthyAsync(_servers[0]), Stop);
        var (code, text) = await _servers[1].RunAsync("operator", "autopilot", "state");
        code.ShouldBe(0);
        text.ShouldContain("Failure Tolerance:            1");
    }

    [Fact]
    public async Task A_server_that_leaves_is_taken_out_and_comes_back_as_a_new_one()
    {
        (await PutAsync(_servers[0], "before")).ShouldBeTrue();
        var leader = await LeaderOfManyAsync();
        var others = _servers.Where(s => s != leader).ToList();
        var (code, output) = await leader.RunAsync("leave");
        code.ShouldBe(0, output);
        await leader.EndedAsync(Soon);
        await Eventually.HoldsAsync("two voters remain", Soon,
            async () => (await PeersAsync(others[0])).Count == 2, Stop);
        (await PutAsync(others[1], "without")).ShouldBeTrue();

        await leader.StartAgainAsync(Stop);
        await Eventually.HoldsAsync("three voters again", Soon,
            async () => (await PeersAsync(others[0])).Count(static p => p.Value) == 3, Stop);
        await Eventually.HoldsAsync("it has caught up", Soon,
            async () => await KeysAsync(leader, "&stale") == """["before","k","without"]""", Stop);
    }

    [Theory]
    [InlineData("")]
    [InlineData("33333333-2222-3333-4444-555555555555")]
    public async Task A_server_whose_data_is_gone_comes_back_as_a_new_one(string id)
    {
        var fourth = AgentProcess.Launch(Options("s4", [.. _servers]) with { NodeId = id });
        _servers.Add(fourth);
        await fourth.ReadyAsync(Stop);
        await Eventually.HoldsAsync("it votes", Soon,
            async () => (await PeersAsync(_servers[0])).Count(static p => p.Value) == 4, Stop);
        await fourth.KillAsync();
        Directory.Delete(fourth.Folder.File("data"), recursive: true);
        (await PutAsync(_servers[0], "meanwhile")).ShouldBeTrue();

        await fourth.StartAgainAsync(Stop);
        await Eventually.HoldsAsync("four voters, one of them the new one", Soon, async () =>
        {
            var peers = await PeersAsync(_servers[0]);
            return peers.Count == 4 && peers.All(static p => p.Value) && peers.ContainsKey(await IdAsync(fourth));
        }, Stop);
        await Eventually.HoldsAsync("it has the state", Soon,
            async () => await KeysAsync(fourth, "&stale") == """["k","meanwhile"]""", Stop);
    }

    [Fact]
    public async Task A_server_that_was_taken_out_while_it_was_away_comes_back_as_a_new_one()
    {
        var leader = (await LeaderAsync(_servers[0])).ShouldNotBeNull();
        var away = _servers.First(s => s != leader);
        var id = await IdAsync(away);
        await away.KillAsync();
        var (code, output) = await leader.RunAsync("operator", "raft", "remove-peer", $"-id={id}");
        code.ShouldBe(0, output);
        output.ShouldContain($"Removed peer with id \"{id}\"");
        (await PeersAsync(leader)).Count.ShouldBe(2);

        // One more would be the end of the majority.
        var other = _servers.First(s => s != leader && s != away);
        var refused = await leader.RunAsync("operator", "raft", "remove-peer", $"-id={await IdAsync(leader)}");
        refused.Code.ShouldBe(0, refused.Output);
        await away.StartAgainAsync(Stop);
        await Eventually.HoldsAsync("three voters again", Soon,
            async () => (await PeersAsync(leader)).Count(static p => p.Value) == 3, Stop);
        (await PutAsync(away, "again")).ShouldBeTrue();
    }

    [Fact]
    public async Task A_rolling_restart_fails_no_request_that_is_tried_twice()
    {
        await using var client = await AgentProcess.StartAsync(
            Options("c1", [.. _servers]) with { IsClient = true, Servers = 1 }, Stop);
        var rounds = Environment.GetEnvironmentVariable("PRAETOR_LONG") == "1" ? 10 : 1;
        using var over = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        var load = new[]
        {
            LoadAsync([client, client], "client", over.Token),
            LoadAsync([_servers[0], _servers[1]], "first", over.Token),
            LoadAsync([_servers[1], _servers[2]], "second", over.Token),
            LoadAsync([_servers[2], _servers[0]], "third", over.Token),
        };
        for (var round = 0; round < rounds; round++)
        {
            foreach (var server in _servers)
            {
                await server.EndAsync();
                await server.StartAgainAsync(Stop);
                await Eventually.HoldsAsync(
                    "all are healthy again", Soon, async () => await IsHealthyAsync(server), Stop);
            }
        }

        await over.CancelAsync();
        var outcomes = await Task.WhenAll(load);
        foreach (var (done, twice, failed) in outcomes)
        {
            TestContext.Current.TestOutputHelper?.WriteLine($"{done} requests, {twice} tried twice");
            failed.ShouldBeEmpty();
            done.ShouldBeGreaterThan(0);
        }
    }

    [Fact]
    public async Task A_planned_transfer_costs_writers_a_moment_only()
    {
        var limit = TimeSpan.FromSeconds(5);
        for (var round = 0; round < 6; round++)
        {
            var leader = (await LeaderAsync(_servers[0])).ShouldNotBeNull();
            var next = _servers[(_servers.IndexOf(leader) + 1) % 3];
            var id = await IdAsync(next);
            var begun = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            var writing = LongestPauseAsync(_servers[round % 3], begun, done.Task);
            await begun.Task.WaitAsync(Soon, Stop);
            var begin = Stopwatch.GetTimestamp();
            (await leader.Client.TransferLeaderAsync(id, stop: Stop)).ShouldBeTrue();
            var answered = Stopwatch.GetElapsedTime(begin);
            (await LeaderAsync(leader)).ShouldBe(next);
            done.SetResult();
            var pause = await writing;
            TestContext.Current.TestOutputHelper?.WriteLine(
                $"transfer answered after {answered.TotalMilliseconds:0} ms, longest time without a write "
                + $"{pause.TotalMilliseconds:0} ms");
            pause.ShouldBeLessThan(limit);
        }
    }

    private static AgentOptions Options(string node, IReadOnlyList<AgentProcess> joins) => new()
    {
        IsDev = false,
        Servers = 3,
        Node = node,
        NodeId = "",
        Joins = joins,
        Hcl =
        [
            $"etcd_path = \"{RealEtcd.Executable}\"",
            "retry_interval = \"1s\"",

            // A busy machine hears late, and that is not what is tested here.
            "autopilot { last_contact_threshold = \"10s\" server_stabilization_time = \"3s\" }",
        ],
        ReadyLimit = Soon,
    };

    // The first server knows nobody whom it could join when it starts again after it left.
    private async Task<AgentProcess> LeaderOfManyAsync()
    {
        var leader = (await LeaderAsync(_servers[0])).ShouldNotBeNull();
        if (leader == _servers[0])
        {
            var (code, output) = await leader.RunAsync("operator", "raft", "transfer-leader");
            code.ShouldBe(0, output);
        }

        await Eventually.HoldsAsync("one that joins others leads", Soon,
            async () => await LeaderAsync(_servers[0]) is { } now && now != _servers[0], Stop);
        return (await LeaderAsync(_servers[0])).ShouldNotBeNull();
    }

    // Writes and reads in turn, each at one agent and, when that fails, once more at another.
    private static async Task<(int Done, int Twice, IReadOnlyList<string> Failed)> LoadAsync(
        IReadOnlyList<AgentProcess> agents, string key, CancellationToken stop)
    {
        string[] targets = [$"/v1/kv/{key}?raw", $"/v1/kv/{key}?stale", "/v1/health/service/consul", "/v1/kv/"];
        var (done, twice) = (0, 0);
        var failed = new List<string>();
        for (var i = 0; !stop.IsCancellationRequested; i++)
        {
            var target = targets[i % targets.Length];
            var isWrite = i == 0 || target == "/v1/kv/";
            var why = await TryAsync(agents[0], isWrite ? $"/v1/kv/{key}" : target, isWrite);
            if (why is not null)
            {
                twice++;
                var again = await TryAsync(agents[1], isWrite ? $"/v1/kv/{key}" : target, isWrite);
                if (again is not null)
                {
                    failed.Add($"{target}: {why}; {again}");
                }
            }

            done++;
        }

        return (done, twice, failed);
    }

    // Null: it was done.
    private static async Task<string?> TryAsync(AgentProcess agent, string target, bool isWrite)
    {
        try
        {
            using var body = new StringContent("v", Encoding.UTF8);
            using var answer = isWrite
                ? await agent.Http.PutAsync(new Uri(target, UriKind.Relative), body, Stop)
                : await agent.Http.GetAsync(new Uri(target, UriKind.Relative), Stop);
            var text = await answer.Content.ReadAsStringAsync(Stop);
            return answer.StatusCode == HttpStatusCode.OK && text.Length > 2 - (target.EndsWith("raw") ? 2 : 0)
                ? null : $"{(int)answer.StatusCode} {text}";
        }
        catch (Exception e) when (e is HttpRequestException or IOException)
        {
            return e.Message;
        }
    }

    // The longest time between two writes that were acknowledged, from a few before to a few after.
    private static async Task<TimeSpan> LongestPauseAsync(AgentProcess server, TaskCompletionSource begun, Task done)
    {
        const int few = 5;
        var longest = TimeSpan.Zero;
        var (before, after) = (0, 0);
        var last = Stopwatch.GetTimestamp();
        while (after < few)
        {
            Stop.ThrowIfCancellationRequested();
            if (!await PutAsync(server, "pause"))
            {
                continue;
            }

            var pause = before > 0 ? Stopwatch.GetElapsedTime(last) : TimeSpan.Zero;
            (longest, last) = (pause > longest ? pause : longest, Stopwatch.GetTimestamp());
            after += done.IsCompleted ? 1 : 0;
            if (++before == few)
            {
                begun.SetResult();
            }
        }

        return longest;
    }

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

    // Who takes part, by id, and whether it votes.
    private static async Task<IReadOnlyDictionary<string, bool>> PeersAsync(AgentProcess server)
    {
        var raft = await server.Client.RaftConfigurationAsync(stop: Stop);
        return raft.Servers!.ToDictionary(static s => s.ID, static s => s.Voter, StringComparer.Ordinal);
    }

    private static async Task<bool> IsHealthyAsync(AgentProcess server)
    {
        using var answer = await server.Http.GetAsync(
            new Uri("/v1/operator/autopilot/health", UriKind.Relative), Stop);
        return answer.StatusCode == HttpStatusCode.OK;
    }

    private async Task<AgentProcess?> LeaderAsync(AgentProcess asked)
    {
        var leader = await asked.Http.GetStringAsync(new Uri("/v1/status/leader", UriKind.Relative), Stop);
        return _servers.FirstOrDefault(s => leader.EndsWith(
            string.Create(CultureInfo.InvariantCulture, $":{s.Ports.Server}\""), StringComparison.Ordinal));
    }

    private static async Task<string> IdAsync(AgentProcess server)
    {
        var self = await server.Http.GetStringAsync(new Uri("/v1/agent/self", UriKind.Relative), Stop);
        using var json = JsonDocument.Parse(self);
        return json.RootElement.GetProperty("Config").GetProperty("NodeID").GetString()!;
    }
}
