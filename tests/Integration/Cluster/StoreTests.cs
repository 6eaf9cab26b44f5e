using System.Net;
using System.Security.Cryptography.X509Certificates;
using Integration.Etcd;
using Praetor.Agent.Cluster;
using Shouldly;
using Support;
using Xunit;

namespace Integration.Cluster;

/// <summary>Agents on the engines that <c>-store</c> names.</summary>
public sealed class StoreTests
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(60);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task One_server_on_an_etcd_of_its_own_keeps_what_it_was_given()
    {
        Assert.SkipUnless(RealEtcd.IsThere, RealEtcd.Missing);
        await using var agent = await AgentProcess.StartAsync(Alone("-store=etcd"), Stop);
        (await agent.PutAsync("k", "v", Stop)).ShouldBe(HttpStatusCode.OK);
        await agent.KillAsync();
        await agent.StartAgainAsync(Stop);
        (await agent.GetAsync("k", Stop)).ShouldBe("v");
        var (code, output) = await agent.RunAsync("operator", "raft", "list-peers");
        code.ShouldBe(0, output);
        output.ShouldContain("leader");
    }

    [Fact]
    public async Task A_data_directory_stays_with_its_engine_and_the_refusal_says_how_to_change()
    {
        await using var agent = await AgentProcess.StartAsync(Alone("-store=sqlite"), Stop);
        await agent.KillAsync();
        using var other = Lifecycle.Command.Start([
            "agent", "-server", "-bootstrap-expect=1", "-data-dir", agent.Folder.File("data"), "-bind", "127.0.0.1",
            "-hcl", agent.Ports.ToHcl(), "-store=etcd"]);
        var (code, output, errors) = await other.EndAsync();
        code.ShouldBe(1, output + errors);
        errors.Trim().ShouldNotContain("\n");
        errors.ShouldContain("its state is in store \"sqlite\"");
        errors.ShouldContain("'snapshot save'");
        errors.ShouldContain("'snapshot restore'");
    }

    [Fact]
    public async Task Without_etcd_a_server_that_needs_one_ends_and_says_where_to_get_it()
    {
        using var folder = new TempFolder("no-etcd");
        using var agent = Lifecycle.Command.Start([
            "agent", "-server", "-bootstrap-expect=3", "-data-dir", folder.File("data"), "-bind", "127.0.0.1",
            "-hcl", AgentPorts.Take().ToHcl(), "-hcl", $"etcd_path = \"{folder.File("etcd")}\""]);
        var (code, output, errors) = await agent.EndAsync();
        code.ShouldBe(1, output + errors);
        (output + errors).ShouldContain("there is no etcd, but the configuration names it: install it");
        File.Exists(folder.File("data/cluster.json")).ShouldBeFalse();
    }

    [Fact]
    public async Task Two_servers_share_an_etcd_that_somebody_else_runs_over_TLS()
    {
        Assert.SkipUnless(RealEtcd.IsThere, RealEtcd.Missing);
        await using var etcd = OutsideEtcd.New(hasTls: true);
        await etcd.StartAsync();
        await using var first = await AgentProcess.StartAsync(Sharing("s1", etcd), Stop);
        await using var second = await AgentProcess.StartAsync(Sharing("s2", etcd, first), Stop);
        (await first.PutAsync("k1", "v1", Stop)).ShouldBe(HttpStatusCode.OK);
        (await second.PutAsync("k2", "v2", Stop)).ShouldBe(HttpStatusCode.OK);
        (await second.GetAsync("k1", Stop)).ShouldBe("v1");
        (await first.GetAsync("k2", Stop)).ShouldBe("v2");
        Directory.Exists(first.Folder.File("data/etcd")).ShouldBeFalse();

        await Eventually.HoldsAsync("both are listed, and one leads", Soon, async () =>
        {
            var (_, peers) = await second.RunAsync("operator", "raft", "list-peers");
            return peers.Contains("s1", StringComparison.Ordinal) && peers.Contains("s2", StringComparison.Ordinal)
                && peers.Split('\n').Count(static l => l.Contains(" leader ", StringComparison.Ordinal)) == 1;
        }, Stop);

        await first.KillAsync();
        await Eventually.HoldsAsync(
            "the other one leads", Soon, async () => await second.PutAsync("k3", "v3", Stop) == HttpStatusCode.OK,
            Stop);
        (await second.GetAsync("k1", Stop)).ShouldBe("v1");
    }

    [Fact]
    public async Task A_write_larger_than_an_outside_etcd_takes_is_refused_alone_with_the_remedy()
    {
        Assert.SkipUnless(RealEtcd.IsThere, RealEtcd.Missing);
        await using var etcd = OutsideEtcd.New(hasTls: false);
        await etcd.StartAsync();
        await using var agent = await AgentProcess.StartAsync(
            Alone($"-store=etcd={etcd.Url}") with { Hcl = ["limits { kv_max_value_size = 4000000 }"] }, Stop);
        var writes = Enumerable.Range(0, 20).Select(async i =>
        {
            using var body = new ByteArrayContent(new byte[i == 10 ? 1_600_000 : i == 11 ? 1_100_000 : 40_000]);
            using var answer = await agent.Http.PutAsync(new Uri($"/v1/kv/k{i}", UriKind.Relative), body, Stop);
            return (answer.StatusCode, Said: await answer.Content.ReadAsStringAsync(Stop));
        });
        var outcomes = await Task.WhenAll(writes);
        outcomes[10].StatusCode.ShouldBe(HttpStatusCode.RequestEntityTooLarge);
        outcomes[10].Said.ShouldContain("--max-request-bytes");
        outcomes.Count(static o => o.StatusCode == HttpStatusCode.OK).ShouldBe(19);
        agent.Log.ShouldNotContain("leads no more");
    }

    [Fact]
    public async Task An_outside_etcd_that_does_not_run_is_waited_for_and_named_once()
    {
        Assert.SkipUnless(RealEtcd.IsThere, RealEtcd.Missing);
        await using var etcd = OutsideEtcd.New(hasTls: false);
        await using var agent = AgentProcess.Launch(Alone($"-store=etcd={etcd.Url}"));
        await agent.SaidAsync("the store cannot be used yet", Stop);
        agent.Log.ShouldContain("does it run");
        await agent.AnswersAsync(Stop);
        (await agent.PutAsync("k", "v", Stop)).ShouldBe(HttpStatusCode.InternalServerError);
        await etcd.StartAsync();
        await agent.ReadyAsync(Stop);
        (await agent.PutAsync("k", "v", Stop)).ShouldBe(HttpStatusCode.OK);
        agent.Log.Split("the store cannot be used yet").Length.ShouldBe(2);

        await etcd.EndAsync();
        await etcd.StartAsync();
        await Eventually.HoldsAsync(
            "it goes on", Soon, async () => await agent.PutAsync("k", "w", Stop) == HttpStatusCode.OK, Stop);
    }

    [Fact]
    public async Task An_outside_etcd_that_does_not_know_us_is_named_with_the_remedy()
    {
        Assert.SkipUnless(RealEtcd.IsThere, RealEtcd.Missing);
        await using var etcd = OutsideEtcd.New(hasTls: true);
        await etcd.StartAsync();
        await using var distrustful = AgentProcess.Launch(Alone($"-store=etcd={etcd.Url}"));
        await distrustful.SaidAsync("etcd_ca_file", Stop);

        await Eventually.HoldsAsync("it has users", Soon, () => HasUsersAsync(etcd), Stop);
        await using var nobody = AgentProcess.Launch(Sharing("s1", etcd) with { ReadyLimit = Soon });
        await nobody.SaidAsync("whose common name is a user of etcd", Stop);

        // The certificate's common name is "member".
        await etcd.ControlAsync("--user", "root:r", "user", "add", "member:m");
        await etcd.ControlAsync("--user", "root:r", "role", "add", "praetor");
        await etcd.ControlAsync(
            "--user", "root:r", "role", "grant-permission", "praetor", "--prefix=true", "readwrite", "praetor/dc1/");
        await etcd.ControlAsync("--user", "root:r", "user", "grant-role", "member", "praetor");
        await nobody.ReadyAsync(Stop);
        (await nobody.PutAsync("k", "v", Stop)).ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task The_etcds_of_servers_that_have_certificates_speak_with_nobody_else()
    {
        Assert.SkipUnless(RealEtcd.IsThere, RealEtcd.Missing);
        using var folder = new TempFolder("peer-tls");
        var files = TestAuthority.Write(folder);
        var tls = $$"""
            tls { internal_rpc {
              ca_file = "{{files.CaFile}}" cert_file = "{{files.CertificateFile}}" key_file = "{{files.KeyFile}}"
              verify_outgoing = true
            } }
            """;
        var servers = new List<AgentProcess>();
        try
        {
            for (var i = 1; i <= 3; i++)
            {
                var options = ClusterTests.Options($"s{i}", [.. servers]);
                servers.Add(AgentProcess.Launch(options with { Hcl = [.. options.Hcl, tls] }));
            }

            await Task.WhenAll(servers.Select(static s => s.ReadyAsync(Stop)));
            (await servers[0].PutAsync("k", "v", Stop)).ShouldBe(HttpStatusCode.OK);
            (await servers[1].GetAsync("k", Stop)).ShouldBe("v");
            (await VersionAsync(servers[0], files, shows: true)).ShouldBeTrue();
            (await VersionAsync(servers[0], files, shows: false)).ShouldBeFalse();
        }
        finally
        {
            foreach (var server in servers)
            {
                await server.DisposeAsync();
            }
        }
    }

    // Whether the port for other members answers one that shows, or does not show, a certificate.
    private static async Task<bool> VersionAsync(AgentProcess server, EtcdPeerTls files, bool shows)
    {
        using var handler = new SocketsHttpHandler { UseProxy = false };
        handler.SslOptions.RemoteCertificateValidationCallback = static (_, _, _, _) => true;
        if (shows)
        {
            handler.SslOptions.ClientCertificates =
                [X509Certificate2.CreateFromPemFile(files.CertificateFile, files.KeyFile)];
        }

        using var http = new HttpClient(handler);
        try
        {
            using var answer = await http.GetAsync(
                new Uri($"https://127.0.0.1:{server.Ports.StorePeer}/version"), Stop);
            return answer.IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    private static async Task<bool> HasUsersAsync(OutsideEtcd etcd)
    {
        try
        {
            await etcd.ControlAsync("user", "add", "root:r");
            await etcd.ControlAsync("user", "grant-role", "root", "root");
            await etcd.ControlAsync("auth", "enable");
            return true;
        }
        catch (InvalidOperationException e) when (e.Message.Contains("refused", StringComparison.Ordinal)
            || e.Message.Contains("deadline", StringComparison.Ordinal))
        {
            return false;
        }
    }

    private static AgentOptions Alone(string store) => new()
    {
        IsDev = false,
        Arguments = [store],
        Hcl = [$"etcd_path = \"{RealEtcd.Executable}\"", $"ports {{ store_peer = {FreePorts.Take()} }}"],
        ReadyLimit = Soon,
    };

    private static AgentOptions Sharing(string node, OutsideEtcd etcd, params AgentProcess[] joins) => new()
    {
        IsDev = false,
        Node = node,
        NodeId = "",
        Joins = joins,
        Arguments = [$"-store=etcd={etcd.Url}"],
        Hcl =
        [
            $"""
            etcd_ca_file = "{etcd.Tls.CaFile}"
            etcd_cert_file = "{etcd.Tls.CertificateFile}"
            etcd_key_file = "{etcd.Tls.KeyFile}"
            """,
            "retry_interval = \"1s\"",
        ],
        ReadyLimit = Soon,
    };
}
