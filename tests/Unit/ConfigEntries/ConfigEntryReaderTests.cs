using System.Buffers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Praetor.Server.ConfigEntries;
using Shouldly;
using Xunit;

namespace Unit.ConfigEntries;

public sealed class ConfigEntryReaderTests
{
    private const string Failed = "Request decoding failed: ";

    // Bodies and answers as the real Consul 1.8.7 gave them.
    [Theory]
    [InlineData(
        """
        {"kind":"service-defaults","name":"web","protocol":"HTTP","mesh_gateway":{"mode":"local"},
         "expose":{"checks":true,"paths":[{"path":"/x","local_path_port":"80","listener_port":81,
         "protocol":"http"}]},"external_sni":"sni","meta":{"a":"b"}}
        """,
        """
        {"Kind":"service-defaults","Name":"web","Protocol":"http","MeshGateway":{"Mode":"local"},
         "Expose":{"Checks":true,"Paths":[{"ListenerPort":81,"Path":"/x","LocalPathPort":80,"Protocol":"http",
         "ParsedFromCheck":false}]},"ExternalSNI":"sni","Meta":{"a":"b"},"CreateIndex":44,"ModifyIndex":45}
        """)]
    [InlineData(
        """{"Kind":"service-defaults","Name":"w2","Expose":{"Paths":{"Path":"/x"}},"Meta":{"a":1}}""",
        """
        {"Kind":"service-defaults","Name":"w2","Protocol":"","MeshGateway":{},"Expose":{"Paths":[{"Path":"/x",
         "ParsedFromCheck":false}]},"Meta":{"a":"1"},"CreateIndex":44,"ModifyIndex":45}
        """)]
    [InlineData(
        """{"Kind":"service-defaults","Name":"w4"}""",
        """
        {"Kind":"service-defaults","Name":"w4","Protocol":"","MeshGateway":{},"Expose":{},"CreateIndex":44,
         "ModifyIndex":45}
        """)]
    [InlineData(
        """{"Kind":"service-defaults","Name":"w6","Protocol":5}""",
        """
        {"Kind":"service-defaults","Name":"w6","Protocol":"5","MeshGateway":{},"Expose":{},"CreateIndex":44,
         "ModifyIndex":45}
        """)]
    [InlineData(
        """
        {"Kind":"service-defaults","Name":"m","Meta":null,"Expose":null,"Protocol":null,"CreateIndex":7,
         "ModifyIndex":8,"Namespace":""}
        """,
        """
        {"Kind":"service-defaults","Name":"m","Protocol":"","MeshGateway":{},"Expose":{},"CreateIndex":44,
         "ModifyIndex":45}
        """)]
    [InlineData(
        """
        {"Kind":"proxy-defaults","Name":"global","Config":{"zeta":1,"alpha":{"y":1,"b":2},"Beta":[{"q":1,"a":2}],
         "_x":1,"1":2}}
        """,
        """
        {"Kind":"proxy-defaults","Name":"global","Config":{"1":2,"Beta":[{"a":2,"q":1}],"_x":1,
         "alpha":{"b":2,"y":1},"zeta":1},"MeshGateway":{},"Expose":{},"CreateIndex":44,"ModifyIndex":45}
        """)]
    [InlineData(
        """{"Kind":"proxy-defaults","Name":"x"}""",
        """
        {"Kind":"proxy-defaults","Name":"global","Config":null,"MeshGateway":{},"Expose":{},"CreateIndex":44,
         "ModifyIndex":45}
        """)]
    [InlineData(
        """
        {"Kind":"proxy-defaults","Name":"global","Config":{"protocol":"http","snake_case":1,"CamelCase":{"a":[1,2.5,
         "x",null,true]},"big":12345678901234567890},"MeshGateway":{"Mode":"remote"}}
        """,
        """
        {"Kind":"proxy-defaults","Name":"global","Config":{"CamelCase":{"a":[1,2.5,"x",null,true]},
         "big":12345678901234567890,"protocol":"http","snake_case":1},"MeshGateway":{"Mode":"remote"},"Expose":{},
         "CreateIndex":44,"ModifyIndex":45}
        """)]
    public void Entries_are_answered_as_consul_does(string body, string answer) =>
        Answer(Read(body)).ShouldBe(JsonNode.Parse(answer)!.ToJsonString());

