using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using Praetor.Proxy.Metrics;
using Praetor.Proxy.Policy;
using Shouldly;
using Xunit;

namespace Integration.Proxy;

public sealed class PlaneTests : IAsyncLifetime
{
    private readonly MeshCa _ca = new();
    private readonly PlaneHarness _mesh = new();
    private readonly EchoServer _echo = new();

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        await _mesh.DisposeAsync();
        await _echo.DisposeAsync();
        _ca.Dispose();
    }

    [Fact]
    public async Task Two_proxies_carry_a_conversation_both_ways_and_count_it()
    {
        var at = Pair();
        using (var wire = await TestWire.OpenAsync(at))
        {
            (await wire.SayAsync("hello mesh")).ShouldBe("hello mesh");
        }

        await Wait.UntilAsync("the connection is over", () => Outbound.Active == 0 && Inbound.Active == 0);
        (Outbound.Opened, Outbound.BytesFromSource, Outbound.BytesToSource).ShouldBe((1, 10, 10));
        (Inbound.Opened, Inbound.BytesFromSource, Inbound.BytesToSource).ShouldBe((1, 10, 10));
    }

    [Fact]
    public async Task A_side_that_ends_still_hears_the_rest()
    {
        using var wire = await TestWire.OpenAsync(Pair());
        await wire.Stream.WriteAsync("last words"u8.ToArray());
        wire.EndSending();
        (await wire.HearAsync(100)).ShouldBe("last words");
    }

    [Fact]
    public async Task Connections_one_after_another_share_one_handshake()
    {
        var at = Pair();
        for (var i = 0; i < 50; i++)
        {
            using var wire = await TestWire.OpenAsync(at);
            (await wire.SayAsync($"number {i}")).ShouldBe($"number {i}");
            wire.EndSending();
            (await wire.IsEndedAsync()).ShouldBeTrue();
        }

        // Handshakes are not counted as such; a kept wire is one accepted connection of the public listener.
        _echo.Accepted.ShouldBe(50);
        Inbound.Opened.ShouldBe(50);
        Inbound.HandshakeFailures.ShouldBe(0);
    }

    [Fact]
    public async Task A_slow_reader_holds_the_writer_back_and_loses_nothing()
    {
        const int bytes = 24 * 1024 * 1024;
        using var wire = await TestWire.OpenAsync(Pair());
        var sent = RandomNumberGenerator.GetBytes(bytes);
        var sending = wire.Stream.WriteAsync(sent).AsTask();
        var first = new byte[1];
        await wire.Stream.ReadExactlyAsync(first);
        sending.IsCompleted.ShouldBeFalse("kernel and proxies together must not take 24 MiB ahead of the reader");
        var rest = new byte[bytes - 1];
        await wire.Stream.ReadExactlyAsync(rest);
        await sending;
        first.Concat(rest).SequenceEqual(sent).ShouldBeTrue();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Bytes_arrive_whole_both_ways_at_once_whatever_pieces_they_come_in(bool isPlain)
    {
        var (_, server) = _mesh.Serve("web", _ca.Identity("web"), _echo.Address);
        var (edge, client) = _mesh.Reach("cli", _ca.Identity("cli"), "web", server.Address);
        edge.Instances.Pick(new Random(1), [])!.IsPlainOnly = isPlain;
        var random = new Random(2);
        var sent = RandomNumberGenerator.GetBytes(8 * 1024 * 1024);
        using var wire = await TestWire.OpenAsync(client.Address);
        var sending = Task.Run(async () =>
        {
            for (var at = 0; at < sent.Length;)
            {
                var piece = Math.Min(random.Next(1, 40_000), sent.Length - at);
                await wire.Stream.WriteAsync(sent.AsMemory(at, piece));
                at += piece;
            }

            wire.EndSending();
        });
        var heard = new MemoryStream();
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        await wire.Stream.CopyToAsync(heard, limit.Token);
        await sending;
        heard.ToArray().AsSpan().SequenceEqual(sent).ShouldBeTrue();
    }

    [Fact]
    public async Task A_valid_certificate_of_another_service_is_refused_by_the_client_side()
    {
        var (_, server) = _mesh.Serve("impostor", _ca.Identity("impostor"), _echo.Address);
        var (_, client) = _mesh.Reach("cli", _ca.Identity("cli"), "web", server.Address);
        (await TestWire.IsRefusedAsync(client.Address)).ShouldBeTrue();
        _echo.Accepted.ShouldBe(0);
        Outbound.HandshakeFailures.ShouldBe(1);
        _mesh.Warnings.ShouldContain(static w => w.Contains("/svc/impostor"));
    }

    [Fact]
    public async Task A_certificate_of_another_authority_is_refused_on_both_sides()
    {
        using var other = new MeshCa();
        var (_, server) = _mesh.Serve("web", _ca.Identity("web", other), _echo.Address);
        var (_, client) = _mesh.Reach("cli", other.Identity("cli"), "web", server.Address);
        (await TestWire.IsRefusedAsync(client.Address)).ShouldBeTrue();

        var (_, trusting) = _mesh.Serve("web", _ca.Identity("web"), _echo.Address);
        var (_, stranger) = _mesh.Reach("cli", other.Identity("cli", _ca), "web", trusting.Address);
        (await TestWire.IsRefusedAsync(stranger.Address)).ShouldBeTrue();

        _echo.Accepted.ShouldBe(0);
    }

    [Theory]
    [InlineData("two URI names")]
    [InlineData("no URI name")]
    [InlineData("another trust domain")]
    [InlineData("no certificate")]
    public async Task A_client_without_exactly_one_identity_of_the_mesh_is_refused(string what)
    {
        var (_, server) = _mesh.Serve("web", _ca.Identity("web"), _echo.Address);
        using var leaf = what switch
        {
            "two URI names" => _ca.Leaf(MeshCa.UriOf("cli"), MeshCa.UriOf("web")),
            "no URI name" => _ca.Leaf(),
            "another trust domain" => _ca.Leaf("spiffe://other.consul/ns/default/dc/dc1/svc/cli"),
            _ => null,
        };
        (await CanTalkAsync(server.Address, MeshCa.ClientOptions(leaf))).ShouldBeFalse();
        _echo.Accepted.ShouldBe(0);
    }

    [Fact]
    public async Task A_client_of_another_make_is_served_over_plain_mutual_tls()
    {
        var (_, server) = _mesh.Serve("web", _ca.Identity("web"), _echo.Address);
        using var leaf = _ca.Leaf(MeshCa.UriOf("cli"));
        (await CanTalkAsync(server.Address, MeshCa.ClientOptions(leaf))).ShouldBeTrue();
        var tls12 = MeshCa.ClientOptions(leaf);
        tls12.EnabledSslProtocols = SslProtocols.Tls12;
        (await CanTalkAsync(server.Address, tls12)).ShouldBeTrue();
    }

    [Fact]
    public async Task Nobody_gets_in_below_tls_1_2()
    {
        var (_, server) = _mesh.Serve("web", _ca.Identity("web"), _echo.Address);
        using var client = new TcpClient();
        await client.ConnectAsync(server.Address);
        await client.GetStream().WriteAsync(Tls11Hello());
        var answer = new byte[7];
        var count = await client.GetStream().ReadAtLeastAsync(answer, answer.Length, throwOnEndOfStream: false);

        // An alert record (21), fatal (2): protocol_version (70); a reset instead is as good.
        (count == 0 || (answer[0] == 21 && answer[5] == 2 && answer[6] == 70)).ShouldBeTrue();
        _echo.Accepted.ShouldBe(0);
    }

    [Fact]
    public async Task A_dead_instance_costs_no_connection()
    {
        var (_, server) = _mesh.Serve("web", _ca.Identity("web"), _echo.Address);
        var (_, client) = _mesh.Reach("cli", _ca.Identity("cli"), "web", DeadAddress(), server.Address, DeadAddress());
        for (var i = 0; i < 20; i++)
        {
            using var wire = await TestWire.OpenAsync(client.Address);
            (await wire.SayAsync("x")).ShouldBe("x");
        }
    }

    [Fact]
    public async Task An_instance_whose_service_is_down_costs_no_connection_between_our_proxies()
    {
        var (_, broken) = _mesh.Serve("web", _ca.Identity("web"), DeadAddress());
        var (_, server) = _mesh.Serve("web", _ca.Identity("web"), _echo.Address);
        var (_, client) = _mesh.Reach("cli", _ca.Identity("cli"), "web", broken.Address, server.Address);
        for (var i = 0; i < 20; i++)
        {
            using var wire = await TestWire.OpenAsync(client.Address);
            (await wire.SayAsync("x")).ShouldBe("x");
        }
    }

    [Fact]
    public async Task A_deny_ends_established_connections_and_spares_the_others()
    {
        var (edge, server) = _mesh.Serve("web", _ca.Identity("web"), _echo.Address);
        var (_, denied) = _mesh.Reach("cli", _ca.Identity("cli"), "web", server.Address);
        var (_, allowed) = _mesh.Reach("friend", _ca.Identity("friend"), "web", server.Address);
        using var cut = await TestWire.OpenAsync(denied.Address);
        using var kept = await TestWire.OpenAsync(allowed.Address);
        (await cut.SayAsync("a")).ShouldBe("a");
        (await kept.SayAsync("b")).ShouldBe("b");

        var deny = new Intention("cli", "web", IsAllow: false);
        edge.Authorizer = new IntentionPolicy("web", [deny], isDefaultAllow: true);
        server.EdgeChanged();
        (await cut.IsEndedAsync()).ShouldBeTrue();
        (await kept.SayAsync("c")).ShouldBe("c");
        (await TestWire.IsRefusedAsync(denied.Address)).ShouldBeTrue();
        Inbound.Denied.ShouldBe(2);
        _mesh.Warnings.ShouldContain(static w =>
            w.Contains("/svc/cli may not connect to web: the intention cli => web does not allow it"));
    }

    [Fact]
    public async Task Nobody_gets_in_before_policy_is_known()
    {
        var (edge, server) = _mesh.Serve("web", _ca.Identity("web"), _echo.Address);
        edge.Authorizer = DenyAll.Instance;
        var (_, client) = _mesh.Reach("cli", _ca.Identity("cli"), "web", server.Address);
        (await TestWire.IsRefusedAsync(client.Address)).ShouldBeTrue();
        _echo.Accepted.ShouldBe(0);
    }

    [Fact]
    public async Task A_hundred_rotations_drop_no_connection_and_refuse_none()
    {
        var (inbound, server) = _mesh.Serve("web", _ca.Identity("web"), _echo.Address);
        var (outbound, client) = _mesh.Reach("cli", _ca.Identity("cli"), "web", server.Address);
        var established = new List<TestWire>();
        for (var i = 0; i < 100; i++)
        {
            var wire = await TestWire.OpenAsync(client.Address);
            (await wire.SayAsync("x")).ShouldBe("x", $"new connection {i}");
            established.Add(wire);
            inbound.Identity = _mesh.Plane.Prepare(_ca.Identity("web"));
            server.EdgeChanged();
            outbound.Identity = _mesh.Plane.Prepare(_ca.Identity("cli"));
            client.EdgeChanged();
        }

        foreach (var wire in established)
        {
            (await wire.SayAsync("still here")).ShouldBe("still here");
            wire.Dispose();
        }
    }

    [Fact]
    public async Task Kept_connections_do_not_outlive_the_identity_they_were_made_with()
    {
        var (inbound, server) = _mesh.Serve("web", _ca.Identity("web"), _echo.Address);
        var (_, client) = _mesh.Reach("cli", _ca.Identity("cli"), "web", server.Address);
        using (var wire = await TestWire.OpenAsync(client.Address))
        {
            (await wire.SayAsync("x")).ShouldBe("x");
            wire.EndSending();
            (await wire.IsEndedAsync()).ShouldBeTrue();
        }

        // The new authority is not the client's: only a kept connection could still get through.
        using var other = new MeshCa();
        inbound.Identity = _mesh.Plane.Prepare(other.Identity("web"));
        server.EdgeChanged();
        (await TestWire.IsRefusedAsync(client.Address)).ShouldBeTrue();
    }

    [Fact]
    public async Task Connections_wait_until_identity_is_known()
    {
        var (edge, server) = _mesh.Serve("web", _ca.Identity("web"), _echo.Address);
        var (_, client) = _mesh.Reach("cli", _ca.Identity("cli"), "web", server.Address);
        var identity = edge.Identity;
        edge.Identity = null;
        using var wire = await TestWire.OpenAsync(client.Address);
        var saying = wire.SayAsync("x");
        edge.Identity = identity;
        server.EdgeChanged();
        (await saying).ShouldBe("x");
    }

    [Fact]
    public async Task Connections_beyond_the_cap_are_refused()
    {
        var (_, server) = _mesh.Serve("web", _ca.Identity("web"), _echo.Address);
        var (edge, client) = _mesh.Reach("cli", _ca.Identity("cli"), "web", server.Address);
        edge.Settings = edge.Settings with { MaxConnections = 2 };
        using var one = await TestWire.OpenAsync(client.Address);
        using var two = await TestWire.OpenAsync(client.Address);
        (await one.SayAsync("x")).ShouldBe("x");
        (await two.SayAsync("x")).ShouldBe("x");
        (await TestWire.IsRefusedAsync(client.Address)).ShouldBeTrue();
        (await one.SayAsync("x")).ShouldBe("x");
    }

    [Fact]
    public async Task A_connection_that_outlives_its_listener_ends_when_policy_denies_it()
    {
        var (edge, server) = _mesh.Serve("web", _ca.Identity("web"), _echo.Address);
        var (_, client) = _mesh.Reach("cli", _ca.Identity("cli"), "web", server.Address);
        using var wire = await TestWire.OpenAsync(client.Address);
        (await wire.SayAsync("x")).ShouldBe("x");
        await server.CloseAsync(endConnections: false);
        (await wire.SayAsync("y")).ShouldBe("y");
        server.Connections.ShouldBe(1);
        edge.Authorizer = DenyAll.Instance;
        server.EdgeChanged();
        (await wire.IsEndedAsync()).ShouldBeTrue();
        await Wait.UntilAsync("it is counted out", () => server.Connections == 0);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_client_that_asks_without_waiting_for_answers_harms_nobody(bool isInOnePiece)
    {
        const int asks = 20_000;
        var (edge, server) = _mesh.Serve("web", _ca.Identity("web"), DeadAddress());
        using var certificate = _ca.Leaf(MeshCa.UriOf("cli"));
        using (var client = new TcpClient())
        {
            await client.ConnectAsync(server.Address);
            await using var tls = new SslStream(client.GetStream());
            var options = MeshCa.ClientOptions(certificate);
            options.ApplicationProtocols = [new SslApplicationProtocol("praetor-mesh/1")];
            await tls.AuthenticateAsClientAsync(options);
            byte[] open = [1, 0, 0, 0];
            try
            {
                if (isInOnePiece)
                {
                    await tls.WriteAsync(Enumerable.Repeat(open, asks).SelectMany(static o => o).ToArray());
                }

                for (var i = 0; i < asks && !isInOnePiece; i++)
                {
                    await tls.WriteAsync(open);
                }
            }
            catch (IOException)
            {
                // Broken off: right as well.
            }
        }

        edge.Settings = edge.Settings with { LocalService = _echo.Address.Serialize() };
        var (_, other) = _mesh.Reach("cli", _ca.Identity("cli"), "web", server.Address);
        using var wire = await TestWire.OpenAsync(other.Address);
        (await wire.SayAsync("x")).ShouldBe("x");
    }

    [Fact]
    public async Task A_client_that_says_nothing_is_dropped_when_the_handshake_timeout_is_over()
    {
        var (edge, server) = _mesh.Serve("web", _ca.Identity("web"), _echo.Address);
        edge.Settings = edge.Settings with { HandshakeTimeout = TimeSpan.FromMilliseconds(100) };
        (await TestWire.IsRefusedAsync(server.Address)).ShouldBeTrue();
    }

    private EdgeMetrics Outbound => _mesh.Count("cli", "web", EdgeDirection.Outbound);

    private EdgeMetrics Inbound => _mesh.Count("cli", "web", EdgeDirection.Inbound);

    private IPEndPoint Pair()
    {
        var (_, server) = _mesh.Serve("web", _ca.Identity("web"), _echo.Address);
        var (_, client) = _mesh.Reach("cli", _ca.Identity("cli"), "web", server.Address);
        return client.Address;
    }

    private static IPEndPoint DeadAddress()
    {
        using var taken = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        taken.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return (IPEndPoint)taken.LocalEndPoint!;
    }

    private static async Task<bool> CanTalkAsync(IPEndPoint at, SslClientAuthenticationOptions options)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        try
        {
            using var client = new TcpClient();
            await client.ConnectAsync(at, limit.Token);
            await using var tls = new SslStream(client.GetStream());
            await tls.AuthenticateAsClientAsync(options, limit.Token);
            await tls.WriteAsync("hello"u8.ToArray(), limit.Token);
            var answer = new byte[5];
            return await tls.ReadAtLeastAsync(answer, 5, throwOnEndOfStream: false, limit.Token) == 5;
        }
        catch (Exception refusal) when (refusal is IOException or AuthenticationException)
        {
            return false;
        }
    }

    // A client hello that offers TLS 1.1 at most, as this platform refuses to make one.
    private static byte[] Tls11Hello()
    {
        byte[] suites = [0xC0, 0x09, 0xC0, 0x0A, 0xC0, 0x13, 0xC0, 0x14];
        byte[] body = [3, 2, .. new byte[32], 0, 0, (byte)suites.Length, .. suites, 1, 0];
        return [22, 3, 1, 0, (byte)(body.Length + 4), 1, 0, 0, (byte)body.Length, .. body];
    }
}
