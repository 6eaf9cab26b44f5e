using System.Text.Json;
using Praetor.Agent.Http.Json;
using Praetor.Agent.Local;
using Praetor.Agent.Membership;

namespace Praetor.Agent.Http.Endpoints;

/// <summary>/v1/agent/self, version, host, members.</summary>
internal sealed class AgentSelfEndpoints(
    LocalAgent local, AgentFacts facts, HostReport host, IMembership membership, INetworkCoordinates coordinates)
{
    private const string AllSegments = "_all";

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
        if (request.Query["segment"] is not ("" or AllSegments))
        {
            return ValueTask.FromResult(
                Reply.Text(500, "Network segments are not supported in this version of Consul"));
        }

        if (!AgentFilters.TryRead(request, AgentFilters.Member, out var filter, out var refusal))
        {
            return ValueTask.FromResult(refusal);
        }

        var members = filter.Apply(membership.Members(request.Query.Has("wan")));
        return ValueTask.FromResult(Reply.Json(request.Pretty, json =>
        {
            json.WriteStartArray();
            foreach (var member in members)
            {
                WriteMember(json, member);
            }

            json.WriteEndArray();
        }));
    }

    private ValueTask<Reply> Self(ApiRequest request) => ValueTask.FromResult(Reply.Json(request.Pretty, json =>
    {
        json.WriteStartObject();
        WriteConfig(json);
        json.WriteStartObject("DebugConfig");
        facts.DebugConfig?.Invoke(json);
        json.WriteEndObject();
        json.WritePropertyName("Coord");
        CoordinateEndpoints.Write(json, coordinates.Own(wan: false));
        json.WritePropertyName("Member");
        WriteMember(json, membership.Self(wan: false));
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

    private static void WriteMember(Utf8JsonWriter json, AgentMember member)
    {
        json.WriteStartObject();
        json.WriteString("Name", member.Name);
        json.WriteString("Addr", member.Address);
        json.WriteNumber("Port", member.Port);
        CatalogJson.WriteMap(json, "Tags", member.Tags);
        json.WriteNumber("Status", (int)member.Status);
        json.WriteNumber("ProtocolMin", member.ProtocolMin);
        json.WriteNumber("ProtocolMax", member.ProtocolMax);
        json.WriteNumber("ProtocolCur", member.ProtocolCurrent);
        json.WriteNumber("DelegateMin", member.DelegateMin);
        json.WriteNumber("DelegateMax", member.DelegateMax);
        json.WriteNumber("DelegateCur", member.DelegateCurrent);
        json.WriteEndObject();
    }

    private void WriteStats(Utf8JsonWriter json)
    {
        var groups = new SortedDictionary<string, IReadOnlyDictionary<string, string>>(
            AgentStats.Of(local.State.Current, facts), StringComparer.Ordinal);
        foreach (var (name, group) in facts.Stats())
        {
            groups[name] = group;
        }

        foreach (var (name, isWan) in new[] { ("serf_lan", false), ("serf_wan", true) })
        {
            if (AgentStats.OfPool(membership, isWan) is { } pool)
            {
                groups[name] = pool;
            }
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
}
