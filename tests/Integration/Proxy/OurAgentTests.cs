using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Shouldly;
using Support;
using Xunit;

namespace Integration.Proxy;

/// <summary>The mesh of our agent: with our own proxies in it and beside it, and with the real Consul's.</summary>
public sealed class OurAgentTests : IAsyncLifetime
{
    private const double SecondsToFirstTalk = 1;
    private const double SecondsToTakeOver = 5;

    // Who ends before the agent has seen it listen has its place kept so long.
    private const double SecondsOfAClaim = 10;
    private readonly EchoServer _echo = new();
    private readonly List<Process> _proxies = [];
    private readonly int _publicPort = FreePorts.Take();
    private readonly int _clientPort = FreePorts.Take();
    private readonly int _upstreamPort = FreePorts.Take();
    private AgentProcess? _agent;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private AgentProcess Agent => _agent!;

    private IPEndPoint Upstream => new(IPAddress.Loopback, _upstreamPort);

    public async ValueTask InitializeAsync() =>
        _agent = await AgentProcess.StartAsync(new AgentOptions { IsDev = false }, Stop);

    public async ValueTask DisposeAsync()
    {
        foreach (var proxy in _proxies)
        {
            if (!proxy.HasExited)
            {
                proxy.Kill();
            }

            proxy.Dispose();
        }

        if (_agent is not null)
        {
            await _agent.DisposeAsync();
        }

        await _echo.DisposeAsync();
    }

    [Theory]
    [InlineData("ours", "ours")]
    [InlineData("ours", "consul")]
    [InlineData("consul", "ours")]
    [InlineData("consul", "consul")]
    public async Task Proxies_talk_through_our_agent_and_a_deny_cuts_them(string client, string server)
    {
        await RegisterBothAsync();
        await StartBothAsync(server, client);
        await UntilItTalksAsync(15);
        using (var wire = await TestWire.OpenAsync(Upstream))
        {
            (await wire.SayAsync(new string('x', 200_000))).Length.ShouldBe(200_000);
        }

        await DecideAsync("deny");
        await Wait.UntilAsync("a deny cuts", async () => !await TalksAsync(), 5);
        await DecideAsync("allow");
        await UntilItTalksAsync(5);
    }

    [Theory]
    [InlineData("ours")]
    [InlineData("consul")]
    public async Task A_proxy_that_is_started_outside_takes_the_place_of_the_agents_and_gives_it_back(string whose)
    {
        await RegisterBothAsync();
        await UntilItTalksAsync(SecondsToFirstTalk + SecondsToTakeOver);
        using var old = await TestWire.OpenAsync(Upstream);
        (await old.SayAsync("x")).ShouldBe("x");

        var (server, client) = await StartBothAsync(whose, whose);
        await UntilItTalksAsync(5);
        (await old.SayAsync("still there")).ShouldBe("still there");

        server.Kill();
        client.Kill();
        await Wait.UntilAsync(
            "the agent's sidecars are back",
            () => Listens(Agent.ProcessId, _publicPort, _upstreamPort),
            SecondsOfAClaim + SecondsToTakeOver);
        await UntilItTalksAsync(SecondsToTakeOver);
    }

    [Theory]
    [InlineData("ours")]
    [InlineData("consul")]
    public async Task An_agent_that_comes_back_leaves_its_place_to_the_proxy_that_is_there(string whose)
    {
        await RegisterBothAsync();
        var (server, client) = await StartBothAsync(whose, whose);
        await Agent.KillAsync();
        await Agent.StartAgainAsync(Stop);

        await UntilItTalksAsync(10);
        Listens(server.Id, _publicPort).ShouldBeTrue();
        Listens(client.Id, _upstreamPort).ShouldBeTrue();
        Listens(Agent.ProcessId, _publicPort).ShouldBeFalse();
    }

    [Fact]
    public async Task A_look_at_a_sidecar_takes_it_away_for_seconds_at_most()
    {
        await RegisterBothAsync();
        await UntilItTalksAsync(SecondsToFirstTalk + SecondsToTakeOver);
        using var look = new HttpRequestMessage(HttpMethod.Get, "/v1/agent/service/cli-sidecar-proxy");
        look.Headers.UserAgent.ParseAdd("Go-http-client/1.1");
        (await Agent.Http.SendAsync(look, Stop)).IsSuccessStatusCode.ShouldBeTrue();
        (await IsClosedAsync()).ShouldBeTrue();
        await UntilItTalksAsync(SecondsToTakeOver);
    }

    [Theory]
    [InlineData("old")]
    [InlineData("sidecar")]
    public async Task A_managed_sidecar_carries_its_first_request_within_a_second(string form)
    {
        await RegisterManagedAsync(form);
        await UntilItTalksAsync(SecondsToFirstTalk);
        await DecideAsync("deny");
        await Wait.UntilAsync("a deny cuts", async () => !await TalksAsync(), 1);
        await DecideAsync("allow");
        await UntilItTalksAsync(1);
    }

    [Theory]
    [InlineData("old")]
    [InlineData("sidecar")]
    public async Task Managed_sidecars_are_back_after_kill_9(string form)
    {
        await RegisterManagedAsync(form);
        await UntilItTalksAsync(2);
        await Agent.KillAsync();
        (await TalksAsync()).ShouldBeFalse();
        await Agent.StartAgainAsync(Stop);
        await UntilItTalksAsync(2);
    }

