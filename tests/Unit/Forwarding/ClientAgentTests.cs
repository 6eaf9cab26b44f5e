using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Codecs.Dns;
using Shouldly;
using Xunit;

namespace Unit.Forwarding;

/// <summary>A client agent and its servers, in this process, with real connections between them.</summary>
public sealed class ClientAgentTests
{
    private const string Web =
        """{"Name":"web","ID":"web-1","Port":80,"Address":"10.1.1.1","Check":{"TTL":"1h","Status":"passing"}}""";

    private static readonly string Second = Web.Replace("web-1", "web-2", StringComparison.Ordinal)
        .Replace("10.1.1.1", "10.1.1.2", StringComparison.Ordinal);

    [Fact]
    public async Task Everything_that_servers_answer_is_answered_through_one()
    {
        await using var server = await Agent.ServerAsync();
        await using var client = await Agent.ClientAsync(server.Peer);
        await client.PutAsync("/v1/kv/a%2Fb/../c?flags=7", "value");
        foreach (var target in (string[])
            ["/v1/kv/a%2Fb/../c", "/v1/kv/?recurse", "/v1/kv/none", "/v1/catalog/nodes", "/v1/status/leader",
             "/v1/nothing", "/v1/kv/a?index=x", "/v1/connect/ca/roots?pem", "/v1/config/service-defaults/web"])
        {
            (await client.AskAsync("GET", target)).ShouldBe(await server.AskAsync("GET", target), target);
        }

        using var answer = await client.SendAsync("GET", "/v1/kv/a%2Fb/../c");
        using var direct = await server.SendAsync("GET", "/v1/kv/a%2Fb/../c");
        Headers(answer).ShouldBe(Headers(direct));
        Headers(answer).ShouldContain("X-Consul-Index");
        (await client.AskAsync("POST", "/v1/kv/a")).Status.ShouldBe(405);
        using var head = await client.SendAsync("HEAD", "/v1/kv/a%2Fb/../c");
        ((int)head.StatusCode).ShouldBe(200);
    }

    [Fact]
    public async Task Many_that_ask_at_once_get_their_own_answers_small_and_large()
    {
        await using var server = await Agent.ServerAsync();
        await using var client = await Agent.ClientAsync(server.Peer);
        await Task.WhenAll(Enumerable.Range(0, 100).Select(n =>
            client.PutAsync($"/v1/kv/many/{n}", new string((char)('a' + (n % 26)), n * 200))));
        await client.PutAsync("/v1/kv/large/1", new string('x', 500_000));
        await client.PutAsync("/v1/kv/large/2", new string('y', 500_000));
        await Task.WhenAll(Enumerable.Range(0, 100).Select(async n =>
            (await client.AskAsync("GET", $"/v1/kv/many/{n}?raw")).Text
                .ShouldBe(new string((char)('a' + (n % 26)), n * 200))));
        (await client.AskAsync("GET", "/v1/kv/large?recurse"))
            .ShouldBe(await server.AskAsync("GET", "/v1/kv/large?recurse"));
    }

    [Fact]
    public async Task A_client_answers_for_itself_what_is_about_itself()
    {
        await using var server = await Agent.ServerAsync();
        await using var client = await Agent.ClientAsync(server.Peer);
        var self = await client.JsonAsync("/v1/agent/self");
        self.GetProperty("Config").GetProperty("Server").GetBoolean().ShouldBeFalse();
        self.GetProperty("Config").GetProperty("NodeName").GetString().ShouldBe("c1");
        self.GetProperty("Stats").GetProperty("consul").GetProperty("known_servers").GetString().ShouldBe("1");
        (await client.AskAsync("GET", "/v1/agent/nothing")).Status.ShouldBe(404);
    }

    [Fact]
    public async Task Services_of_a_client_stand_in_the_catalog_and_leave_it()
    {
        await using var server = await Agent.ServerAsync();
        await using var client = await Agent.ClientAsync(server.Peer);
        await client.PutAsync("/v1/agent/service/register", Web);
        var web = await server.JsonAsync("/v1/health/service/web?passing");
        web[0].GetProperty("Node").GetProperty("Node").GetString().ShouldBe("c1");
        (await server.JsonAsync("/v1/catalog/service/web?near=c1")).GetArrayLength().ShouldBe(1);
        await client.PutAsync("/v1/agent/service/deregister/web-1");
        (await server.JsonAsync("/v1/catalog/service/web")).GetArrayLength().ShouldBe(0);
    }

    [Fact]
    public async Task A_reader_who_waits_at_a_client_wakes()
    {
        await using var server = await Agent.ServerAsync();
        await using var client = await Agent.ClientAsync(server.Peer);
        await server.PutAsync("/v1/kv/a", "1");
        using var before = await client.SendAsync("GET", "/v1/kv/a");
        var index = before.Headers.GetValues("X-Consul-Index").First();
        var waiting = client.AskAsync("GET", $"/v1/kv/a?raw&index={index}&wait=1m");
        await server.PutAsync("/v1/kv/a", "2");
        (await waiting).Text.ShouldBe("2");
    }

