using Languages.Filters;
using Praetor.Agent.Membership;
using Praetor.Server.Model;

namespace Praetor.Agent.Http.Endpoints;

/// <summary>What filter expressions may name in the agent's lists.</summary>
internal static class AgentFilters
{
    private static readonly FilterFields<ServiceAddress> Address = new FilterFields<ServiceAddress>()
        .Text("Address", static a => a.Address)
        .Whole("Port", static a => a.Port);

    private static readonly FilterFields<ServiceWeights> Weights = new FilterFields<ServiceWeights>()
        .Whole("Passing", static w => w.Passing)
        .Whole("Warning", static w => w.Warning);

    private static readonly FilterFields<ServiceUpstream> Upstream = new FilterFields<ServiceUpstream>()
        .Text("DestinationType", static u => u.DestinationType)
        .Text("DestinationName", static u => u.DestinationName)
        .Text("Datacenter", static u => u.Datacenter)
        .Text("LocalBindAddress", static u => u.LocalBindAddress)
        .Whole("LocalBindPort", static u => u.LocalBindPort);

    private static readonly FilterFields<ServiceProxy> Proxy = new FilterFields<ServiceProxy>()
        .Text("DestinationServiceName", static p => p.DestinationServiceName)
        .Text("DestinationServiceID", static p => p.DestinationServiceId)
        .Text("LocalServiceAddress", static p => p.LocalServiceAddress)
        .Whole("LocalServicePort", static p => p.LocalServicePort)
        .Text("Mode", static p => p.Mode)
        .Objects("Upstreams", static p => p.Upstreams, Upstream);

    private static readonly FilterFields<ServiceRecord> Connect = new FilterFields<ServiceRecord>()
        .Flag("Native", static s => s.ConnectNative);

    private static readonly FilterFields<ServicePort> Port = new FilterFields<ServicePort>()
        .Text("Name", static p => p.Name)
        .Whole("Port", static p => p.Port)
        .Flag("Default", static p => p.Default);

    public static FilterFields<ServiceRecord> Service { get; } = new FilterFields<ServiceRecord>()
        .Text("Kind", static s => s.Kind)
        .Text("ID", static s => s.Id)
        .Text("Service", static s => s.Name)
        .Texts("Tags", static s => s.Tags)
        .TextMap("Meta", static s => s.Meta)
        .Whole("Port", static s => s.Port)
        .Objects("Ports", static s => s.Ports, Port)
        .Text("Address", static s => s.Address)
        .Text("SocketPath", static s => s.SocketPath)
        .ObjectMap("TaggedAddresses", static s => s.TaggedAddresses, Address)
        .Object("Weights", static s => s.Weights, Weights)
        .Flag("EnableTagOverride", static s => s.EnableTagOverride)
        .Object("Proxy", static s => s.Proxy, Proxy)
        .Object("Connect", static s => s, Connect);

    public static FilterFields<CheckRecord> Check { get; } = new FilterFields<CheckRecord>()
        .Text("Node", static c => c.Node)
        .Text("CheckID", static c => c.Id)
        .Text("Name", static c => c.Name)
        .Text("Status", static c => c.Status)
        .Text("Notes", static c => c.Notes)
        .Text("Output", static c => c.Output)
        .Text("ServiceID", static c => c.ServiceId)
        .Text("ServiceName", static c => c.ServiceName)
        .Texts("ServiceTags", static c => c.ServiceTags)
        .Text("Type", static c => c.Type);

    public static FilterFields<AgentMember> Member { get; } = new FilterFields<AgentMember>()
        .Text("Name", static m => m.Name)
        .Text("Addr", static m => m.Address)
        .Whole("Port", static m => m.Port)
        .TextMap("Tags", static m => m.Tags)
        .Whole("Status", static m => (int)m.Status);

    /// <summary>Reads the request's filter, or answers why it cannot be read.</summary>
    public static bool TryRead<T>(ApiRequest request, FilterFields<T> fields, out Filter<T> filter, out Reply refusal)
    {
        var parsed = Filter<T>.Parse(request.Query["filter"], fields);
        filter = parsed.Value!;
        refusal = parsed.Error is { } error ? Reply.Text(500, error.What) : Reply.Ok;
        return parsed.Error is null;
    }
}
