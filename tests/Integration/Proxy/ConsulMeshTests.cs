using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Praetor.Proxy;
using Praetor.Proxy.Metrics;
using Shouldly;
using Support;
using Xunit;

namespace Integration.Proxy;

/// <summary>Our proxies beside a real Consul 1.8.7 agent and its own proxies.</summary>
public sealed class ConsulMeshTests : IAsyncLifetime
{
    private readonly ConcurrentQueue<string> _log = new();
    private readonly EchoServer _echo = new();
    private readonly int[] _ports = [FreePorts.Take(), FreePorts.Take(), FreePorts.Take(), FreePorts.Take()];
    private ConsulAgent? _consul;
    private ProxyHost? _host;

    private ConsulAgent Consul => _consul!;

    private ProxyHost Host => _host!;

    private int PublicPort => _ports[0];

    private IPEndPoint UpstreamAddress => new(IPAddress.Loopback, _ports[1]);

    public async ValueTask InitializeAsync()
    {
        _consul = await ConsulAgent.StartAsync();
        _host = new ProxyHost(
            _consul.Client, (level, line) => _log.Enqueue($"{level} {line}"), TimeProvider.System, new Random(1));
        await _consul.RegisterProxyAsync("web", PublicPort, _echo.Address.Port);
        await _consul.RegisterProxyAsync(
            "cli", _ports[2], 1, $$"""{"DestinationName":"web","LocalBindPort":{{_ports[1]}}}""");
    }

    public async ValueTask DisposeAsync()
    {
        if (_host is not null)
        {
            await _host.DisposeAsync();
        }

        if (_consul is not null)
        {
            await _consul.DisposeAsync();
        }

        await _echo.DisposeAsync();
    }

    [Fact]
    public async Task Our_pair_carries_a_conversation_soon_after_its_start()
    {
        Host.Add("web-sidecar-proxy");
        Host.Add("cli-sidecar-proxy");
        await UntilItTalksAsync(5);
        Host.Metrics.Snapshot().ShouldContain(static e =>
            e.Source == "cli" && e.Destination == "web" && e.Direction == EdgeDirection.Inbound && e.Opened > 0);
        Host.Add("web-sidecar-proxy").ShouldBeFalse();
    }

    [Fact]
    public async Task Our_client_reaches_a_service_behind_consuls_proxy()
    {
        Consul.StartProxy("web");
        Host.Add("cli-sidecar-proxy");
        await UntilItTalksAsync();
        using var wire = await TestWire.OpenAsync(UpstreamAddress);
        (await wire.SayAsync(new string('x', 200_000))).Length.ShouldBe(200_000);
    }

    [Fact]
    public async Task Consuls_client_reaches_a_service_behind_our_proxy()
    {
        Host.Add("web-sidecar-proxy");
        Consul.StartProxy("cli");
        await UntilItTalksAsync();
        using var wire = await TestWire.OpenAsync(UpstreamAddress);
        (await wire.SayAsync(new string('x', 200_000))).Length.ShouldBe(200_000);
    }

    [Fact]
    public async Task An_intention_ends_established_connections_and_its_removal_lets_them_back()
    {
        await StartPairAsync();
        using var wire = await TestWire.OpenAsync(UpstreamAddress);
        (await wire.SayAsync("x")).ShouldBe("x");
        var ended = wire.IsEndedAsync();
        await Consul.CommandAsync("intention create -deny cli web");
        await Wait.UntilAsync("the established connection ended", () => ended.IsCompleted, seconds: 1);
        (await ended).ShouldBeTrue();
        (await TestWire.IsRefusedAsync(UpstreamAddress)).ShouldBeTrue();

        await Consul.CommandAsync("intention delete cli web");
        await UntilItTalksAsync(2);
    }

    [Fact]
    public async Task An_exact_intention_beats_a_wildcard()
    {
        await StartPairAsync();
        await Consul.CommandAsync("intention create -deny * web");
        await Wait.UntilAsync("the wildcard denies", async () => !await TalksAsync());
        await Consul.CommandAsync("intention create -allow cli web");
        await UntilItTalksAsync(2);
    }

    [Fact]
    public async Task A_new_root_drops_no_connection()
    {
        await StartPairAsync();
        using var wire = await TestWire.OpenAsync(UpstreamAddress);
        (await wire.SayAsync("before")).ShouldBe("before");
        var identities = _log.Count(static l => l.Contains("Parsed TLS identity"));
        var config = Path.GetTempFileName();
        await File.WriteAllTextAsync(config, NewAuthority());
        await Consul.CommandAsync($"connect ca set-config -config-file {config}");
        await Wait.UntilAsync(
            "both proxies have new leaves",
            () => _log.Count(static l => l.Contains("Parsed TLS identity")) >= identities + 2,
            seconds: 60);
        (await wire.SayAsync("after")).ShouldBe("after");
        await UntilItTalksAsync(2);
        File.Delete(config);
    }

