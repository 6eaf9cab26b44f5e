using System.Net;
using System.Text.Json;
using Praetor.Agent.Dns;

namespace Unit.Dns;

/// <summary>A catalog filled by registrations as <c>/v1/catalog/register</c> takes them.</summary>
internal sealed class MemoryCatalog : IDnsCatalog
{
    private readonly SortedDictionary<string, DnsNode> _nodes = new(StringComparer.Ordinal);
    private readonly SortedDictionary<(string Node, string Id), Registered> _services = [];
    private readonly Dictionary<(string Node, string Service, string Check), DnsHealth> _checks = [];
    private readonly Dictionary<string, ulong> _versions = new(StringComparer.OrdinalIgnoreCase);

    public ulong Version { get; private set; } = 1;

    public int Lookups { get; private set; }

    public string Datacenter { get; init; } = "dc1";

    /// <summary>A service that cannot be looked up.</summary>
    public string? Broken { get; set; }

    public ulong VersionOf(string service) => _versions.GetValueOrDefault(service);

    public IReadOnlyList<DnsInstance> Instances(string service, DnsView view, string datacenter)
    {
        Lookups++;
        if (service == Broken)
        {
            throw new InvalidOperationException("broken");
        }

        return datacenter != Datacenter ? [] : [.. _services.Where(s => s.Value.IsSeenAs(service, view)).Select(Shown)];
    }

    public DnsNode? Node(string name, string datacenter) => datacenter != Datacenter ? null
        : _nodes.Values.FirstOrDefault(n => n.Name.Equals(name, StringComparison.OrdinalIgnoreCase));

    public DnsNode? NodeAt(IPAddress address) => _nodes.Values.FirstOrDefault(n => IsAt(n.Address, address));

    public string? ServiceAt(IPAddress address) =>
        _services.Values.FirstOrDefault(s => IsAt(s.Instance.Address, address))?.Name;

    public IReadOnlyList<DnsNode> Servers() =>
        [.. Instances("consul", DnsView.Service, Datacenter).Select(i => i.Node)];

    public void Add(string service, string node, string nodeAddress, string address = "", int port = 80)
    {
        _nodes[node] = new DnsNode(node, nodeAddress);
        var key = (node, service + _services.Count);
        _services[key] = new(service, "", null, false, new DnsInstance(_nodes[node], address, port));
        Touch(service);
    }

    public void Remove(string service)
    {
        foreach (var key in _services.Where(s => s.Value.Name == service).Select(s => s.Key).ToList())
        {
            _services.Remove(key);
        }
        Touch(service);
    }

    public void Touch(string service)
    {
        Version++;
        _versions[service] = Version;
    }

    public void Register(JsonElement body)
    {
        string name = body.GetProperty("Node").GetString()!;
        var tagged = Field(body, "TaggedAddresses");
        _nodes[name] = new DnsNode(name, body.GetProperty("Address").GetString()!)
        {
            Meta = Field(body, "NodeMeta") is { } meta
                ? meta.EnumerateObject().ToDictionary(p => p.Name, p => p.Value.GetString()!) : [],
            LanIPv4 = tagged is { } t4 ? Field(t4, "lan_ipv4")?.GetString() : null,
            LanIPv6 = tagged is { } t6 ? Field(t6, "lan_ipv6")?.GetString() : null,
        };
        if (Field(body, "Service") is { } service)
        {
            RegisterService(name, service);
        }
        if (Field(body, "Check") is { } check)
        {
            string id = Field(check, "ServiceID")?.GetString() ?? "";
            _checks[(name, id, check.GetProperty("CheckID").GetString()!)] =
                Enum.Parse<DnsHealth>(check.GetProperty("Status").GetString()!, ignoreCase: true);
        }
        Version++;
    }

    private void RegisterService(string node, JsonElement service)
    {
        string name = service.GetProperty("Service").GetString()!;
        var weights = Field(service, "Weights");
        var tagged = Field(service, "TaggedAddresses");
        var instance = new DnsInstance(_nodes[node], Field(service, "Address")?.GetString() ?? "",
            Field(service, "Port")?.GetInt32() ?? 0)
        {
            Tags = Field(service, "Tags") is { } tags ? [.. tags.EnumerateArray().Select(t => t.GetString()!)] : [],
            PassingWeight = weights?.GetProperty("Passing").GetInt32() ?? 1,
            WarningWeight = weights?.GetProperty("Warning").GetInt32() ?? 1,
            LanIPv4 = AddressIn(tagged, "lan_ipv4"),
            LanIPv6 = AddressIn(tagged, "lan_ipv6"),
        };
        string? destination = Field(service, "Proxy")?.GetProperty("DestinationServiceName").GetString();
        _services[(node, service.GetProperty("ID").GetString()!)] = new(name,
            Field(service, "Kind")?.GetString() ?? "", destination, Field(service, "Connect") is not null, instance);
        Touch(name);
    }

    private DnsInstance Shown(KeyValuePair<(string Node, string Id), Registered> entry) => entry.Value.Instance with
    {
        Node = _nodes[entry.Key.Node],
        Health = _checks
            .Where(c => c.Key.Node == entry.Key.Node && (c.Key.Service == "" || c.Key.Service == entry.Key.Id))
            .Select(c => c.Value).DefaultIfEmpty(DnsHealth.Passing).Max(),
    };

    private static bool IsAt(string text, IPAddress address) =>
        IPAddress.TryParse(text, out var own) && own.Equals(address);

    private static string? AddressIn(JsonElement? tagged, string name) =>
        tagged is { } t && Field(t, name) is { } entry ? entry.GetProperty("Address").GetString() : null;

    private static JsonElement? Field(JsonElement element, string name) =>
        element.TryGetProperty(name, out JsonElement value) ? value : null;

    private sealed record Registered(string Name, string Kind, string? Destination, bool IsNative, DnsInstance Instance)
    {
        public bool IsSeenAs(string service, DnsView view) => view switch
        {
            DnsView.Service => Name.Equals(service, StringComparison.OrdinalIgnoreCase),
            DnsView.Connect => service.Equals(
                IsNative ? Name : Kind == "connect-proxy" ? Destination : null, StringComparison.OrdinalIgnoreCase),
            _ => false,
        };
    }
}