    [Fact]
    public async Task A_silent_server_is_left_within_two_seconds()
    {
        using var silent = new SilentServer("quiet");
        await using var server = await Agent.ServerAsync();
        await using var client = await Agent.ClientAsync(silent.Peer);
        client.Servers.Tell(silent.Peer, server.Peer);
        var begin = TimeProvider.System.GetTimestamp();
        (await client.AskAsync("GET", "/v1/status/peers")).Status.ShouldBe(200);
        TimeProvider.System.GetElapsedTime(begin).ShouldBeLessThan(TimeSpan.FromSeconds(3));

        // Now the other one is asked first.
        begin = TimeProvider.System.GetTimestamp();
        (await client.AskAsync("GET", "/v1/status/peers")).Status.ShouldBe(200);
        TimeProvider.System.GetElapsedTime(begin).ShouldBeLessThan(TimeSpan.FromSeconds(1));
    }

    [Fact]
    public async Task A_reader_who_waits_at_a_server_that_ends_goes_on_waiting_at_another()
    {
        await using var other = await Agent.ServerAsync("s2");
        var first = await Agent.ServerAsync();
        await using var client = await Agent.ClientAsync(first.Peer);
        client.Servers.Tell(first.Peer, other.Peer);
        var waiting = client.AskAsync("GET", "/v1/kv/a?raw&index=1&wait=1m");
        await first.DisposeAsync();
        client.Servers.Tell(other.Peer);
        await other.PutAsync("/v1/kv/a", "here");
        (await waiting).Text.ShouldBe("here");
    }

    [Fact]
    public async Task Without_servers_a_client_says_so_and_keeps_its_services()
    {
        await using var client = await Agent.ClientAsync();
        (await client.AskAsync("GET", "/v1/kv/a")).ShouldBe((500, "No known Consul servers"));
        await client.PutAsync("/v1/agent/service/register", Web);
        (await client.JsonAsync("/v1/agent/services")).TryGetProperty("web-1", out _).ShouldBeTrue();
        (await client.DigAsync("web.service.consul.")).Code.ShouldBe("SERVFAIL");

        await using var server = await Agent.ServerAsync();
        client.Servers.Tell(server.Peer);
        await server.UntilAsync("/v1/health/service/web?passing", static web => web.GetArrayLength() == 1);
        (await client.DigAsync("web.service.consul.")).Answer.ShouldBe(["web.service.consul. 0 A 10.1.1.1"]);
    }

    [Fact]
    public async Task Dns_of_a_client_follows_the_catalog_and_goes_on_when_all_servers_are_lost()
    {
        var server = await Agent.ServerAsync();
        await using var client = await Agent.ClientAsync(server.Peer);
        await client.PutAsync("/v1/agent/service/register", Web);
        (await client.DigAsync("web.service.consul.")).Answer.ShouldBe(["web.service.consul. 0 A 10.1.1.1"]);
        (await client.DigAsync("c1.node.consul.")).Code.ShouldBe("NOERROR");
        (await client.DigAsync("1.1.1.10.in-addr.arpa.", DnsType.Ptr)).Answer
            .ShouldBe(["1.1.1.10.in-addr.arpa. 0 PTR web.service.dc1.consul."]);
        (await client.DigAsync("nothing.service.consul.")).Code.ShouldBe("NXDOMAIN");
        (await client.DigAsync("web.service.nowhere.consul.")).Code.ShouldBe("NXDOMAIN");

        await client.PutAsync("/v1/agent/service/register", Second);
        await UntilAsync(async () => (await client.DigAsync("web.service.consul.")).Answer.Length == 2);

        client.Servers.Tell();
        await server.DisposeAsync();
        (await client.DigAsync("web.service.consul.")).Answer.Length.ShouldBe(2);
        (await client.DigAsync("other.service.consul.")).Code.ShouldBe("SERVFAIL");
    }

    [Fact]
    public async Task Certificates_are_signed_by_a_server_and_connections_decided_here()
    {
        await using var server = await Agent.ServerAsync();
        await using var client = await Agent.ClientAsync(server.Peer);
        var roots = await client.JsonAsync("/v1/agent/connect/ca/roots");
        var domain = roots.GetProperty("TrustDomain").GetString();
        var leaf = await client.JsonAsync("/v1/agent/connect/ca/leaf/web");
        leaf.GetProperty("ServiceURI").GetString().ShouldBe($"spiffe://{domain}/ns/default/dc/dc1/svc/web");
        leaf.GetProperty("PrivateKeyPEM").GetString()!.ShouldContain("EC PRIVATE KEY");

        var question = $$"""
            {"Target":"db","ClientCertURI":"spiffe://{{domain}}/ns/default/dc/dc1/svc/web"}
            """;
        (await AuthorizedAsync(client, question)).ShouldBeTrue();
        await client.PutAsync(
            "/v1/connect/intentions/exact?source=web&destination=db", """{"Action":"deny"}""");
        await UntilAsync(async () => !await AuthorizedAsync(client, question));
    }