    // Everything that today's clients send is stored and comes back equal.
    [Theory]
    [InlineData(
        """
        {"Kind":"service-defaults","Name":"web","Protocol":"http","Mode":"transparent",
         "TransparentProxy":{"OutboundListenerPort":15002,"DialedDirectly":true},"MutualTLSMode":"strict",
         "MeshGateway":{"Mode":"local"},"Expose":{},"UpstreamConfig":{"Defaults":{"ConnectTimeoutMs":100,
         "Limits":{"MaxConnections":0,"MaxPendingRequests":5},"PassiveHealthCheck":{"Interval":"10s","MaxFailures":3,
         "EnforcingConsecutive5xx":0,"BaseEjectionTime":"30s"}},
         "Overrides":[{"Name":"db","Peer":"p","Protocol":"grpc","MeshGateway":{"Mode":"remote"}}]},
         "Destination":{"Addresses":["a.example"],"Port":443},"MaxInboundConnections":5,"LocalConnectTimeoutMs":6,
         "LocalRequestTimeoutMs":7,"BalanceInboundConnections":"exact_balance",
         "RateLimits":{"InstanceLevel":{"RequestsPerSecond":1.5,"RequestsMaxBurst":2,"Routes":[{"PathPrefix":"/a"}]}},
         "EnvoyExtensions":[{"Name":"builtin/lua","Required":true,"Arguments":{"Script":"x","n":[1,{}]}}],
         "MaxRequestHeadersKB":96,"Meta":{"k":"v"}}
        """)]
    [InlineData(
        """
        {"Kind":"proxy-defaults","Name":"global","Config":{"a":{"B_c":1}},"Mode":"direct","MutualTLSMode":"permissive",
         "MeshGateway":{},"Expose":{"Paths":[{"ListenerPort":1,"Path":"/g","LocalPathPort":2,"Protocol":"http2",
         "ParsedFromCheck":false}]},"AccessLogs":{"Enabled":true,"Type":"file","Path":"/p","TextFormat":"t"},
         "FailoverPolicy":{"Mode":"order-by-locality","Regions":["eu"]},"PrioritizeByLocality":{"Mode":"failover"}}
        """)]
    [InlineData(
        """
        {"Kind":"service-intentions","Name":"db","JWT":{"Providers":[{"Name":"okta","VerifyClaims":[{"Path":["a"],
         "Value":"b"}]}]},"Sources":[{"Name":"web","Permissions":[{"Action":"allow","HTTP":{"PathRegex":"/x.*",
         "Header":[{"Name":"h","Contains":"c","IgnoreCase":true}],"Methods":["GET"]},
         "JWT":{"Providers":[{"Name":"o"}]}}],
         "Precedence":9,"Type":"consul","Description":"d"},{"Name":"*","Action":"deny","Precedence":8,"Type":"consul"},
         {"Name":"far","Action":"allow","Precedence":9,"Type":"consul","Peer":"east"}],"Meta":{"a":"b"}}
        """)]
    public void What_todays_clients_write_is_read_back_equal(string body)
    {
        var entry = Read(body);
        var stored = ConfigEntry.FromStorage(entry.ToStorage());
        var back = JsonNode.Parse(Answer(stored))!.AsObject();
        back.Remove("CreateIndex");
        back.Remove("ModifyIndex");
        var wanted = JsonNode.Parse(body)!.AsObject();
        Sort(back).ToJsonString().ShouldBe(Sort(wanted).ToJsonString());
        Answer(Read(Answer(stored))).ShouldBe(Answer(stored));
    }

