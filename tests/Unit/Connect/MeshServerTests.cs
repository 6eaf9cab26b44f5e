using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Logging.Abstractions;
using Praetor.Agent.Config;
using Praetor.Agent.Connect;
using Praetor.Agent.Http;
using Praetor.Agent.Http.Endpoints;
using Praetor.Agent.Local;
using Praetor.Server.Queries;
using Praetor.Server.State;
using Praetor.Server.Storage;
using Shouldly;
using Support;
using Xunit;

namespace Unit.Connect;

public sealed class MeshServerTests : IAsyncDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);

    private readonly ManualTime _time = new();
    private readonly StateStore _store = new(new MemoryEngine());
    private MeshServer? _mesh;
    private RouteTable _routes = new();

    public async ValueTask DisposeAsync()
    {
        await _mesh!.DisposeAsync();
        _store.Dispose();
    }

    [Fact]
    public async Task A_leaf_verifies_under_the_roots_and_names_its_service()
    {
        await StartAsync();
        var leaf = Json(await AskAsync("GET", "/v1/agent/connect/ca/leaf/web"));
        var roots = Json(await AskAsync("GET", "/v1/connect/ca/roots"));
        var pem = Text(await AskAsync("GET", "/v1/agent/connect/ca/roots?pem=true"));

        using var root = X509Certificate2.CreateFromPem(pem);
        using var certificate = X509Certificate2.CreateFromPem(leaf.GetProperty("CertPEM").GetString());
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.Add(root);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.VerificationTime = _time.GetUtcNow().UtcDateTime.AddMinutes(1);
        chain.Build(certificate).ShouldBeTrue();

        var domain = roots.GetProperty("TrustDomain").GetString();
        leaf.GetProperty("ServiceURI").GetString().ShouldBe($"spiffe://{domain}/ns/default/dc/dc1/svc/web");
        leaf.GetProperty("PrivateKeyPEM").GetString()!.ShouldStartWith("-----BEGIN EC PRIVATE KEY-----");
    }

    [Theory]
    [InlineData("GET", "/v1/config/", 200, "[]")]
    [InlineData("GET", "/v1/config/service-router", 200, "[]")]
    [InlineData("GET", "/v1/config/service-splitter/web", 404,
        "Config entry not found for \"service-splitter\" / \"web\"")]
    [InlineData("GET", "/v1/config/service-splitter/", 404,
        "Config entry not found for \"service-splitter\" / \"\"")]
    [InlineData("DELETE", "/v1/config/service-resolver/web", 200, "{}")]
    [InlineData("DELETE", "/v1/config/nope/web", 400, "invalid config entry kind: nope")]
    public async Task Kinds_that_cannot_be_written_yet_are_answered_as_if_nobody_had(
        string method, string path, int status, string body)
    {
        await StartAsync();
        var reply = await AskAsync(method, path);
        reply.Status.ShouldBe(status);
        Text(reply).Trim().ShouldBe(body);
    }

    [Fact]
    public async Task A_list_without_a_kind_has_all_kinds()
    {
        await StartAsync();
        await AskAsync("PUT", "/v1/config", """{"Kind":"service-defaults","Name":"web","Protocol":"http"}""");
        await AskAsync("PUT", "/v1/config", """{"Kind":"proxy-defaults","Name":"global"}""");
        Json(await AskAsync("GET", "/v1/config/")).EnumerateArray()
            .Select(static e => e.GetProperty("Kind").GetString()).ShouldBe(["proxy-defaults", "service-defaults"]);
    }

    [Fact]
    public async Task A_leaf_is_kept_and_a_reader_with_its_index_waits()
    {
        await StartAsync();
        var first = await AskAsync("GET", "/v1/agent/connect/ca/leaf/web");
        var again = await AskAsync("GET", "/v1/agent/connect/ca/leaf/web");
        Header(first, "X-Cache").ShouldBe("MISS");
        Header(again, "X-Cache").ShouldBe("HIT");
        Header(again, "Age").ShouldBe("0");
        again.Body.ShouldBe(first.Body);

        var index = Header(first, "X-Consul-Index");
        var blocked = AskAsync("GET", $"/v1/agent/connect/ca/leaf/web?index={index}&wait=10s");
        blocked.IsCompleted.ShouldBeFalse();
        _time.Advance(TimeSpan.FromSeconds(11));
        (await blocked).Body.ShouldBe(first.Body);

        // An index from before a restart does not wait.
        (await AskAsync("GET", "/v1/agent/connect/ca/leaf/web?index=99999&wait=10m")).Status.ShouldBe(200);
    }

    [Fact]
    public async Task Another_key_rotates_the_root_and_the_old_one_stays_trusted()
    {
        await StartAsync();
        var before = Json(await AskAsync("GET", "/v1/connect/ca/roots")).GetProperty("ActiveRootID").GetString();
        var answer = await AskAsync("PUT", "/v1/connect/ca/configuration",
            """{"Provider":"consul","Config":{"PrivateKeyType":"ec","PrivateKeyBits":384}}""");
        answer.Status.ShouldBe(200, Text(answer));

        var roots = Json(await AskAsync("GET", "/v1/connect/ca/roots"));
        roots.GetProperty("ActiveRootID").GetString().ShouldNotBe(before);
        roots.GetProperty("Roots").EnumerateArray().Select(r => r.GetProperty("ID").GetString()).ShouldContain(before);
        roots.GetProperty("Roots").EnumerateArray().Max(r => r.GetProperty("ModifyIndex").GetUInt64())
            .ShouldBe(_store.Current.Index);
        var leaf = Json(await AskAsync("GET", "/v1/agent/connect/ca/leaf/web")).GetProperty("CertPEM").GetString()!;
        leaf.Split("BEGIN CERTIFICATE").Length.ShouldBe(3);
    }

    [Fact]
    public async Task A_reader_of_a_leaf_wakes_within_seconds_of_a_rotation()
    {
        await StartAsync();
        var first = await AskAsync("GET", "/v1/agent/connect/ca/leaf/web");
        var index = Header(first, "X-Consul-Index");
        var blocked = AskAsync("GET", $"/v1/agent/connect/ca/leaf/web?index={index}&wait=10m");
        await AskAsync("PUT", "/v1/connect/ca/configuration",
            """{"Provider":"consul","Config":{"PrivateKeyBits":384}}""");

        // In small steps, as the news of the root takes its way through other threads.
        var start = _time.GetUtcNow();
        while (!blocked.IsCompleted && _time.GetUtcNow() - start < TimeSpan.FromMinutes(9))
        {
            _time.Advance(TimeSpan.FromMilliseconds(50));
            await Task.WhenAny(blocked, Task.Delay(TimeSpan.FromMilliseconds(1), TimeProvider.System));
        }

        Json(await blocked).GetProperty("CertPEM").GetString()!.Split("BEGIN CERTIFICATE").Length.ShouldBe(3);
    }

    [Fact]
    public async Task A_refused_configuration_changes_nothing()
    {
        await StartAsync();
        var index = _store.Current.Index;
        var answer = await AskAsync("PUT", "/v1/connect/ca/configuration",
            """{"Provider":"consul","Config":{"LeafCertTTL":"10m"}}""");
        answer.Status.ShouldBe(500);
        Text(answer).ShouldBe("error configuring provider: leaf cert TTL must be greater or equal than 1h0m0s");
        _store.Current.Index.ShouldBe(index);
        Json(await AskAsync("GET", "/v1/connect/ca/configuration"))
            .GetProperty("Config").GetProperty("LeafCertTTL").GetString().ShouldBe("72h");
    }

    [Fact]
    public async Task With_the_mesh_off_the_certificate_endpoints_say_so_and_intentions_work()
    {
        await StartAsync("connect { enabled = false }");
        foreach (var path in (string[])
            ["/v1/connect/ca/roots", "/v1/agent/connect/ca/roots", "/v1/agent/connect/ca/leaf/web",
            "/v1/connect/ca/configuration"])
        {
            var answer = await AskAsync("GET", path);
            (answer.Status, Text(answer)).ShouldBe((500, "Connect must be enabled in order to use this endpoint"));
        }

        (await AskAsync("GET", "/v1/connect/intentions")).Status.ShouldBe(200);
        Text(await AskAsync("POST", "/v1/agent/connect/authorize",
            """{"Target":"db","ClientCertURI":"spiffe://x.consul/ns/default/dc/dc1/svc/web"}"""))
            .ShouldContain("\"Authorized\":true");
    }

    [Fact]
    public async Task Intentions_are_made_read_checked_matched_and_deleted_by_id()
    {
        await StartAsync();
        var made = await AskAsync("POST", "/v1/connect/intentions",
            """{"SourceName":"web","DestinationName":"db","Action":"deny","Meta":{"team":"a"}}""");
        var id = Json(made).GetProperty("ID").GetString()!;
        await AskAsync("POST", "/v1/connect/intentions",
            """{"SourceName":"*","DestinationName":"db","Action":"allow"}""");

        Text(await AskAsync("POST", "/v1/connect/intentions",
            """{"SourceName":"web","DestinationName":"db","Action":"allow"}"""))
            .ShouldBe($"duplicate intention found: DENY default/web => default/db (ID: {id}, Precedence: 9)");
        (await IsAllowedAsync("web", "db")).ShouldBeFalse();
        (await IsAllowedAsync("other", "db")).ShouldBeTrue();
        Sources(await AskAsync("GET", "/v1/connect/intentions/match?by=destination&name=db"), "db")
            .ShouldBe(["web", "*"]);
        Json(await AskAsync("GET", "/v1/connect/intentions?filter=SourceName==web")).GetArrayLength().ShouldBe(1);

        Json(await AskAsync("PUT", $"/v1/connect/intentions/{id}",
            """{"SourceName":"web","DestinationName":"db","Action":"allow"}"""))
            .GetProperty("ID").GetString().ShouldBe(id);
        Json(await AskAsync("GET", $"/v1/connect/intentions/{id}")).GetProperty("Action").GetString().ShouldBe("allow");
        Text(await AskAsync("DELETE", $"/v1/connect/intentions/{id}")).ShouldBe("true");
        var gone = await AskAsync("GET", $"/v1/connect/intentions/{id}");
        (gone.Status, Text(gone)).ShouldBe((404, "Intention not found"));
        var again = await AskAsync("DELETE", $"/v1/connect/intentions/{id}");
        (again.Status, Text(again)).ShouldBe((500, $"Cannot delete non-existent intention: '{id}'"));
    }

    [Fact]
    public async Task Intentions_are_put_read_and_deleted_by_their_names()
    {
        await StartAsync();
        const string Pair = "/v1/connect/intentions/exact?source=web&destination=default/db";
        (await AskAsync("GET", Pair)).Status.ShouldBe(404);
        Text(await AskAsync("PUT", Pair, """{"Action":"deny"}""")).ShouldBe("true");
        Json(await AskAsync("GET", Pair)).GetProperty("Action").GetString().ShouldBe("deny");
        Text(await AskAsync("PUT", Pair, """{"Action":"allow"}""")).ShouldBe("true");
        (await IsAllowedAsync("web", "db")).ShouldBeTrue();
        Text(await AskAsync("DELETE", Pair)).ShouldBe("true");
        Text(await AskAsync("DELETE", Pair)).ShouldBe("true");
        Json(await AskAsync("GET", "/v1/connect/intentions")).GetArrayLength().ShouldBe(0);
        Json(await AskAsync("GET", "/v1/config/service-intentions")).GetArrayLength().ShouldBe(0);
        (await AskAsync("GET", "/v1/connect/intentions/exact?source=web")).Status.ShouldBe(400);
    }

    [Fact]
    public async Task A_service_intentions_entry_shows_as_intentions_and_decides_at_once()
    {
        await StartAsync();
        (await AuthorizeAsync("web", "db")).ShouldBeTrue();
        Text(await AskAsync("PUT", "/v1/config",
            """{"Kind":"service-intentions","Name":"db","Sources":[{"Name":"web","Action":"deny"}]}"""))
            .ShouldBe("true");

        var all = Json(await AskAsync("GET", "/v1/connect/intentions"));
        all.GetArrayLength().ShouldBe(1);
        all[0].GetProperty("SourceName").GetString().ShouldBe("web");
        all[0].GetProperty("ModifyIndex").GetUInt64().ShouldBe(_store.Current.Index);
        (await AuthorizeAsync("web", "db")).ShouldBeFalse();
        (await AuthorizeAsync("web", "other")).ShouldBeTrue();
    }

    [Fact]
    public async Task An_entry_is_put_and_deleted_only_at_the_index_that_was_seen()
    {
        await StartAsync();
        const string Web = """{"Kind":"service-defaults","Name":"web","Protocol":"http"}""";
        Text(await AskAsync("PUT", "/v1/config?cas=0", Web)).ShouldBe("true");
        Text(await AskAsync("PUT", "/v1/config?cas=0", Web)).ShouldBe("false");
        var seen = Json(await AskAsync("GET", "/v1/config/service-defaults/web"));
        var index = seen.GetProperty("ModifyIndex").GetUInt64();
        Text(await AskAsync("PUT", $"/v1/config?cas={index}", Web.Replace("http", "grpc", StringComparison.Ordinal)))
            .ShouldBe("true");
        Text(await AskAsync("DELETE", $"/v1/config/service-defaults/web?cas={index}")).ShouldBe("false");
        Text(await AskAsync("DELETE", "/v1/config/service-defaults/web")).ShouldBe("{}");
        var gone = await AskAsync("GET", "/v1/config/service-defaults/web");
        (gone.Status, Text(gone)).ShouldBe((404, "Config entry not found for \"service-defaults\" / \"web\""));
        Text(await AskAsync("DELETE", "/v1/config/service-intentions/none")).ShouldBe("{}");
        (await AskAsync("GET", "/v1/config/odd")).Status.ShouldBe(500);
        (await AskAsync("DELETE", "/v1/config/odd/x")).Status.ShouldBe(400);
    }

    [Fact]
    public async Task Configured_entries_are_written_once_and_the_cluster_keeps_its_authority()
    {
        const string File = """
            config_entries { bootstrap = [{ kind = "service-defaults", name = "web", protocol = "http" }] }
            """;
        await StartAsync(File);
        var domain = Json(await AskAsync("GET", "/v1/connect/ca/roots")).GetProperty("TrustDomain").GetString();
        await AskAsync("PUT", "/v1/config", """{"Kind":"service-defaults","Name":"web","Protocol":"grpc"}""");

        await _mesh!.DisposeAsync();
        await StartAsync(File);
        Json(await AskAsync("GET", "/v1/config/service-defaults/web"))
            .GetProperty("Protocol").GetString().ShouldBe("grpc");
        Json(await AskAsync("GET", "/v1/connect/ca/roots")).GetProperty("TrustDomain").GetString().ShouldBe(domain);
    }

    private async Task StartAsync(string extra = "")
    {
        List<string> args = ["-dev"];
        if (extra.Length > 0)
        {
            args.AddRange(["-hcl", extra]);
        }

        var loaded = ConfigLoader.Load(args, new ConfigSurroundings("n1", static () => []));
        var config = loaded.Config.ShouldNotBeNull(loaded.ProblemText);
        var node = new NodeIdentity { Id = "", Name = "n1", Address = "127.0.0.1", Datacenter = "dc1" };
        var hub = new QueryHub(_store, _time);
        _mesh = new MeshServer(_store, hub, node, config, _time, new Random(7), NullLogger.Instance);
        await _mesh.InitializeAsync(TestContext.Current.CancellationToken);
        _routes = new RouteTable();
        _mesh.AddRoutes(_routes);
        _mesh.AddAgentRoutes(_routes, new OutsideProxies(static () => [], static (_, _, _) => Task.CompletedTask));
    }

    private async Task<Reply> AskAsync(string method, string target, string body = "")
    {
        var question = target.IndexOf('?', StringComparison.Ordinal);
        var path = question < 0 ? target : target[..question];
        var match = _routes.Find(path).ShouldNotBeNull(target);
        var route = match.Methods[method];
        var request = new ApiRequest
        {
            Method = method,
            Target = target,
            Path = path,
            Query = QueryParameters.Parse(question < 0 ? "" : target[(question + 1)..]),
            PathValues = match.Values,
            Body = Encoding.UTF8.GetBytes(body),
        };
        if (route.Read is null)
        {
            return await route.Handle!(request).AsTask().WaitAsync(Limit);
        }

        var answer = route.Read(request, new ReadView(_store.Current, tracks: false));
        return new Reply(answer.Status, answer.ContentType, answer.Body);
    }

    private async Task<bool> IsAllowedAsync(string source, string destination) =>
        Json(await AskAsync("GET", $"/v1/connect/intentions/check?source={source}&destination={destination}"))
            .GetProperty("Allowed").GetBoolean();

    private async Task<bool> AuthorizeAsync(string source, string target)
    {
        var domain = Json(await AskAsync("GET", "/v1/connect/ca/roots")).GetProperty("TrustDomain").GetString();
        var uri = $"spiffe://{domain}/ns/default/dc/dc1/svc/{source}";
        var body = $$"""{"Target":"{{target}}","ClientCertURI":"{{uri}}"}""";
        return Json(await AskAsync("POST", "/v1/agent/connect/authorize", body)).GetProperty("Authorized").GetBoolean();
    }

    private static IEnumerable<string?> Sources(Reply reply, string name) =>
        Json(reply).GetProperty(name).EnumerateArray().Select(i => i.GetProperty("SourceName").GetString());

    private static string Text(Reply reply) => Encoding.UTF8.GetString(reply.Body);

    private static JsonElement Json(Reply reply) => JsonDocument.Parse(reply.Body).RootElement.Clone();

    private static string? Header(Reply reply, string name) =>
        reply.Headers?.FirstOrDefault(h => h.Key == name).Value;
}
