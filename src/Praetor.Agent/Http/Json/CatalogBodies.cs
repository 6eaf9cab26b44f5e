using System.Text.Json;
using Praetor.Server.Catalog;
using Praetor.Server.Model;

namespace Praetor.Agent.Http.Json;

/// <summary>Reads the bodies of /v1/catalog/register and of catalog operations in transactions.</summary>
internal static class CatalogBodies
{
    private const string ProxyMode = "Mode";

    public static Registration Registration(BodyObject body, string datacenter)
    {
        var service = body.Object("Service");
        var checks = body.Objects("Checks").ToList();
        if (body.Object("Check") is { } check)
        {
            checks.Insert(0, check);
        }

        var node = new NodeRecord
        {
            Id = body.Text("ID"),
            Name = body.Text("Node"),
            Address = body.Text("Address"),
            Datacenter = body.Text("Datacenter") is { Length: > 0 } dc ? dc : datacenter,
            TaggedAddresses = body.TextMap("TaggedAddresses"),
            Meta = body.TextMap("NodeMeta"),
            Locality = Place(body.Object("Locality")),
        };
        SkipFields(body);
        return new Registration
        {
            Node = node,
            SkipNodeUpdate = body.Flag("SkipNodeUpdate"),
            Service = service is null ? null : Service(service),
            Checks = checks.ConvertAll(c => Check(c)),
        };
    }

    public static NodeRecord Node(BodyObject body, string datacenter)
    {
        var node = new NodeRecord
        {
            Id = body.Text("ID"),
            Name = body.Text("Node"),
            Address = body.Text("Address"),
            Datacenter = body.Text("Datacenter") is { Length: > 0 } dc ? dc : datacenter,
            TaggedAddresses = body.TextMap("TaggedAddresses"),
            Meta = body.TextMap("Meta"),
            Locality = Place(body.Object("Locality")),
        };
        OwnIndexes(body);
        body.Finish();
        return node;
    }

    public static ServiceRecord Service(BodyObject body)
    {
        var name = body.Text("Service");
        var id = body.Text("ID");
        var ports = body.Objects("Ports").Select(Port).ToList();
        var addresses = body.ObjectMap("TaggedAddresses").ToDictionary(
            p => p.Key,
            p => new ServiceAddress(p.Value.Text("Address"), p.Value.Whole("Port")),
            StringComparer.Ordinal);
        var connect = body.Object("Connect");
        var service = new ServiceRecord
        {
            Id = id.Length > 0 ? id : name,
            Name = name,
            Kind = body.Text("Kind"),
            Tags = body.Texts("Tags"),
            Address = body.Text("Address"),
            TaggedAddresses = addresses.Count > 0 ? addresses : null,
            Meta = body.TextMap("Meta"),
            Port = ports.Find(p => p.Default)?.Port ?? body.Whole("Port"),
            Ports = ports.Count > 0 ? ports : null,
            SocketPath = body.Text("SocketPath"),
            Weights = Weights(body.Object("Weights")),
            EnableTagOverride = body.Flag("EnableTagOverride"),
            Proxy = Proxy(body.Object("Proxy")),
            ConnectNative = connect?.Flag("Native") ?? false,
            Locality = Place(body.Object("Locality")),
        };
        _ = body.Whole("Port");
        OwnIndexes(body);
        SkipFields(body);
        _ = body.Text("Datacenter");
        body.Finish();
        return service;
    }

    public static CheckRecord Check(BodyObject body)
    {
        var name = body.Text("Name");
        var id = body.Text("CheckID");
        var status = body.Text("Status");
        var type = body.Text("Type");
        var definition = CheckDefinitionJson.Read(body);
        var check = new CheckRecord
        {
            Node = body.Text("Node"),
            Id = id.Length > 0 ? id : name,
            Name = name,
            Status = status.Length > 0 ? status : CheckStatuses.Critical,
            Notes = body.Text("Notes"),
            Output = body.Text("Output"),
            ServiceId = body.Text("ServiceID"),
            ServiceName = body.Text("ServiceName"),
            ServiceTags = body.Texts("ServiceTags"),
            Type = type.Length > 0 ? type : CheckDefinitionJson.TypeOf(definition),
            ExposedPort = body.Whole("ExposedPort"),
            Definition = definition,
        };
        OwnIndexes(body);
        SkipFields(body);
        _ = body.Text("Datacenter");
        body.Finish();
        return check;
    }