    [Theory]
    [InlineData("""{"Kind":"foo","Name":"x"}""", Failed + "invalid config entry kind: foo")]
    [InlineData("""{"Name":"x"}""", Failed + "Payload does not contain a kind/Kind key at the top level")]
    [InlineData("""{"Kind":1,"Name":"x"}""", Failed + "Kind value in payload is not a string")]
    [InlineData("""{"Kind":"service-defaults"}""", "serviceName is required")]
    [InlineData("[]", Failed + "'' expected a map, got 'slice'")]
    [InlineData("", Failed + "EOF")]
    [InlineData(
        """{"Kind":"service-defaults","Name":"web","Foo":1,"Bar":{"x":2}}""",
        Failed + "2 errors occurred:\n\t* invalid config key \"Foo\"\n\t* invalid config key \"Bar\"\n\n")]
    [InlineData(
        """{"Kind":"service-defaults","Name":"w","Expose":{"Checks":"true","Foo":1},"MeshGateway":{"Bar":1}}""",
        Failed + "2 errors occurred:\n\t* invalid config key \"MeshGateway.Bar\"\n\t" +
        "* invalid config key \"Expose.Foo\"\n\n")]
    [InlineData(
        """{"Kind":"service-defaults","Name":"w5","Namespace":"foo"}""",
        Failed + "1 error occurred:\n\t" +
        "* invalid config key \"Namespace\", namespaces are a consul enterprise feature\n\n")]
    [InlineData(
        """{"Kind":"service-defaults","Name":"m","protocol":"a","Protocol":"b"}""",
        Failed + "1 error occurred:\n\t* invalid config key \"protocol\"\n\n")]
    [InlineData(
        """{"Kind":"service-defaults","Name":"w2","Protocol":{"a":1}}""",
        Failed + "1 error(s) decoding:\n\n" +
        "* 'Protocol' expected type 'string', got unconvertible type 'map[string]interface {}'")]
    [InlineData(
        """{"Kind":"service-defaults","Name":"w7","Expose":{"Checks":"maybe"}}""",
        Failed + "1 error(s) decoding:\n\n" +
        "* cannot parse 'Expose.Checks' as bool: strconv.ParseBool: parsing \"maybe\": invalid syntax")]
    [InlineData("""{"Kind":"service-intentions","Name":"m"}""", "At least one source is required")]
    [InlineData(
        """
        {"Kind":"service-intentions","Name":"m","Sources":[{"Name":"a","Action":"allow"},{"Name":"a",
         "Action":"deny"}]}
        """,
        "Sources[1] defines \"a\" more than once")]
    [InlineData(
        """{"Kind":"service-intentions","Name":"m","Sources":[{"Name":"a"}]}""",
        "Sources[0].Action must be set to 'allow' or 'deny'")]
    public void Wrong_entries_are_refused_in_consuls_words(string body, string text)
    {
        ConfigEntryReader.TryRead(Encoding.UTF8.GetBytes(body), out _, out var refusal).ShouldBeFalse();
        refusal!.Text.ShouldBe(text);
    }

    [Fact]
    public void Durations_are_taken_as_text_and_as_nanoseconds()
    {
        const string Body =
            """
            {"Kind":"service-defaults","Name":"w",
             "UpstreamConfig":{"Defaults":{"PassiveHealthCheck":{"Interval":1500000000,"BaseEjectionTime":"90s"}}}}
            """;
        Answer(Read(Body)).ShouldContain("""{"Interval":"1.5s","BaseEjectionTime":"1m30s"}""");
    }

