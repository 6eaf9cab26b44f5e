using System.Text;
using Shouldly;
using Support;
using Xunit;

namespace Integration.Snapshots;

/// <summary>Snapshots between processes: ours, and the real Consul 1.8.7.</summary>
public sealed class SnapshotTests
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(60);

    private static string OfConsul => Repository.At("tests", "Unit", "Snapshots", "consul-1.8.7.snap");

    [Fact]
    public async Task A_state_is_back_after_save_and_restore_and_the_own_services_with_it()
    {
        var stop = TestContext.Current.CancellationToken;
        await using var agent = await AgentProcess.StartAsync(new AgentOptions { IsDev = false }, stop);
        await PutAsync(agent, "/v1/kv/a", "1");
        var file = agent.Folder.File("a.snap");
        var (code, output) = await agent.RunAsync("snapshot", "save", file);
        code.ShouldBe(0, output);
        output.ShouldStartWith("Saved and verified snapshot to index ");
        if (!OperatingSystem.IsWindows())
        {
            File.GetUnixFileMode(file).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);
        }

        await PutAsync(agent, "/v1/kv/a", "2");
        await PutAsync(agent, "/v1/kv/b", "2");
        await PutAsync(agent, "/v1/agent/service/register", """{"Name":"own","Port":5}""");
        await CatalogHasAsync(agent, "own");

        (await agent.RunAsync("snapshot", "restore", file)).ShouldBe((0, "Restored snapshot\n"));
        (await agent.Http.GetStringAsync("/v1/kv/a?raw", stop)).ShouldBe("1");
        (await agent.Http.GetAsync(new Uri("/v1/kv/b", UriKind.Relative), stop)).StatusCode
            .ShouldBe(System.Net.HttpStatusCode.NotFound);
        await CatalogHasAsync(agent, "own");

        await agent.KillAsync();
        await agent.StartAgainAsync(stop);
        (await agent.Http.GetStringAsync("/v1/kv/a?raw", stop)).ShouldBe("1");
        await CatalogHasAsync(agent, "own");
    }

    [Fact]
    public async Task A_waiting_reader_is_answered_and_its_index_does_not_go_backwards()
    {
        var stop = TestContext.Current.CancellationToken;
        await using var agent = await AgentProcess.StartAsync(stop: stop);
        for (var i = 0; i < 20; i++)
        {
            await PutAsync(agent, "/v1/kv/a", $"{i}");
        }

        var before = IndexOf(await agent.Http.GetAsync(new Uri("/v1/kv/a", UriKind.Relative), stop));
        var waiting = agent.Http.GetAsync(new Uri($"/v1/kv/a?index={before}&wait=60s", UriKind.Relative), stop);
        (await agent.RunAsync("snapshot", "restore", OfConsul)).Code.ShouldBe(0);
        IndexOf(await waiting).ShouldBeGreaterThan(before);
    }

    [Fact]
    public async Task A_file_that_is_no_snapshot_changes_nothing_and_is_refused_in_consuls_words()
    {
        var stop = TestContext.Current.CancellationToken;
        await using var agent = await AgentProcess.StartAsync(stop: stop);
        await PutAsync(agent, "/v1/kv/a", "1");
        var wrong = agent.Folder.Write("wrong.snap", new string('x', 100));
        (await agent.RunAsync("snapshot", "restore", wrong)).ShouldBe((1,
            "Error restoring snapshot: Unexpected response code: 500 "
            + "(failed to decompress snapshot: gzip: invalid header)\n"));
        (await agent.RunAsync("snapshot", "inspect", wrong)).ShouldBe((1,
            "Error verifying snapshot: failed to decompress snapshot: gzip: invalid header\n"));
        (await agent.RunAsync("snapshot", "restore", "/nonexistent")).ShouldBe((1,
            "Error opening snapshot file: open /nonexistent: no such file or directory\n"));
        (await agent.RunAsync("snapshot", "save")).Output.ShouldStartWith("Missing FILE argument");
        (await agent.Http.GetStringAsync("/v1/kv/a?raw", stop)).ShouldBe("1");
    }

    [Fact]
    public async Task Inspect_counts_what_a_snapshot_of_the_real_consul_holds()
    {
        await using var agent = await AgentProcess.StartAsync(stop: TestContext.Current.CancellationToken);
        var (code, output) = await agent.RunAsync("snapshot", "inspect", "-kvdetails", "-kvdepth=1", OfConsul);
        code.ShouldBe(0, output);
        output.ShouldStartWith(" ID           2-48-");
        output.ShouldContain(" Index        48\n");
        output.ShouldContain("\n Register ");
        output.ShouldContain("\n Key Name");
        (await agent.RunAsync("snapshot", "inspect", "-format=json", OfConsul)).Output
            .ShouldContain("\"Name\": \"KVS\"");
    }

    [Fact]
    public async Task A_client_agent_passes_snapshots_on_to_a_server_and_back()
    {
        var stop = TestContext.Current.CancellationToken;
        await using var server = await AgentProcess.StartAsync(
            new AgentOptions { IsDev = false, Node = "server", NodeId = "" }, stop);
        await using var client = await AgentProcess.StartAsync(
            new AgentOptions { IsClient = true, Node = "client", NodeId = "", Joins = [server] }, stop);

        // More than a call between agents may hold otherwise.
        var random = new Random(7);
        var value = new byte[400 * 1024];
        for (var i = 0; i < 8; i++)
        {
            random.NextBytes(value);
            using var body = new ByteArrayContent(value);
            await client.Http.PutAsync(new Uri($"/v1/kv/large/{i}", UriKind.Relative), body, stop);
        }

        var file = client.Folder.File("a.snap");
        (await client.RunAsync("snapshot", "save", file)).Code.ShouldBe(0);
        new FileInfo(file).Length.ShouldBeGreaterThan(8 * value.Length);
        await client.Http.DeleteAsync(new Uri("/v1/kv/large?recurse", UriKind.Relative), stop);
        (await client.RunAsync("snapshot", "restore", file)).ShouldBe((0, "Restored snapshot\n"));
        (await client.Http.GetByteArrayAsync("/v1/kv/large/7?raw", stop)).ShouldBe(value);
    }

    [Fact]
    public async Task Snapshots_are_taken_now_and_then_and_the_oldest_go()
    {
        await using var agent = await AgentProcess.StartAsync(stop: TestContext.Current.CancellationToken);
        using var folder = new TempFolder("snapshots");
        folder.Write("praetor-other.snap", "not ours");
        for (var i = 0; i < 3; i++)
        {
            (await agent.RunAsync(
                "snapshot", "agent", "-interval=0", "-retain=2", $"-local-path={folder.Path}")).Code.ShouldBe(0);
        }

        Directory.GetFiles(folder.Path).Length.ShouldBe(3);
        foreach (var file in Directory.GetFiles(folder.Path).Where(static f => !f.Contains("other")))
        {
            (await agent.RunAsync("snapshot", "inspect", file)).Code.ShouldBe(0);
        }
    }

    [Fact]
    public async Task A_snapshot_of_the_real_consul_is_answered_as_it_answered_itself()
    {
        Assert.SkipUnless(RealConsul.IsThere, RealConsul.Missing);
        var stop = TestContext.Current.CancellationToken;
        await using var theirs = await RealConsul.StartAsync(stop: stop);
        await RestoreAsync(theirs, OfConsul);
        await using var ours = await AgentProcess.StartAsync(stop: stop);
        await RestoreAsync(ours, OfConsul);
        await CompareAsync(ours, theirs, stop);
    }

    [Fact]
    public async Task The_real_consul_reads_and_restores_a_snapshot_of_ours()
    {
        Assert.SkipUnless(RealConsul.IsThere, RealConsul.Missing);
        var stop = TestContext.Current.CancellationToken;
        await using var ours = await AgentProcess.StartAsync(stop: stop);
        await RestoreAsync(ours, OfConsul);
        await PutAsync(ours, "/v1/kv/more", "of ours");
        await PutAsync(ours, "/v1/config", """
            {"Kind":"service-intentions","Name":"api","Sources":[{"Name":"web","Action":"allow"},
             {"Name":"l7","Permissions":[{"Action":"allow","HTTP":{"PathPrefix":"/"}}]}]}
            """);
        var file = ours.Folder.File("ours.snap");
        (await ours.RunAsync("snapshot", "save", file)).Code.ShouldBe(0);

        await using var theirs = await RealConsul.StartAsync(stop: stop);
        var (code, output) = await theirs.RunAsync("snapshot", "inspect", file);
        code.ShouldBe(0, output);
        output.ShouldContain("Version      1");
        await RestoreAsync(theirs, file);
        (await theirs.Http.GetStringAsync("/v1/kv/more?raw", stop)).ShouldBe("of ours");
        (await theirs.Http.GetStringAsync("/v1/connect/intentions", stop)).ShouldContain("\"api\"");
        foreach (var path in Answers.Paths.Where(static p => p != "/v1/connect/intentions"))
        {
            (await Answers.OfAsync(theirs, path, stop)).ShouldBe(await Answers.OfAsync(ours, path, stop));
        }
    }

    [Fact]
    public async Task A_kill_in_the_middle_of_a_restore_leaves_the_old_state_or_the_new_one()
    {
        var stop = TestContext.Current.CancellationToken;
        await using var agent = await AgentProcess.StartAsync(new AgentOptions { IsDev = false }, stop);
        var files = new List<string>();
        foreach (var name in (string[])["first", "second"])
        {
            await FillAsync(agent, name, stop);
            var file = agent.Folder.File(name + ".snap");
            (await agent.RunAsync("snapshot", "save", file)).Code.ShouldBe(0);
            files.Add(file);
        }

        var random = new Random(11);
        for (var round = 0; round < 8; round++)
        {
            await using var archive = File.OpenRead(files[round % 2]);
            using var body = new StreamContent(archive);
            var restoring = agent.Http.PutAsync(new Uri("/v1/snapshot", UriKind.Relative), body, stop);
            await Task.Delay(TimeSpan.FromMilliseconds(random.Next(0, 400)), TimeProvider.System, stop);
            await agent.KillAsync();
            await restoring.ContinueWith(static _ => { }, TaskScheduler.Default);
            await agent.StartAgainAsync(stop);
            var values = await agent.Http.GetStringAsync("/v1/kv/bulk/?recurse", stop);
            var first = values.Contains(Convert.ToBase64String(Value("first")), StringComparison.Ordinal);
            var second = values.Contains(Convert.ToBase64String(Value("second")), StringComparison.Ordinal);
            (first ^ second).ShouldBeTrue($"round {round}: first={first} second={second}");
        }
    }

    private static byte[] Value(string name) => Encoding.UTF8.GetBytes($"value of {name}");

    private static async Task FillAsync(AgentProcess agent, string name, CancellationToken stop)
    {
        const int Batches = 30;
        const int BatchSize = 64;
        var value = Convert.ToBase64String(Value(name));
        for (var batch = 0; batch < Batches; batch++)
        {
            var operations = Enumerable.Range(0, BatchSize).Select(i =>
                $$$"""{"KV":{"Verb":"set","Key":"bulk/{{{batch}}}/{{{i}}}","Value":"{{{value}}}"}}""");
            using var body = new StringContent($"[{string.Join(',', operations)}]");
            using var answer = await agent.Http.PutAsync(new Uri("/v1/txn", UriKind.Relative), body, stop);
            answer.EnsureSuccessStatusCode();
        }
    }

    private static async Task CompareAsync(AgentProcess ours, AgentProcess theirs, CancellationToken stop)
    {
        foreach (var path in Answers.Paths)
        {
            (await Answers.OfAsync(ours, path, stop)).ShouldBe(await Answers.OfAsync(theirs, path, stop));
        }
    }

    private static async Task RestoreAsync(AgentProcess agent, string file)
    {
        var (code, output) = await agent.RunAsync("snapshot", "restore", file);
        code.ShouldBe(0, output);
        output.ShouldContain("Restored snapshot");
    }

    private static ulong IndexOf(HttpResponseMessage answer)
    {
        using (answer)
        {
            return ulong.Parse(answer.Headers.GetValues("X-Consul-Index").Single());
        }
    }

    private static async Task PutAsync(AgentProcess agent, string path, string text)
    {
        using var body = new StringContent(text);
        using var answer = await agent.Http.PutAsync(new Uri(path, UriKind.Relative), body);
        answer.IsSuccessStatusCode.ShouldBeTrue(await answer.Content.ReadAsStringAsync());
    }

    private static Task CatalogHasAsync(AgentProcess agent, string service) => Eventually.HoldsAsync(
        $"{service} is in the catalog", Soon,
        async () => (await agent.Http.GetStringAsync($"/v1/catalog/service/{service}")).Contains("ServiceName"));
}