    [Fact]
    public async Task A_managed_sidecar_goes_with_its_service()
    {
        await RegisterManagedAsync("sidecar");
        await UntilItTalksAsync(2);
        await PutAsync("/v1/agent/service/deregister/cli", "");
        await Wait.UntilAsync("its port is closed", IsClosedAsync, 2);
        await RegisterManagedAsync("sidecar");
        await UntilItTalksAsync(2);
    }

    [Fact]
    public async Task A_deny_ends_the_connections_of_managed_sidecars()
    {
        await RegisterManagedAsync("sidecar");
        await UntilItTalksAsync(2);
        using var wire = await TestWire.OpenAsync(Upstream);
        (await wire.SayAsync("x")).ShouldBe("x");
        var ended = wire.IsEndedAsync();
        await DecideAsync("deny");
        await Wait.UntilAsync("the established connection ended", () => ended.IsCompleted, 1);
        (await ended).ShouldBeTrue();
        (await Agent.Http.GetStringAsync("/v1/agent/metrics", Stop)).ShouldContain("cli");
    }

    private string OldUpstreamJson =>
        $$"""{"destination_name":"web","local_bind_port":{{_upstreamPort}}}""";

    private string UpstreamJson =>
        $$"""{"DestinationName":"web","LocalBindPort":{{_upstreamPort}}}""";

    private Task RegisterManagedAsync(string form) => form == "old"
        ? RegisterFormAsync(
            """{"Proxy":{}}""",
            $$$$"""{"Proxy":{"Config":{"upstreams":[{{{{OldUpstreamJson}}}}]}}}""")
        : RegisterFormAsync(
            """{"SidecarService":{"Proxy":{"Config":{"managed":true}}}}""",
            $$$$"""{"SidecarService":{"Proxy":{"Config":{"managed":true},"Upstreams":[{{{{UpstreamJson}}}}]}}}""");

    private async Task RegisterFormAsync(string web, string cli)
    {
        await PutAsync(
            "/v1/agent/service/register",
            $$"""{"Name":"web","Port":{{_echo.Address.Port}},"Connect":{{web}}}""");
        await PutAsync("/v1/agent/service/register", $$"""{"Name":"cli","Port":1,"Connect":{{cli}}}""");
    }

    private Task RegisterAsync(string name, int port, string sidecar) => PutAsync(
        "/v1/agent/service/register",
        $$$"""{"Name":"{{{name}}}","Port":{{{port}}},"Connect":{"SidecarService":{{{sidecar}}}}}""");

    private async Task RegisterBothAsync()
    {
        await RegisterAsync("web", _echo.Address.Port, $$"""{"Port":{{_publicPort}}}""");
        await RegisterAsync("cli", 1, $$$"""{"Port":{{{_clientPort}}},"Proxy":{"Upstreams":[{{{UpstreamJson}}}]}}""");
    }

    private Task DecideAsync(string action) => PutAsync(
        "/v1/connect/intentions/exact?source=cli&destination=web", $$"""{"Action":"{{action}}"}""");

    private async Task PutAsync(string path, string json)
    {
        using var body = new StringContent(json);
        using var answer = await Agent.Http.PutAsync(new Uri(path, UriKind.Relative), body, Stop);
        answer.IsSuccessStatusCode.ShouldBeTrue($"{path}: {await answer.Content.ReadAsStringAsync(Stop)}");
    }

    private async Task<(Process Server, Process Client)> StartBothAsync(string server, string client)
    {
        var (web, cli) = (StartProxy(server, "web"), StartProxy(client, "cli"));
        await Wait.UntilAsync("both listen", () => Listens(web.Id, _publicPort) && Listens(cli.Id, _upstreamPort), 15);
        return (web, cli);
    }

    private static bool Listens(int process, params ReadOnlySpan<int> ports)
    {
        var own = Listening.PortsOf(process);
        foreach (var port in ports)
        {
            if (!own.Contains(port))
            {
                return false;
            }
        }

        return true;
    }

    private Process StartProxy(string whose, string service)
    {
        Assert.SkipUnless(whose == "ours" || RealConsul.IsThere, RealConsul.Missing);
        var executable = whose == "ours" ? new AgentOptions().Executable : RealConsul.Executable;
        var start = new ProcessStartInfo(executable, ["connect", "proxy", "-sidecar-for", service])
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            Environment = { ["CONSUL_HTTP_ADDR"] = Agent.HttpAddress },
        };
        var process = Process.Start(start)!;
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        _proxies.Add(process);
        return process;
    }

    private Task UntilItTalksAsync(double seconds) =>
        Wait.UntilAsync("the mesh carries a conversation", TalksAsync, seconds);

    private async Task<bool> TalksAsync()
    {
        try
        {
            using var wire = await TestWire.OpenAsync(Upstream);
            return await wire.SayAsync("hello") == "hello";
        }
        catch (Exception failure) when (failure is IOException or SocketException)
        {
            return false;
        }
    }

    private async Task<bool> IsClosedAsync()
    {
        try
        {
            using var wire = await TestWire.OpenAsync(Upstream);
            return false;
        }
        catch (SocketException)
        {
            return true;
        }
    }
}