    [Fact]
    public void Sources_come_back_in_order_of_precedence_with_type_and_rank()
    {
        const string Body =
            """
            {"Kind":"service-intentions","Name":"db","Sources":[{"Name":"*","Action":"deny"},{"Name":"web",
             "Action":"allow"},{"Name":"api","Action":"allow"}]}
            """;
        var sources = JsonNode.Parse(Answer(Read(Body)))!["Sources"]!.AsArray();
        sources.Select(static s => s!.ToJsonString()).ShouldBe(
        [
            """{"Name":"api","Action":"allow","Precedence":9,"Type":"consul"}""",
            """{"Name":"web","Action":"allow","Precedence":9,"Type":"consul"}""",
            """{"Name":"*","Action":"deny","Precedence":8,"Type":"consul"}""",
        ]);
    }

    [Fact]
    public void An_entry_written_whole_keeps_the_ids_of_the_older_api_and_takes_none()
    {
        const string Stored =
            """
            {"Kind":"service-intentions","Name":"db","Sources":[{"Name":"web","Action":"deny",
             "LegacyID":"701476ac-6942-2f07-d04d-8c86960c9989"}]}
            """;
        const string Written =
            """
            {"Kind":"service-intentions","Name":"db","Sources":[{"Name":"web","Action":"allow"},{"Name":"x",
             "Action":"allow","LegacyID":"y"}]}
            """;
        var answer = Answer(ConfigKinds.Adopt(Read(Written), Read(Stored)));
        answer.ShouldContain("701476ac-6942-2f07-d04d-8c86960c9989");
        answer.ShouldNotContain("\"y\"");
    }

    [Fact]
    public void Damaged_bodies_never_throw()
    {
        const string Body =
            """
            {"Kind":"service-intentions","Name":"db","Sources":[{"Name":"web","Permissions":[{"Action":"allow",
             "HTTP":{"Methods":["GET",null],"Header":[{"Name":"h","Present":true}]}}],"Precedence":9,
             "LegacyMeta":{"a":"b"}},{"Name":"*","Action":"deny"}],"Meta":{"a":"b"}}
            """;
        string[] pieces =
        [
            "{", "}", "[", "]", "null", "1", "\"", ",", ":", "true", "1e999", "\"Name\":", "{}", "[[]]", "\\u0000",
        ];
        var random = new Random(11);
        for (var i = 0; i < 20_000; i++)
        {
            var bytes = Encoding.UTF8.GetBytes(Body).ToList();
            for (var n = random.Next(1, 4); n > 0; n--)
            {
                var at = random.Next(bytes.Count);
                var cut = Math.Min(random.Next(8), bytes.Count - at);
                bytes.RemoveRange(at, cut);
                bytes.InsertRange(at, Encoding.UTF8.GetBytes(pieces[random.Next(pieces.Length)]));
            }

            if (ConfigEntryReader.TryRead(bytes.ToArray(), out var entry, out var refusal))
            {
                Answer(ConfigEntry.FromStorage(entry.ToStorage())).ShouldBe(Answer(entry));
            }
            else
            {
                refusal.Text.ShouldNotBeEmpty();
            }
        }
    }

    internal static ConfigEntry Read(string body)
    {
        ConfigEntryReader.TryRead(Encoding.UTF8.GetBytes(body), out var entry, out var refusal)
            .ShouldBeTrue(refusal?.Text);
        return entry!;
    }

    private static string Answer(ConfigEntry entry)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            entry.WriteAnswer(writer, 44, 45);
        }

        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    // Members in order of name, and intentions' sources in order of theirs: only content is compared.
    private static JsonNode Sort(JsonNode node) => node switch
    {
        JsonObject map => new JsonObject(map.OrderBy(static p => p.Key, StringComparer.Ordinal)
            .Select(static p => KeyValuePair.Create(p.Key, p.Value is null ? null : Sort(p.Value)))),
        JsonArray list => new JsonArray([.. list.Select(static i => i is null ? null : Sort(i))
            .OrderBy(static i => i?.ToJsonString(), StringComparer.Ordinal)]),
        _ => node.DeepClone(),
    };
}
