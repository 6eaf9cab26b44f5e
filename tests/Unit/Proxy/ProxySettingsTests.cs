using System.Text.Json;
using Praetor.Client.Connect;
using Praetor.Proxy;
using Praetor.Proxy.Control;
using Shouldly;
using Xunit;

namespace Unit.Proxy;

public sealed class ProxySettingsTests
{
    [Fact]
    public void A_registration_says_what_the_proxy_does()
    {
        var config = Settings.Read(Registration("""{"bind_address":"10.1.2.3","local_connect_timeout_ms":"250"}""") with
        {
            Port = 21000,
        });
        var listener = config.PublicListener.ShouldNotBeNull();
        config.Service.ShouldBe("web");
        listener.ShouldBe(new PublicListenerConfig
        {
            BindAddress = "10.1.2.3",
            BindPort = 21000,
            LocalServiceAddress = "127.0.0.1",
            LocalServicePort = 9999,
            LocalConnectTimeout = TimeSpan.FromMilliseconds(250),
        });
        var upstream = config.Upstreams.ShouldHaveSingleItem();
        upstream.ConnectTimeout.ShouldBe(TimeSpan.FromMilliseconds(700));
        upstream.BindAddress.ShouldBe("127.0.0.1");
    }

    [Fact]
    public void The_registered_port_wins_over_bind_port()
    {
        Settings.Read(Registration("""{"bind_port":4444}""") with { Port = 21000 })
            .PublicListener.ShouldNotBeNull().BindPort.ShouldBe(21000);
        Settings.Read(Registration("""{"bind_port":4444}""")).PublicListener.ShouldNotBeNull().BindPort.ShouldBe(4444);
    }

    [Fact]
    public void The_same_registration_read_twice_is_equal()
    {
        Settings.Read(Registration("{}")).PublicListener.ShouldBe(Settings.Read(Registration("{}")).PublicListener);
        Settings.Read(Registration("{}")).Upstreams.ShouldBe(Settings.Read(Registration("{}")).Upstreams);
    }

    [Fact]
    public void Settings_that_cannot_be_read_leave_the_default()
    {
        const string config = """
            {"local_connect_timeout_ms":[1],"handshake_timeout_ms":-5,"max_connections":"many","bind_port":1}
            """;
        var listener = Settings.Read(Registration(config)).PublicListener.ShouldNotBeNull();
        listener.LocalConnectTimeout.ShouldBe(TimeSpan.FromSeconds(1));
        listener.HandshakeTimeout.ShouldBe(TimeSpan.FromSeconds(10));
        listener.MaxConnections.ShouldBe(10_000);
    }

    [Theory]
    [InlineData("db:8181", "db", "127.0.0.1", 8181)]
    [InlineData("db:10.0.0.1:8181", "db", "10.0.0.1", 8181)]
    [InlineData("db:[::1]:8181", "db", "::1", 8181)]
    [InlineData("ns/db:8181", "db", "127.0.0.1", 8181)]
    public void An_upstream_flag_names_a_service_and_a_port(string flag, string name, string host, int port)
    {
        var upstream = ProxyOptions.ReadUpstream(flag);
        (upstream.Name, upstream.BindAddress, upstream.BindPort).ShouldBe((name, host, port));
    }

    [Theory]
    [InlineData("db")]
    [InlineData(":8181")]
    [InlineData("db:port")]
    [InlineData("db:99999")]
    public void Other_upstream_flags_are_refused(string flag) =>
        Should.Throw<ProxyOptionsException>(() => ProxyOptions.ReadUpstream(flag)).Message.ShouldContain("name:addr");

    [Theory]
    [InlineData("x", null, "missing port in address")]
    [InlineData(":1234", null, "-service-addr must be specified with -listen")]
    public void Incomplete_flags_say_what_is_missing(string listen, string? service, string problem)
    {
        var options = new ProxyOptions { Service = "web", Listen = listen, ServiceAddress = service };
        Should.Throw<ProxyOptionsException>(options.ToConfig).Message.ShouldContain(problem);
    }

    private static ProxyRegistration Registration(string config) => new()
    {
        Kind = "connect-proxy",
        ID = "web-sidecar-proxy",
        Proxy = new ProxyDefinition
        {
            DestinationServiceName = "web",
            LocalServicePort = 9999,
            Config = Object(config),
            Upstreams =
            [
                new UpstreamDefinition
                {
                    DestinationName = "db",
                    LocalBindPort = 8181,
                    Config = Object("""{"connect_timeout_ms":700}"""),
                },
            ],
        },
    };

    private static Dictionary<string, JsonElement> Object(string json) =>
        JsonDocument.Parse(json).RootElement.EnumerateObject().ToDictionary(static p => p.Name, static p => p.Value);
}
