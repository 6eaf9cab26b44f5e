using System.Text.Json;
using Praetor.Server.ConfigEntries;
using Praetor.Server.Model;
using Shouldly;
using Xunit;

namespace Unit.ConfigEntries;

public sealed class CentralConfigTests
{
    [Fact]
    public void Without_entries_a_proxy_stays_as_registered()
    {
        var proxy = new ServiceProxy { DestinationServiceName = "web", Config = Json("""{"b":2}""") };
        var merged = CentralConfig.Merge(proxy, null, static _ => null);
        merged.Config!.Value.GetRawText().ShouldBe("""{"b":2}""");
        merged.MeshGatewayMode.ShouldBe("");
    }

    [Fact]
    public void The_nearer_one_wins_key_by_key()
    {
        var global = Entry(
            """
            {"Kind":"proxy-defaults","Config":{"a":1,"b":1,"protocol":"tcp"},"MeshGateway":{"Mode":"remote"},
             "Expose":{"Paths":[{"Path":"/g","LocalPathPort":1,"ListenerPort":2}]}}
            """);
        var service = Entry(
            """
            {"Kind":"service-defaults","Name":"web","Protocol":"http","MeshGateway":{"Mode":"local"},
             "Expose":{"Checks":true},"MaxInboundConnections":9}
            """);
        var proxy = new ServiceProxy { DestinationServiceName = "web", Config = Json("""{"b":2}""") };
        var merged = CentralConfig.Merge(proxy, global, n => n == "web" ? service : null);
        merged.Config!.Value.GetRawText().ShouldBe("""{"a":1,"b":2,"protocol":"http","max_inbound_connections":9}""");
        merged.MeshGatewayMode.ShouldBe("local");
        merged.ExposeChecks.ShouldBeTrue();
        merged.ExposePaths!.Single().ShouldBe(new ExposedPath("/g", 1, 2, "", false));
    }

    [Fact]
    public void An_upstream_speaks_its_own_services_protocol_under_what_the_proxys_service_says()
    {
        var own = Entry(
            """
            {"Kind":"service-defaults","Name":"web","UpstreamConfig":{"Defaults":{"ConnectTimeoutMs":100,
             "MeshGateway":{"Mode":"local"}},"Overrides":[{"Name":"db","ConnectTimeoutMs":200,
             "Limits":{"MaxConnections":3}}]}}
            """);
        var db = Entry("""{"Kind":"service-defaults","Name":"db","Protocol":"grpc"}""");
        var proxy = new ServiceProxy
        {
            DestinationServiceName = "web",
            Upstreams =
            [
                new ServiceUpstream { DestinationName = "db", Config = Json("""{"z":1}""") },
                new ServiceUpstream { DestinationName = "other" },
            ],
        };
        var merged = CentralConfig.Merge(proxy, null, n => n == "web" ? own : n == "db" ? db : null);
        merged.Upstreams![0].Config!.Value.GetRawText()
            .ShouldBe("""{"protocol":"grpc","connect_timeout_ms":200,"limits":{"max_connections":3},"z":1}""");
        merged.Upstreams[1].Config!.Value.GetRawText().ShouldBe("""{"connect_timeout_ms":100}""");
        merged.Upstreams[1].MeshGatewayMode.ShouldBe("local");
    }

    [Fact]
    public void A_protocol_is_the_services_then_everybodys_then_tcp()
    {
        var global = Entry("""{"Kind":"proxy-defaults","Config":{"protocol":"http"}}""");
        var service = Entry("""{"Kind":"service-defaults","Name":"web","Protocol":"grpc"}""");
        CentralConfig.ProtocolOf(service, global).ShouldBe("grpc");
        CentralConfig.ProtocolOf(null, global).ShouldBe("http");
        CentralConfig.ProtocolOf(null, null).ShouldBe("tcp");
    }

    private static ConfigEntry Entry(string json) => ConfigEntryReaderTests.Read(json);

    private static JsonElement Json(string text) => JsonDocument.Parse(text).RootElement.Clone();
}
