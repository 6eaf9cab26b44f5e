using Languages.Filters;
using Praetor.Server.Catalog;
using Praetor.Server.Model;

namespace Praetor.Agent.Http;

/// <summary>A service together with its node, as /v1/catalog/service flattens them.</summary>
internal sealed record CatalogEntry(NodeRecord Node, ServiceRecord Service);

/// <summary>The fields that filter expressions may name, by what is listed.</summary>
internal static class CatalogFilters
{
    public static readonly FilterFields<NodeRecord> Node = new FilterFields<NodeRecord>()
        .Text("ID", static n => n.Id)
        .Text("Node", static n => n.Name)
        .Text("Address", static n => n.Address)
        .Text("Datacenter", static n => n.Datacenter)
        .TextMap("TaggedAddresses", static n => n.TaggedAddresses)
        .TextMap("Meta", static n => n.Meta);

    public static readonly FilterFields<CheckRecord> Check = new FilterFields<CheckRecord>()
        .Text("Node", static c => c.Node)
        .Text("CheckID", static c => c.Id)
        .Text("Name", static c => c.Name)
        .Text("Status", static c => c.Status)
        .Text("Notes", static c => c.Notes)
        .Text("Output", static c => c.Output)
        .Text("ServiceID", static c => c.ServiceId)
        .Text("ServiceName", static c => c.ServiceName)
        .Texts("ServiceTags", static c => c.ServiceTags)
        .Text("Type", static c => c.Type)
        .Whole("ExposedPort", static c => c.ExposedPort);

    private static readonly FilterFields<ServiceAddress> Address = new FilterFields<ServiceAddress>()
        .Text("Address", static a => a.Address)
        .Whole("Port", static a => a.Port);

    private static readonly FilterFields<ServicePort> Port = new FilterFields<ServicePort>()
        .Text("Name", static p => p.Name)
        .Whole("Port", static p => p.Port)
        .Flag("Default", static p => p.Default);

    private static readonly FilterFields<ServiceWeights> Weights = new FilterFields<ServiceWeights>()
        .Whole("Passing", static w => w.Passing)
        .Whole("Warning", static w => w.Warning);

    private static readonly FilterFields<ServiceRecord> Connect = new FilterFields<ServiceRecord>()
        .Flag("Native", static s => s.ConnectNative);

    private static readonly FilterFields<ServiceProxy> MeshGateway = new FilterFields<ServiceProxy>()
        .Text("Mode", static p => p.MeshGatewayMode);

    private static readonly FilterFields<ServiceUpstream> UpstreamMeshGateway = new FilterFields<ServiceUpstream>()
        .Text("Mode", static u => u.MeshGatewayMode);

    private static readonly FilterFields<ServiceUpstream> Upstream = new FilterFields<ServiceUpstream>()
        .Text("DestinationType", static u => u.DestinationType)
        .Text("DestinationName", static u => u.DestinationName)
        .Text("Datacenter", static u => u.Datacenter)
        .Text("LocalBindAddress", static u => u.LocalBindAddress)
        .Whole("LocalBindPort", static u => u.LocalBindPort)
        .Object("MeshGateway", static u => u, UpstreamMeshGateway);

    private static readonly FilterFields<ServiceProxy> Proxy = new FilterFields<ServiceProxy>()
        .Text("DestinationServiceName", static p => p.DestinationServiceName)
        .Text("DestinationServiceID", static p => p.DestinationServiceId)
        .Text("LocalServiceAddress", static p => p.LocalServiceAddress)
        .Whole("LocalServicePort", static p => p.LocalServicePort)
        .Text("Mode", static p => p.Mode)
        .Object("MeshGateway", static p => p, MeshGateway)
        .Objects("Upstreams", static p => p.Upstreams, Upstream);

    /// <summary>An instance as it stands in health answers, on nodes, and on the agent.</summary>
    public static readonly FilterFields<ServiceRecord> Service = new FilterFields<ServiceRecord>()
        .Text("Kind", static s => s.Kind)
        .Text("ID", static s => s.Id)
        .Text("Service", static s => s.Name)
        .Texts("Tags", static s => s.Tags)
        .Text("Address", static s => s.Address)
        .ObjectMap("TaggedAddresses", static s => s.TaggedAddresses, Address)
        .TextMap("Meta", static s => s.Meta)
        .Whole("Port", static s => s.Port)
        .Objects("Ports", static s => s.Ports, Port)
        .Text("SocketPath", static s => s.SocketPath)
        .Object("Weights", static s => s.Weights, Weights)
        .Flag("EnableTagOverride", static s => s.EnableTagOverride)
        .Object("Proxy", static s => s.Proxy, Proxy)
        .Object("Connect", static s => s, Connect);

    /// <summary>An element of /v1/catalog/service.</summary>
    public static readonly FilterFields<CatalogEntry> Entry = new FilterFields<CatalogEntry>()
        .Text("ID", static e => e.Node.Id)
        .Text("Node", static e => e.Node.Name)
        .Text("Address", static e => e.Node.Address)
        .Text("Datacenter", static e => e.Node.Datacenter)
        .TextMap("TaggedAddresses", static e => e.Node.TaggedAddresses)
        .TextMap("NodeMeta", static e => e.Node.Meta)
        .Text("ServiceKind", static e => e.Service.Kind)
        .Text("ServiceID", static e => e.Service.Id)
        .Text("ServiceName", static e => e.Service.Name)
        .Texts("ServiceTags", static e => e.Service.Tags)
        .Text("ServiceAddress", static e => e.Service.Address)
        .ObjectMap("ServiceTaggedAddresses", static e => e.Service.TaggedAddresses, Address)
        .Object("ServiceWeights", static e => e.Service.Weights, Weights)
        .TextMap("ServiceMeta", static e => e.Service.Meta)
        .Whole("ServicePort", static e => e.Service.Port)
        .Flag("ServiceEnableTagOverride", static e => e.Service.EnableTagOverride)
        .Object("ServiceProxy", static e => e.Service.Proxy, Proxy)
        .Object("ServiceConnect", static e => e.Service, Connect);

    /// <summary>An element of /v1/health/service.</summary>
    public static readonly FilterFields<Instance> Instance = new FilterFields<Instance>()
        .Object("Node", static i => i.Node, Node)
        .Object("Service", static i => i.Service, Service)
        .Objects("Checks", static i => i.Checks, Check);
}
