using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Text;
using Praetor.Agent.Http.Tls;
using Shouldly;
using Support;
using Unit.Forwarding;
using Xunit;

namespace Unit.Http;

/// <summary>The HTTPS listener: who is let in, and what a reload changes.</summary>
public sealed class HttpsTests : IDisposable
{
    private const string Leader = "GET /v1/status/leader HTTP/1.1\r\nHost: localhost\r\n\r\n";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly TestPki _pki = new();
    private readonly TestPki _other = new("another");

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _pki.Dispose();
        _other.Dispose();
    }

    [Theory]
    [InlineData("cert_file = \"CERT\" key_file = \"KEY\"")]
    [InlineData("tls { defaults { cert_file = \"CERT\" key_file = \"KEY\" } }")]
    [InlineData("tls { https { cert_file = \"CERT\" key_file = \"KEY\" } defaults { cert_file = \"/no\" } }")]
    public async Task The_api_is_served_over_tls_with_the_configured_certificate(string hcl)
    {
        var (cert, key) = _pki.Issue("server");
        await using var agent = await StartAsync(hcl.Replace("CERT", cert).Replace("KEY", key));
        (await AskAsync(agent, _pki.ClientOptions())).ShouldContain(" 200 OK");
    }

    [Fact]
    public async Task A_connection_takes_many_requests_and_large_answers()
    {
        await using var agent = await StartAsync(Served("server"));
        var value = new string('x', 300_000);
        await agent.PutAsync("/v1/kv/large", value);
        using var handler = new SocketsHttpHandler { SslOptions = _pki.ClientOptions() };
        using var http = new HttpClient(handler) { BaseAddress = agent.Https, Timeout = Patience };
        for (var i = 0; i < 3; i++)
        {
            (await http.GetStringAsync("/v1/kv/large?raw", Stop)).ShouldBe(value);
            using var body = new StringContent(value);
            (await http.PutAsync(new Uri($"/v1/kv/copy{i}", UriKind.Relative), body, Stop))
                .StatusCode.ShouldBe(HttpStatusCode.OK);
        }
    }

    [Fact]
    public async Task Plain_http_is_told_that_this_is_the_port_for_https()
    {
        await using var agent = await StartAsync(Served("server"));
        using var socket = await ConnectAsync(agent);
        await socket.SendAsync(Encoding.ASCII.GetBytes(Leader), Stop);
        var said = await new StreamReader(new NetworkStream(socket)).ReadToEndAsync(Stop);
        said.ShouldBe("HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n");
    }

    [Fact]
    public async Task Versions_older_than_the_configured_one_are_refused()
    {
        await using var agent = await StartAsync(Served("server") + "tls_min_version = \"tls13\"");
        var old = _pki.ClientOptions();
        old.EnabledSslProtocols = SslProtocols.Tls12;
        await ShouldBeRefusedAsync(agent, old);
        var now = _pki.ClientOptions();
        now.EnabledSslProtocols = SslProtocols.Tls13;
        (await AskAsync(agent, now)).ShouldContain(" 200 OK");
    }

    [Theory]
    [InlineData("verify_incoming = true")]
    [InlineData("verify_incoming_https = true")]
    [InlineData("tls { https { verify_incoming = true } }")]
    public async Task Who_connects_shows_a_certificate_of_the_authority_when_that_is_asked_for(string hcl)
    {
        await using var agent = await StartAsync($"{Served("server")} ca_file = \"{_pki.CaFile}\" {hcl}");
        (await AskAsync(agent, _pki.ClientOptions(_pki.Issue("client")))).ShouldContain(" 200 OK");
        await ShouldBeRefusedAsync(agent, _pki.ClientOptions());
        await ShouldBeRefusedAsync(agent, _pki.ClientOptions(_other.Issue("stranger")));
    }

    [Fact]
    public async Task What_https_says_of_itself_wins_over_what_holds_for_all()
    {
        await using var agent = await StartAsync(
            $"{Served("server")} ca_file = \"{_pki.CaFile}\" verify_incoming = true "
                + "tls { https { verify_incoming = false } }");
        (await AskAsync(agent, _pki.ClientOptions())).ShouldContain(" 200 OK");
    }

    [Fact]
    public async Task A_reload_brings_new_certificates_and_leaves_connections_alone()
    {
        await using var agent = await StartAsync(Served("server"), Served("renewed"));
        await using var old = await OpenAsync(agent, _pki.ClientOptions());
        old.RemoteCertificate!.Subject.ShouldBe("CN=server");

        await agent.PutAsync("/v1/agent/reload");

        await using var renewed = await OpenAsync(agent, _pki.ClientOptions());
        renewed.RemoteCertificate!.Subject.ShouldBe("CN=renewed");
        (await SayAsync(old)).ShouldContain(" 200 OK");
    }

    [Fact]
    public async Task A_reload_with_a_certificate_that_is_not_sound_is_refused_and_the_old_one_stays()
    {
        await using var agent = await StartAsync(Served("server"), "cert_file = \"/no/such\" key_file = \"/no/key\"");
        var (status, text) = await agent.AskAsync("PUT", "/v1/agent/reload");
        status.ShouldBe(500);
        text.ShouldContain("/no/such");
        (await AskAsync(agent, _pki.ClientOptions())).ShouldContain(" 200 OK");
    }

    [Fact]
    public async Task Without_a_certificate_nobody_is_served_until_a_reload_brings_one()
    {
        await using var agent = await StartAsync("", Served("server"));
        await ShouldBeRefusedAsync(agent, _pki.ClientOptions());
        await agent.PutAsync("/v1/agent/reload");
        (await AskAsync(agent, _pki.ClientOptions())).ShouldContain(" 200 OK");
    }

    [Theory]
    [InlineData("verify_incoming = true", "VerifyIncoming set but no CA certificates were provided")]
    [InlineData("verify_incoming = true ca_file = \"CA\"", "VerifyIncoming requires either a Cert and Key pair")]
    [InlineData("cert_file = \"/no/such\" key_file = \"/no/key\"", "/no/such")]
    [InlineData("cert_file = \"CERT\" key_file = \"OTHER\"", "Failed to load cert/key pair")]
    [InlineData("cert_file = \"CERT\" key_file = \"CERT\"", "Failed to load cert/key pair")]
    [InlineData("ca_file = \"KEY\"", "there is no certificate in it")]
    [InlineData("ca_path = \"/no/folder\"", "/no/folder")]
    public async Task Files_that_are_not_sound_end_the_start_and_are_named(string hcl, string why)
    {
        var (cert, key) = _pki.Issue("server");
        var text = hcl.Replace("CERT", cert).Replace("KEY", key).Replace("OTHER", _other.Issue("other").Key)
            .Replace("\"CA\"", $"\"{_pki.CaFile}\"");
        (await Should.ThrowAsync<FormatException>(() => StartAsync(text))).Message.ShouldContain(why);
    }

    [Fact]
    public async Task Who_says_nothing_is_cut_off_when_the_handshakes_time_is_over()
    {
        await using var agent = await StartAsync(
            Served("server") + "limits { https_handshake_timeout = \"100ms\" }");
        using var socket = await ConnectAsync(agent);
        (await EndOfAsync(socket)).ShouldBe(0);

        using var half = await ConnectAsync(agent);
        await half.SendAsync(new byte[] { 22, 3, 1 }, Stop);
        (await EndOfAsync(half)).ShouldBe(0);
    }

    [Fact]
    public async Task One_client_has_no_more_connections_than_it_may()
    {
        await using var agent = await StartAsync(Served("server") + "limits { http_max_conns_per_client = 1 }");
        await using var first = await OpenAsync(agent, _pki.ClientOptions());
        using var second = await ConnectAsync(agent);
        (await EndOfAsync(second)).ShouldBe(0);
        (await SayAsync(first)).ShouldContain(" 200 OK");
    }

    [Fact]
    public async Task Checks_show_the_agents_certificate_and_trust_its_authority_when_they_are_told_to()
    {
        await using var agent = await StartAsync(
            $"{Served("server")} ca_file = \"{_pki.CaFile}\" verify_incoming = true "
                + "enable_agent_tls_for_checks = true");
        await agent.PutAsync("/v1/agent/check/register", $$"""
            {"CheckID":"self","Name":"self","HTTP":"https://127.0.0.1:{{agent.Https.Port}}/v1/status/leader",
             "Interval":"1s"}
            """);
        await agent.UntilAsync("/v1/health/node/s1?filter=CheckID==self", static checks =>
            checks.EnumerateArray().Any(static c => c.GetProperty("Status").GetString() == "passing"));
    }

    [Fact]
    public void When_there_are_too_many_handshakes_the_oldest_gives_way()
    {
        var places = new HandshakePlaces(2);
        using var first = new CancellationTokenSource();
        using var second = new CancellationTokenSource();
        using var third = new CancellationTokenSource();
        var place = places.Add(first);
        places.Add(second);
        places.Add(third);
        first.IsCancellationRequested.ShouldBeTrue();
        second.IsCancellationRequested.ShouldBeFalse();
        places.Remove(place);
        places.Count.ShouldBe(2);
    }

    private string Served(string name)
    {
        var (cert, key) = _pki.Issue(name);
        return $"cert_file = \"{cert}\" key_file = \"{key}\" ";
    }

    private static Task<Agent> StartAsync(string hcl, string? reload = null) =>
        Agent.StartAsync("s1", "dc1", isServer: true, null, hcl, [], reload, servesHttps: true);

    private static async Task<Socket> ConnectAsync(Agent agent)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(IPAddress.Loopback, agent.Https.Port, Stop);
        return socket;
    }

    private static async Task<SslStream> OpenAsync(Agent agent, SslClientAuthenticationOptions options)
    {
        var tls = new SslStream(new NetworkStream(await ConnectAsync(agent), ownsSocket: true));
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        limit.CancelAfter(Patience);
        await tls.AuthenticateAsClientAsync(options, limit.Token);
        return tls;
    }

    private static async Task<string> AskAsync(Agent agent, SslClientAuthenticationOptions options)
    {
        await using var tls = await OpenAsync(agent, options);
        return await SayAsync(tls);
    }

    // The first line of the answer; empty: there is none.
    private static async Task<string> SayAsync(SslStream tls)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        limit.CancelAfter(Patience);
        await tls.WriteAsync(Encoding.ASCII.GetBytes(Leader), limit.Token);
        return await new StreamReader(tls, leaveOpen: true).ReadLineAsync(limit.Token) ?? "";
    }

    // With TLS 1.3 a client hears only after its own last word that it is not welcome.
    private static async Task ShouldBeRefusedAsync(Agent agent, SslClientAuthenticationOptions options)
    {
        try
        {
            (await AskAsync(agent, options)).ShouldBeEmpty();
        }
        catch (Exception e) when (e is AuthenticationException or IOException)
        {
            // So it is.
        }
    }

    private static async Task<int> EndOfAsync(Socket socket)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        limit.CancelAfter(Patience);
        try
        {
            return await socket.ReceiveAsync(new byte[1024], limit.Token);
        }
        catch (SocketException)
        {
            return 0;
        }
    }
}
