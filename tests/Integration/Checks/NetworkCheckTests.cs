using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using Praetor.Agent.Checks;
using Shouldly;
using Xunit;

namespace Integration.Checks;

public sealed class NetworkCheckTests
{
    private static readonly Dialer Dialer = new();
    private static readonly TimeSpan Short = TimeSpan.FromMilliseconds(300);

    [Fact]
    public async Task An_open_port_passes()
    {
        await using var target = new HttpTarget();
        (await TcpAsync($"127.0.0.1:{target.Port}"))
            .ShouldBe(CheckResult.Passing($"TCP connect 127.0.0.1:{target.Port}: Success"));
        (await TcpAsync($"localhost:{target.Port}"))
            .ShouldBe(CheckResult.Passing($"TCP connect localhost:{target.Port}: Success"));
    }

    [Fact]
    public async Task A_closed_port_is_critical() => (await TcpAsync("127.0.0.1:1"))
        .ShouldBe(CheckResult.Critical("dial tcp 127.0.0.1:1: connect: connection refused"));

    [Fact]
    public async Task A_target_without_a_port_is_critical() => (await TcpAsync("127.0.0.1"))
        .ShouldBe(CheckResult.Critical("dial tcp: address 127.0.0.1: missing port in address"));

    [Fact]
    public async Task Tls_on_a_tcp_check_is_verified()
    {
        await using var target = new HttpTarget(useTls: true);
        var spec = new CheckSpec { Id = "c", Tcp = $"127.0.0.1:{target.Port}", TcpUseTls = true };
        (await new TcpCheck(Dialer, TimeProvider.System).RunAsync(spec, TestContext.Current.CancellationToken))
            .Output.ShouldStartWith("tls: ");
        (await new TcpCheck(Dialer, TimeProvider.System)
            .RunAsync(spec with { TlsSkipVerify = true }, TestContext.Current.CancellationToken))
            .Status.ShouldBe(CheckStatus.Passing);
    }

    [Fact]
    public async Task The_agents_roots_and_a_server_name_make_a_private_certificate_valid()
    {
        using var certificate = HttpTarget.SelfSigned();
        await using var target = new TlsTarget(certificate);
        var dialer = new Dialer(() => new CheckCertificates(null, [certificate]));
        var spec = new CheckSpec { Id = "c", Tcp = target.Address, TcpUseTls = true, TlsServerName = "test.local" };
        var check = new TcpCheck(dialer, TimeProvider.System);
        (await check.RunAsync(spec, TestContext.Current.CancellationToken)).Status.ShouldBe(CheckStatus.Passing);
        (await check.RunAsync(spec with { TlsServerName = "other.local" }, TestContext.Current.CancellationToken))
            .Status.ShouldBe(CheckStatus.Critical);
    }

    [Fact]
    public async Task A_refused_datagram_is_critical_and_silence_is_health()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        var address = socket.LocalEndPoint!.ToString()!;
        (await UdpAsync(address)).ShouldBe(CheckResult.Passing($"UDP connect {address}: Success"));
        socket.Dispose();
        (await UdpAsync(address)).ShouldBe(CheckResult.Critical($"read udp {address}: connection refused"));
    }

    [Fact]
    public async Task A_cancelled_check_stops_at_once()
    {
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        using var stop = new CancellationTokenSource();
        var spec = new CheckSpec { Id = "c", H2Ping = listener.LocalEndPoint!.ToString()!, H2PingUseTls = false };
        var run = new H2PingCheck(Dialer, TimeProvider.System).RunAsync(spec, stop.Token);
        using var accepted = await listener.AcceptAsync(TestContext.Current.CancellationToken);
        await stop.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(run);
    }

    private static Task<CheckResult> TcpAsync(string target) => new TcpCheck(Dialer, TimeProvider.System)
        .RunAsync(new CheckSpec { Id = "c", Tcp = target }, TestContext.Current.CancellationToken);

    private static Task<CheckResult> UdpAsync(string target) => new UdpCheck(TimeProvider.System)
        .RunAsync(new CheckSpec { Id = "c", Udp = target, Timeout = Short }, TestContext.Current.CancellationToken);
}

/// <summary>Accepts TLS with a given certificate and closes.</summary>
internal sealed class TlsTarget : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _accepting;

    public TlsTarget(X509Certificate2 certificate)
    {
        _listener.Start();
        _accepting = AcceptAsync(certificate);
    }

    public string Address => _listener.LocalEndpoint.ToString()!;

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _accepting;
        _listener.Dispose();
        _stop.Dispose();
    }

    private async Task AcceptAsync(X509Certificate2 certificate)
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                await using var plain = new NetworkStream(await _listener.AcceptSocketAsync(_stop.Token), true);
                await using var tls = new System.Net.Security.SslStream(plain);
                await tls.AuthenticateAsServerAsync(certificate);
            }
            catch (Exception end) when (end is OperationCanceledException or IOException
                or System.Security.Authentication.AuthenticationException)
            {
                // A client that refuses us, or the end of the test.
            }
        }
    }
}
