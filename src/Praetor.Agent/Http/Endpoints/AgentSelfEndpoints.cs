using System.Globalization;
using System.Text.Json;
using Praetor.Agent.Http.Json;
using Praetor.Agent.Local;

namespace Praetor.Agent.Http.Endpoints;

/// <summary>What an agent says of itself beyond its services and checks.</summary>
internal sealed record AgentFacts
{
    public required NodeIdentity Node { get; init; }

    /// <summary>The product's own version, beside the one that clients of Consul look for.</summary>
    public required string ProductVersion { get; init; }

    /// <summary>When it was built, RFC 3339.</summary>
    public string BuildDate { get; init; } = "1970-01-01T00:00:00Z";

    public string Revision { get; init; } = "";

    public string PrimaryDatacenter { get; init; } = "";

    public string BindAddress { get; init; } = "";

    public bool IsDev { get; init; }

    /// <summary>Where gossip between agents goes.</summary>
    public int GossipPort { get; init; } = 8301;

    public int WanPort { get; init; } = 8302;

    /// <summary>Whether ACLs are on.</summary>
    public bool HasAcls { get; init; }

    /// <summary>The settings as they are in effect, by name as Consul shows them; none is a secret.</summary>
    public Action<Utf8JsonWriter>? DebugConfig { get; init; }

    /// <summary>Numbers about the state by group, such as raft; all are texts.</summary>
    public Func<IReadOnlyDictionary<string, IReadOnlyDictionary<string, string>>> Stats { get; init; } =
        static () => new Dictionary<string, IReadOnlyDictionary<string, string>>(StringComparer.Ordinal);

    /// <summary>This agent as a member.</summary>
    public AgentMember Member() => new(Node.Name, Node.Address, GossipPort, Tags(), AliveStatus);

    private const int AliveStatus = 1;

    private SortedDictionary<string, string> Tags()
    {
        var tags = new SortedDictionary<string, string>(StringComparer.Ordinal)
        {
            ["acls"] = HasAcls ? "1" : "0",
            ["build"] = NodeIdentity.CompatibleVersion + ":",
            ["dc"] = Node.Datacenter,
            ["id"] = Node.Id,
            ["role"] = Node.IsServer ? "consul" : "node",
            ["segment"] = "",
            ["vsn"] = "2",
            ["vsn_max"] = "3",
            ["vsn_min"] = "2",
        };
        if (Node.IsServer)
        {
            tags["ft_fs"] = "1";
            tags["ft_si"] = "1";
            tags["port"] = Text(Node.ServerPort);
            tags["raft_vsn"] = "3";
            tags["wan_join_port"] = Text(WanPort);
        }

        if (Node.GrpcPort > 0)
        {
            tags["grpc_port"] = Text(Node.GrpcPort);
        }

        if (Node.GrpcTlsPort > 0)
        {
            tags["grpc_tls_port"] = Text(Node.GrpcTlsPort);
        }

        return tags;
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}

/// <summary>/v1/agent/self, version, host, members.</summary>
internal sealed class AgentSelfEndpoints(LocalAgent local, AgentFacts facts, HostReport host)
{
    // The newest of each line that speaks the xDS of this version.
    private static readonly string[] EnvoyVersions = ["1.35.3", "1.34.7", "1.33.9", "1.32.12"];

    public void AddTo(RouteTable routes)
    {
        routes.Handle("GET", "/v1/agent/self", RouteRows.AgentRead, Self, "Configuration and state of this agent.");
        routes.Handle("GET", "/v1/agent/version", AclRequirement.None, Version, "The version of this agent.");
        routes.Handle("GET", "/v1/agent/host", RouteRows.OperatorRead, Host, "The machine: memory, processors, disk.");
        routes.Handle("GET", "/v1/agent/members", RouteRows.NodeRead, Members, "The agents of the cluster.");
    }

    private ValueTask<Reply> Version(ApiRequest request) => ValueTask.FromResult(Reply.Json(request.Pretty, json =>
    {
        json.WriteStartObject();
        json.WriteString("SHA", facts.Revision);
        json.WriteString("BuildDate", facts.BuildDate);
        json.WriteString("HumanVersion", NodeIdentity.CompatibleVersion);
        json.WriteString("FIPS", "");
        json.WriteString("PraetorVersion", facts.ProductVersion);
        json.WriteEndObject();
    }));

    private ValueTask<Reply> Host(ApiRequest request) => ValueTask.FromResult(Reply.Json(request.Pretty, host.Write));

    private ValueTask<Reply> Members(ApiRequest request)
    {
        if (!AgentFilters.TryRead(request, AgentFilters.Member, out var filter, out var refusal))
        {
            return ValueTask.FromResult(refusal);
        }

        return ValueTask.FromResult(Reply.Json(request.Pretty, json =>
        {
            json.WriteStartArray();
            if (filter.Matches(facts.Member()))
            {
                WriteMember(json, facts.Member());
            }

            json.WriteEndArray();
        }));
    }

