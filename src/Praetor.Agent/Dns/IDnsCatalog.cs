using System.Net;

namespace Praetor.Agent.Dns;

/// <summary>
/// What the DNS server needs to know of the catalog. All lookups answer at once, from memory, from any thread, and
/// return only what the DNS token may read: what is hidden is absent. Names are matched ignoring case.
/// </summary>
public interface IDnsCatalog
{
    /// <summary>Grows with every change that any answer could show (nodes, services, checks, the DNS token).</summary>
    ulong Version { get; }

    /// <summary>Changes whenever an answer about this service could: its instances, their checks and nodes, the
    /// DNS token. May change more often than that (returning <see cref="Version"/> is correct, but slower).</summary>
    ulong VersionOf(string service);

    /// <summary>All instances in every state of health; empty when the service or the datacenter is unknown.</summary>
    IReadOnlyList<DnsInstance> Instances(string service, DnsView view, string datacenter);

    /// <summary>A node; null when it or the datacenter is unknown.</summary>
    DnsNode? Node(string name, string datacenter);

    /// <summary>The first node, by name, with this address; null when there is none.</summary>
    DnsNode? NodeAt(IPAddress address);

    /// <summary>The name of the first service, by id, with this service address; null when there is none.</summary>
    string? ServiceAt(IPAddress address);

    /// <summary>The datacenter's healthy servers, for NS.</summary>
    IReadOnlyList<DnsNode> Servers();

    /// <summary>Whether something may have to be fetched before it can be answered. Default: never.</summary>
    bool CanMiss => false;

    /// <summary>The catalog for one answer; what it does not have at hand is shown as absent, and noted.</summary>
    IDnsCatalog Noting(DnsMissing missing) => this;

    /// <summary>Fetches what was noted; false: nobody can say, and what is absent may be there.</summary>
    ValueTask<bool> FetchAsync(DnsMissing missing, CancellationToken stop) => ValueTask.FromResult(true);
}

/// <summary>A question to another agent's catalog.</summary>
/// <param name="Place">The datacenter whose catalog it is about.</param>
/// <param name="Asked">The datacenter whose servers are asked.</param>
/// <param name="Target">The question.</param>
public sealed record DnsLookup(string Place, string Asked, string Target);

/// <summary>What one answer needs and was not at hand.</summary>
public sealed class DnsMissing
{
    /// <summary>What is to be fetched.</summary>
    public HashSet<DnsLookup> Lookups { get; } = [];

    /// <summary>What was asked for and is not anywhere, such as services of an unknown datacenter.</summary>
    public HashSet<DnsLookup> Absent { get; } = [];
}

/// <summary>Which endpoints of a service are asked for.</summary>
public enum DnsView
{
    /// <summary>The service's own instances (<c>NAME.service</c>).</summary>
    Service = 0,

    /// <summary>Its mesh-capable endpoints: sidecars of it and native instances (<c>NAME.connect</c>).</summary>
    Connect = 1,

    /// <summary>The ingress gateways that expose it (<c>NAME.ingress</c>).</summary>
    Ingress = 2,
}

/// <summary>The worst of an instance's own checks and its node's.</summary>
public enum DnsHealth
{
    Passing = 0,
    Warning = 1,
    Critical = 2,
}

/// <summary>Under which addresses other datacenters reach a node or an instance.</summary>
/// <param name="Address">The tagged address <c>wan</c>. Empty: not set.</param>
/// <param name="IPv4">The tagged address <c>wan_ipv4</c>; null when not set.</param>
/// <param name="IPv6">The tagged address <c>wan_ipv6</c>; null when not set.</param>
/// <param name="Port">Of an instance. 0: the usual one.</param>
public sealed record DnsWan(string Address, string? IPv4, string? IPv6, int Port);

/// <summary>A node as DNS shows it.</summary>
/// <param name="Name">As registered; the case is kept in answers.</param>
/// <param name="Address">An IP address, or a host name (then answers are a CNAME).</param>
public sealed record DnsNode(string Name, string Address)
{
    /// <summary>Sent as TXT records.</summary>
    public IReadOnlyDictionary<string, string> Meta { get; init; } = new Dictionary<string, string>();

    /// <summary>The tagged address <c>lan_ipv4</c>; null when not set.</summary>
    public string? LanIPv4 { get; init; }

    /// <summary>The tagged address <c>lan_ipv6</c>; null when not set.</summary>
    public string? LanIPv6 { get; init; }

    /// <summary>For other datacenters; null: as in its own.</summary>
    public DnsWan? Wan { get; init; }
}

/// <summary>An instance as DNS shows it.</summary>
/// <param name="Address">The service address; empty means the node's.</param>
public sealed record DnsInstance(DnsNode Node, string Address, int Port)
{
    public IReadOnlyList<string> Tags { get; init; } = [];

    public DnsHealth Health { get; init; }

    /// <summary>SRV weight while passing. Default 1.</summary>
    public int PassingWeight { get; init; } = 1;

    /// <summary>SRV weight while warning. Default 1.</summary>
    public int WarningWeight { get; init; } = 1;

    /// <summary>The service's tagged address <c>lan_ipv4</c>; null when not set.</summary>
    public string? LanIPv4 { get; init; }

    /// <summary>The service's tagged address <c>lan_ipv6</c>; null when not set.</summary>
    public string? LanIPv6 { get; init; }

    /// <summary>For other datacenters; null: as in its own.</summary>
    public DnsWan? Wan { get; init; }
}