    private static ServiceProxy? Proxy(BodyObject? body)
    {
        if (body is null)
        {
            return null;
        }

        var expose = body.Object("Expose");
        var proxy = new ServiceProxy
        {
            DestinationServiceName = body.Text("DestinationServiceName"),
            DestinationServiceId = body.Text("DestinationServiceID"),
            LocalServiceAddress = body.Text("LocalServiceAddress"),
            LocalServicePort = body.Whole("LocalServicePort"),
            LocalServiceSocketPath = body.Text("LocalServiceSocketPath"),
            Mode = body.Text(ProxyMode),
            Config = body.Raw("Config"),
            Upstreams = body.Objects("Upstreams").Select(Upstream).ToList() is { Count: > 0 } list ? list : null,
            MeshGatewayMode = body.Object("MeshGateway")?.Text(ProxyMode) ?? "",
            ExposeChecks = expose?.Flag("Checks") ?? false,
            ExposePaths = expose?.Objects("Paths").Select(Exposed).ToList() is { Count: > 0 } paths ? paths : null,
            Further = Further(
                body, "TransparentProxy", "LocalServicePorts", "EnvoyExtensions", "AccessLogs", "MutualTLSMode"),
        };
        body.Finish();
        return proxy == new ServiceProxy() ? null : proxy;
    }

    private static ServiceUpstream Upstream(BodyObject body)
    {
        var upstream = new ServiceUpstream
        {
            DestinationType = body.Text("DestinationType"),
            DestinationName = body.Text("DestinationName"),
            Datacenter = body.Text("Datacenter"),
            LocalBindAddress = body.Text("LocalBindAddress"),
            LocalBindPort = body.Whole("LocalBindPort"),
            LocalBindSocketPath = body.Text("LocalBindSocketPath"),
            LocalBindSocketMode = body.Text("LocalBindSocketMode"),
            Config = body.Raw("Config"),
            MeshGatewayMode = body.Object("MeshGateway")?.Text(ProxyMode) ?? "",
            Further = Further(body, "DestinationPeer", "DestinationPort", "CentrallyConfigured", "IngressHosts"),
        };
        SkipFields(body);
        _ = body.Text("DestinationNamespace");
        _ = body.Text("DestinationPartition");
        body.Finish();
        return upstream;
    }

    // Members of later versions are kept as they came, those with nothing in them left out.
    private static Dictionary<string, JsonElement>? Further(BodyObject body, params ReadOnlySpan<string> names)
    {
        Dictionary<string, JsonElement>? further = null;
        foreach (var name in names)
        {
            if (body.Raw(name) is { } value && !IsZero(value))
            {
                (further ??= new Dictionary<string, JsonElement>(StringComparer.Ordinal))[name] = value;
            }
        }

        return further;
    }

    /// <summary>Whether a value says nothing, as Go's <c>omitempty</c> sees it.</summary>
    internal static bool IsZero(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.False or JsonValueKind.Null => true,
        JsonValueKind.String => value.GetString()!.Length == 0,
        JsonValueKind.Number => value.GetDouble() == 0,
        JsonValueKind.Array => value.GetArrayLength() == 0,
        JsonValueKind.Object => value.EnumerateObject().All(static m => IsZero(m.Value)),
        _ => false,
    };

    private static ExposedPath Exposed(BodyObject body)
    {
        var path = new ExposedPath(
            body.Text("Path"),
            body.Whole("LocalPathPort"),
            body.Whole("ListenerPort"),
            body.Text("Protocol") is { Length: > 0 } protocol ? protocol : "http",
            body.Flag("ParsedFromCheck"));
        body.Finish();
        return path;
    }

    private static ServicePort Port(BodyObject body)
    {
        var port = new ServicePort(body.Text("Name"), body.Whole("Port"), body.Flag("Default"));
        body.Finish();
        return port;
    }

    private static ServiceWeights Weights(BodyObject? body) => body is null
        ? ServiceWeights.Default
        : new ServiceWeights(body.Whole("Passing"), body.Whole("Warning"));

    private static Locality? Place(BodyObject? body) =>
        body is null ? null : new Locality(body.Text("Region"), body.Text("Zone"));

    private static void OwnIndexes(BodyObject body)
    {
        _ = body.Raw("CreateIndex");
        _ = body.Raw("ModifyIndex");
    }

    // Sent by today's clients, always empty in the open edition.
    private static void SkipFields(BodyObject body)
    {
        _ = body.Text("Partition");
        _ = body.Text("Namespace");
        _ = body.Text("PeerName");
        _ = body.Raw("WriteRequest");
    }
}