    private ValueTask<Reply> Self(ApiRequest request) => ValueTask.FromResult(Reply.Json(request.Pretty, json =>
    {
        json.WriteStartObject();
        WriteConfig(json);
        json.WritePropertyName("DebugConfig");
        if (facts.DebugConfig is { } debug)
        {
            debug(json);
        }
        else
        {
            json.WriteStartObject();
            json.WriteEndObject();
        }

        WriteCoordinate(json);
        json.WritePropertyName("Member");
        WriteMember(json, facts.Member());
        WriteStats(json);
        CatalogJson.WriteMap(json, "Meta", local.Options.Node.FullMeta);
        WriteXds(json);
        json.WriteEndObject();
    }));

    private void WriteConfig(Utf8JsonWriter json)
    {
        json.WriteStartObject("Config");
        json.WriteString("Datacenter", facts.Node.Datacenter);
        json.WriteString("PrimaryDatacenter", facts.PrimaryDatacenter.Length > 0
            ? facts.PrimaryDatacenter
            : facts.Node.Datacenter);
        json.WriteString("NodeName", facts.Node.Name);
        json.WriteString("NodeID", facts.Node.Id);
        json.WriteString("Revision", facts.Revision);
        json.WriteBoolean("Server", facts.Node.IsServer);
        json.WriteString("Version", NodeIdentity.CompatibleVersion);
        json.WriteString("BuildDate", facts.BuildDate);
        json.WriteString("BindAddr", facts.BindAddress.Length > 0 ? facts.BindAddress : facts.Node.Address);
        json.WriteString("PraetorVersion", facts.ProductVersion);
        json.WriteEndObject();
    }

    // Where a node that has measured nothing yet is.
    private static void WriteCoordinate(Utf8JsonWriter json)
    {
        const int Dimensions = 8;
        json.WriteStartObject("Coord");
        json.WriteStartArray("Vec");
        for (var i = 0; i < Dimensions; i++)
        {
            json.WriteNumberValue(0);
        }

        json.WriteEndArray();
        json.WriteNumber("Error", 1.5);
        json.WriteNumber("Adjustment", 0);
        json.WriteNumber("Height", 0.00001);
        json.WriteEndObject();
    }

    private static void WriteMember(Utf8JsonWriter json, AgentMember member)
    {
        json.WriteStartObject();
        json.WriteString("Name", member.Name);
        json.WriteString("Addr", member.Address);
        json.WriteNumber("Port", member.Port);
        CatalogJson.WriteMap(json, "Tags", member.Tags);
        json.WriteNumber("Status", member.Status);
        json.WriteNumber("ProtocolMin", 1);
        json.WriteNumber("ProtocolMax", 5);
        json.WriteNumber("ProtocolCur", 2);
        json.WriteNumber("DelegateMin", 2);
        json.WriteNumber("DelegateMax", 5);
        json.WriteNumber("DelegateCur", 4);
        json.WriteEndObject();
    }

    private void WriteStats(Utf8JsonWriter json)
    {
        var now = local.State.Current;
        var groups = new SortedDictionary<string, IReadOnlyDictionary<string, string>>(StringComparer.Ordinal)
        {
            ["agent"] = new Dictionary<string, string>(StringComparer.Ordinal)
            {
                ["check_monitors"] = Text(now.Checks.Values.Count(static c => c.Spec?.Kind == Checks.CheckKind.Script)),
                ["check_ttls"] = Text(now.Checks.Values.Count(static c => c.Spec?.Kind == Checks.CheckKind.Ttl)),
                ["checks"] = Text(now.Checks.Count),
                ["services"] = Text(now.Services.Count),
            },
            ["build"] = new Dictionary<string, string>(StringComparer.Ordinal)
            {
                ["prerelease"] = "",
                ["revision"] = facts.Revision,
                ["version"] = NodeIdentity.CompatibleVersion,
                ["version_metadata"] = "",
            },
            ["consul"] = new Dictionary<string, string>(StringComparer.Ordinal)
            {
                ["acl"] = facts.HasAcls ? "enabled" : "disabled",
                ["bootstrap"] = "false",
                ["known_datacenters"] = "1",
                ["leader"] = facts.Node.IsServer ? "true" : "false",
                ["leader_addr"] = $"{facts.Node.Address}:{Text(facts.Node.ServerPort)}",
                ["server"] = facts.Node.IsServer ? "true" : "false",
            },
        };
        foreach (var (name, group) in facts.Stats())
        {
            groups[name] = group;
        }

        json.WriteStartObject("Stats");
        foreach (var (name, group) in groups)
        {
            CatalogJson.WriteMap(json, name, group);
        }

        json.WriteEndObject();
    }

    private void WriteXds(Utf8JsonWriter json)
    {
        json.WriteStartObject("xDS");
        json.WriteStartObject("SupportedProxies");
        CatalogJson.WriteTags(json, "envoy", EnvoyVersions);
        json.WriteEndObject();
        json.WriteNumber("Port", facts.Node.GrpcPort);
        json.WriteStartObject("Ports");
        json.WriteNumber("Plaintext", facts.Node.GrpcPort);
        json.WriteNumber("TLS", facts.Node.GrpcTlsPort);
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