    [Fact]
    public async Task A_cached_read_is_kept_and_goes_on_when_all_servers_are_lost()
    {
        var server = await Agent.ServerAsync();
        await using var client = await Agent.ClientAsync(server.Peer);
        await client.PutAsync("/v1/agent/service/register", Web);
        (await CacheWordAsync(client)).ShouldBe("MISS");
        (await CacheWordAsync(client)).ShouldBe("HIT");
        client.Servers.Tell();
        await server.DisposeAsync();
        (await client.JsonAsync("/v1/health/service/web?cached")).GetArrayLength().ShouldBe(1);
    }

    [Fact]
    public async Task What_agents_ask_each_other_is_no_api_of_users()
    {
        await using var server = await Agent.ServerAsync();
        await using var client = await Agent.ClientAsync(server.Peer);
        foreach (var path in (string[])["/v1/internal/rpc/ping", "/v1/internal/%72pc/ping"])
        {
            (await client.AskAsync("GET", path)).Status.ShouldBe(404, path);
            (await server.AskAsync("GET", path)).Status.ShouldBe(404, path);
        }
    }

    [Fact]
    public async Task The_port_for_agents_answers_agents_only()
    {
        await using var server = await Agent.ServerAsync();
        using var http = new HttpClient
        {
            DefaultRequestVersion = new Version(2, 0), DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
        ((int)(await http.GetAsync($"http://{server.Rpc}/v1/agent/self")).StatusCode).ShouldBe(404);
        ((int)(await http.GetAsync($"http://{server.Rpc}/v1/status/leader")).StatusCode).ShouldBe(200);
        (await FirstLineAsync(server, "GET / HTTP/1.1\r\n\r\n")).ShouldStartWith("HTTP/1.1 400");
        (await FirstLineAsync(server, "\u0000\u0001\u0002")).ShouldBe("");
    }

    [Fact]
    public async Task A_request_for_another_datacenter_goes_to_a_server_there()
    {
        await using var here = await Agent.ServerAsync();
        await using var there = await Agent.ServerAsync("s9", "dc2");
        here.Servers.Tell(here.Peer, there.Peer);
        there.Servers.Tell(there.Peer, here.Peer);
        await using var client = await Agent.ClientAsync(here.Peer);
        await client.PutAsync("/v1/kv/place?dc=dc2", "there");
        (await there.AskAsync("GET", "/v1/kv/place?raw")).Text.ShouldBe("there");
        (await here.AskAsync("GET", "/v1/kv/place?raw")).Status.ShouldBe(404);
        (await here.AskAsync("GET", "/v1/kv/place?raw&dc=dc2")).Text.ShouldBe("there");
        await client.PutAsync("/v1/catalog/register", """{"Node":"x","Address":"10.9.9.9","Datacenter":"dc2"}""");
        (await there.JsonAsync("/v1/catalog/nodes")).GetRawText().ShouldContain("10.9.9.9");
        (await here.JsonAsync("/v1/catalog/nodes")).GetRawText().ShouldNotContain("10.9.9.9");
        (await client.JsonAsync("/v1/catalog/datacenters")).GetRawText().ShouldContain("dc2");
        (await client.AskAsync("GET", "/v1/kv/place?dc=dc3")).ShouldBe((500, "No path to datacenter"));

        await there.PutAsync("/v1/agent/service/register", Web);
        foreach (var agent in (Agent[])[here, client])
        {
            (await agent.DigAsync("web.service.dc2.consul.")).Answer
                .ShouldBe(["web.service.dc2.consul. 0 A 10.1.1.1"]);
            (await agent.DigAsync("web.service.consul.")).Code.ShouldBe("NXDOMAIN");
            (await agent.DigAsync("s9.node.dc2.consul.")).Code.ShouldBe("NOERROR");
        }

        await there.PutAsync("/v1/agent/service/register", Second);
        foreach (var agent in (Agent[])[here, client])
        {
            await UntilAsync(async () => (await agent.DigAsync("web.service.dc2.consul.")).Answer.Length == 2);
        }

        here.Servers.Tell(here.Peer);
        (await here.DigAsync("web.service.dc2.consul.")).Answer.Length.ShouldBe(2);
    }

    [Fact]
    public async Task A_write_goes_to_another_server_when_no_connection_to_the_first_comes_about()
    {
        using var full = new FullServer("s8");
        await using var server = await Agent.ServerAsync();
        await using var client = await Agent.ClientAsync(full.Peer);
        client.Servers.Tell(full.Peer, server.Peer);
        await client.PutAsync("/v1/kv/a", "once");
        (await server.AskAsync("GET", "/v1/kv/a?raw")).Text.ShouldBe("once");
    }

    [Fact]
    public async Task Two_servers_that_take_each_other_for_the_place_do_not_send_a_request_in_a_circle()
    {
        await using var one = await Agent.ServerAsync();
        await using var two = await Agent.ServerAsync("s9", "dc2");
        one.Servers.Tell(one.Peer, two.Peer with { Datacenter = "dc3" });
        two.Servers.Tell(two.Peer, one.Peer with { Datacenter = "dc3" });
        var (status, text) = await one.AskAsync("GET", "/v1/kv/a?dc=dc3");
        status.ShouldBe(500);
        text.ShouldStartWith("No path to datacenter");
    }

    [Fact]
    public async Task Near_this_agent_means_the_agent_that_was_asked()
    {
        await using var server = await Agent.ServerAsync();
        await using var client = await Agent.ClientAsync(server.Peer);
        await client.PutAsync("/v1/agent/service/register", Web);
        await server.PutAsync("/v1/agent/service/register", Web);
        await server.PutAsync("/v1/coordinate/update", Place("s1", 0.1));
        await server.PutAsync("/v1/coordinate/update", Place("c1", 0.2));
        await server.UntilAsync("/v1/coordinate/nodes", static nodes => nodes.GetArrayLength() == 2);
        var first = (await client.JsonAsync("/v1/catalog/service/web?near=_agent"))[0];
        first.GetProperty("Node").GetString().ShouldBe("c1");
        first = (await server.JsonAsync("/v1/catalog/service/web?near=_agent"))[0];
        first.GetProperty("Node").GetString().ShouldBe("s1");
    }

    [Fact]
    public async Task An_alias_of_another_node_follows_it_through_servers()
    {
        await using var server = await Agent.ServerAsync();
        await using var client = await Agent.ClientAsync(server.Peer);
        await server.PutAsync("/v1/agent/service/register", Web);
        await client.PutAsync("/v1/agent/check/register",
            """{"Name":"their web","ID":"alias","AliasNode":"s1","AliasService":"web-1"}""");
        await server.UntilAsync("/v1/health/node/c1", static checks => StatusOf(checks, "alias") == "passing");
        await server.PutAsync("/v1/agent/check/fail/service:web-1");
        await server.UntilAsync("/v1/health/node/c1", static checks => StatusOf(checks, "alias") == "critical");
    }

    private static string? StatusOf(JsonElement checks, string id) => checks.EnumerateArray()
        .Where(check => check.GetProperty("CheckID").GetString() == id)
        .Select(check => check.GetProperty("Status").GetString()).FirstOrDefault();

    private static string Place(string node, double seconds) =>
        $$$"""{"Node":"{{{node}}}","Coord":{"Vec":[{{{seconds}}},0,0,0,0,0,0,0],"Error":1.5,"Height":1e-05}}""";

    private static string Headers(HttpResponseMessage answer) => string.Join('\n', answer.Headers
        .Concat(answer.Content.Headers)
        .Where(static header => header.Key is not "Date")
        .OrderBy(static header => header.Key, StringComparer.Ordinal)
        .Select(static header => $"{header.Key}: {string.Join(',', header.Value)}"));

    private static async Task<bool> AuthorizedAsync(Agent agent, string question)
    {
        var (status, text) = await agent.AskAsync("POST", "/v1/agent/connect/authorize", question);
        status.ShouldBe(200, text);
        return JsonElement.Parse(text).GetProperty("Authorized").GetBoolean();
    }

    private static async Task<string> CacheWordAsync(Agent agent)
    {
        using var answer = await agent.SendAsync("GET", "/v1/health/service/web?cached");
        return answer.Headers.GetValues("X-Cache").First();
    }

    private static async Task<string> FirstLineAsync(Agent server, string bytes)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(10));
        using var tcp = new TcpClient();
        await tcp.ConnectAsync(server.Rpc, limit.Token);
        await tcp.GetStream().WriteAsync(Encoding.Latin1.GetBytes(bytes), limit.Token);
        using var reader = new StreamReader(tcp.GetStream());
        return await reader.ReadLineAsync(limit.Token) ?? "";
    }

    // What is watched changes a moment after it did; asking again is what a resolver does.
    private static async Task UntilAsync(Func<Task<bool>> holds)
    {
        var begin = TimeProvider.System.GetTimestamp();
        while (!await holds())
        {
            TimeProvider.System.GetElapsedTime(begin).ShouldBeLessThan(TimeSpan.FromSeconds(20));
            await Task.Yield();
        }
    }
}