    [Fact]
    public async Task Traffic_goes_on_when_the_agent_is_killed()
    {
        await StartPairAsync();
        using var wire = await TestWire.OpenAsync(UpstreamAddress);
        (await wire.SayAsync("before")).ShouldBe("before");
        await Consul.KillAsync();
        await Wait.UntilAsync("the proxies noticed", () => _log.Any(static l => l.Contains("stays in force")));
        (await wire.SayAsync("after")).ShouldBe("after");
        (await TalksAsync()).ShouldBeTrue();
    }

    [Fact]
    public async Task A_changed_registration_moves_the_upstream_and_keeps_connections()
    {
        await StartPairAsync();
        using var wire = await TestWire.OpenAsync(UpstreamAddress);
        (await wire.SayAsync("before")).ShouldBe("before");
        await Consul.RegisterProxyAsync(
            "cli", _ports[2], 1, $$"""{"DestinationName":"web","LocalBindPort":{{_ports[3]}}}""");
        await Wait.UntilAsync(
            "the new port talks", () => TalksAsync(new IPEndPoint(IPAddress.Loopback, _ports[3])));
        (await wire.SayAsync("after")).ShouldBe("after");
    }

    [Fact]
    public async Task A_prepared_query_is_an_upstream_too()
    {
        await Consul.SendAsync(HttpMethod.Post, "v1/query", """{"Name":"to-web","Service":{"Service":"web"}}""");
        await Consul.RegisterProxyAsync(
            "cli",
            _ports[2],
            1,
            $$"""{"DestinationType":"prepared_query","DestinationName":"to-web","LocalBindPort":{{_ports[1]}}}""");
        await StartPairAsync();
    }

    [Fact]
    public async Task Flags_alone_make_a_proxy_that_registers_itself()
    {
        using var stop = new CancellationTokenSource();
        var printed = new ConcurrentQueue<string>();
        var options = new ProxyOptions
        {
            Service = "adhoc",
            ServiceAddress = $"127.0.0.1:{_echo.Address.Port}",
            Listen = $"127.0.0.1:{_ports[3]}",
            Upstreams = [$"adhoc:{_ports[1]}"],
            IsRegistering = true,
            RegisterId = "one",
        };
        var running = ProxyRunner.RunAsync(
            options,
            Consul.Client,
            printed.Enqueue,
            (_, line) => _log.Enqueue(line),
            TimeProvider.System,
            new Random(1),
            stop.Token);
        await UntilItTalksAsync();
        printed.ShouldContain($"       Public listener: 127.0.0.1:{_ports[3]} => {options.ServiceAddress}");
        (await Consul.SendAsync(HttpMethod.Get, "v1/agent/checks", "")).ShouldContain("adhoc-proxy-one-ttl");
        await stop.CancelAsync();
        await running;
        (await Consul.SendAsync(HttpMethod.Get, "v1/agent/services", "")).ShouldNotContain("adhoc-proxy-one");
    }

    private async Task StartPairAsync()
    {
        Host.Add("web-sidecar-proxy");
        Host.Add("cli-sidecar-proxy");
        await UntilItTalksAsync();
    }

    private Task UntilItTalksAsync(double seconds = 20) =>
        Wait.UntilAsync("the mesh carries a conversation", () => TalksAsync(), seconds);

    private async Task<bool> TalksAsync(IPEndPoint? at = null)
    {
        try
        {
            using var wire = await TestWire.OpenAsync(at ?? UpstreamAddress);
            return await wire.SayAsync("hello") == "hello";
        }
        catch (Exception failure) when (failure is IOException or System.Net.Sockets.SocketException)
        {
            return false;
        }
    }

    private static string NewAuthority()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=second root", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(
            X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        var now = TimeProvider.System.GetUtcNow();
        using var root = request.CreateSelfSigned(now.AddHours(-1), now.AddYears(1));
        static string Text(string pem) => pem.ReplaceLineEndings("\\n");
        return $$$"""
            {"Provider":"consul","Config":{"LeafCertTTL":"72h",
             "PrivateKey":"{{{Text(key.ExportECPrivateKeyPem())}}}\n",
             "RootCert":"{{{Text(root.ExportCertificatePem())}}}\n"}}
            """;
    }
}
