using System.Net;
using Praetor.Agent.Dns;
using Praetor.Agent.Local;

namespace Praetor.Agent.Forwarding;

/// <summary>How the catalogs of servers are asked for DNS.</summary>
internal sealed record WatchedDnsOptions
{
    /// <summary>This agent's datacenter.</summary>
    public required string Datacenter { get; init; }

    /// <summary>Whether servers of the own datacenter are asked about all others; else those of each are.</summary>
    public required bool IsClient { get; init; }

    /// <summary>The datacenters that are known besides.</summary>
    public required Func<IReadOnlyList<string>> Datacenters { get; init; }

    /// <summary>The token that DNS reads with.</summary>
    public Func<string> Token { get; init; } = static () => "";

    /// <summary>How old an answer may be when no server can be asked (<c>dns_config.max_stale</c>).</summary>
    public TimeSpan StaleMax { get; init; } = TimeSpan.MaxValue;
}

/// <summary>The catalogs of servers, as DNS asks for them: from the answers that are kept, else by asking.</summary>
/// <remarks>All look-ups answer at once. What is not kept is noted, fetched off the listener's thread, and then it is
/// there.</remarks>
internal sealed class WatchedDnsCatalog(
    WatchCache cache, WatchedDnsOptions options, DnsMissing? missing = null) : IDnsCatalog
{
    private const string ServerService = "consul";
    private const ulong HashFactor = 0x9E3779B97F4A7C15;

    public ulong Version => cache.Version;

    public bool CanMiss => true;

    // The version of one name covers it in all datacenters, for a plan says no more than the name.
    public ulong VersionOf(string service)
    {
        ulong hash = 0;
        foreach (var datacenter in options.Datacenters())
        {
            hash = (hash * HashFactor) + VersionOf(RpcRoutes.DnsService(service, connect: false), datacenter);
            hash = (hash * HashFactor) + VersionOf(RpcRoutes.DnsService(service, connect: true), datacenter);
        }

        return hash;
    }

    public IReadOnlyList<DnsInstance> Instances(string service, DnsView view, string datacenter) =>
        view == DnsView.Ingress ? []
            : Find(RpcRoutes.DnsService(Folded(service), view == DnsView.Connect), datacenter, static body =>
                RpcJson.Read(body, RpcJson.Default.IReadOnlyListDnsInstance)) ?? [];

    public DnsNode? Node(string name, string datacenter) =>
        Find(RpcRoutes.DnsNode(Folded(name)), datacenter, ContentsOf)?.Node is { } node
            ? StateDnsCatalog.Shape(node) : null;

    public DnsNode? NodeAt(IPAddress address) => At(address)?.Node;

    public string? ServiceAt(IPAddress address) => At(address)?.Service;

    public IReadOnlyList<DnsNode> Servers() =>
        [.. Instances(ServerService, DnsView.Service, options.Datacenter)
            .Where(static i => i.Health != DnsHealth.Critical).Select(static i => i.Node)];

    public IDnsCatalog Noting(DnsMissing into) => new WatchedDnsCatalog(cache, options, into);

    public async ValueTask<bool> FetchAsync(DnsMissing wanted, CancellationToken stop)
    {
        var lookups = wanted.Lookups.ToList();
        wanted.Lookups.Clear();
        var outcomes = await Task.WhenAll(lookups.Select(async lookup =>
            (Lookup: lookup, Outcome: await cache.GetAsync(KeyOf(lookup), stop))));
        var isKnown = true;
        foreach (var (lookup, outcome) in outcomes)
        {
            if (outcome.Refusal is { } refusal && refusal.Text.StartsWith(Forwarder.NoPath, StringComparison.Ordinal))
            {
                wanted.Absent.Add(lookup);
            }
            else
            {
                isKnown &= outcome.Reply is not null && outcome.Age <= options.StaleMax;
            }
        }

        return isKnown;
    }

    private static NodeContents ContentsOf(byte[] body) => RpcJson.Read(body, RpcJson.Default.NodeContents);

    // Names are found whatever their case, and one is to be kept once.
    private static string Folded(string name) => name.ToLowerInvariant();

    private AtAddress? At(IPAddress address) => Find(RpcRoutes.DnsAddress(address), options.Datacenter, static body =>
        RpcJson.Read(body, RpcJson.Default.AtAddress));

    private T? Find<T>(string target, string datacenter, Func<byte[], T> decode)
        where T : class
    {
        var lookup = Lookup(target, datacenter);
        var key = KeyOf(lookup);
        if (cache.Peek(key) is { } kept && cache.AgeOf(key) <= options.StaleMax)
        {
            return kept.As(decode);
        }

        if (missing?.Absent.Contains(lookup) == false)
        {
            missing.Lookups.Add(lookup);
        }

        return null;
    }

    private ulong VersionOf(string target, string datacenter) => cache.VersionOf(KeyOf(Lookup(target, datacenter)));

    private DnsLookup Lookup(string target, string datacenter)
    {
        var place = datacenter.Length == 0 ? options.Datacenter : Folded(datacenter);
        return !options.IsClient || place == options.Datacenter
            ? new DnsLookup(place, target)
            : new DnsLookup(options.Datacenter, $"{target}?dc={Uri.EscapeDataString(place)}");
    }

    private WatchKey KeyOf(DnsLookup lookup) => new(lookup.Datacenter, lookup.Target, options.Token());
}

/// <summary>A server's own catalog, and those of other datacenters.</summary>
internal sealed class FederatedDnsCatalog(
    IDnsCatalog here, WatchedDnsCatalog elsewhere, string datacenter, Func<string, bool> isKnown) : IDnsCatalog
{
    public ulong Version => here.Version + elsewhere.Version;

    public bool CanMiss => true;

    public ulong VersionOf(string service) => here.VersionOf(service) + elsewhere.VersionOf(service);

    public IReadOnlyList<DnsInstance> Instances(string service, DnsView view, string datacenter) =>
        IsHere(datacenter) || !isKnown(datacenter)
            ? here.Instances(service, view, datacenter)
            : elsewhere.Instances(service, view, datacenter);

    public DnsNode? Node(string name, string datacenter) => IsHere(datacenter) || !isKnown(datacenter)
        ? here.Node(name, datacenter) : elsewhere.Node(name, datacenter);

    public DnsNode? NodeAt(IPAddress address) => here.NodeAt(address);

    public string? ServiceAt(IPAddress address) => here.ServiceAt(address);

    public IReadOnlyList<DnsNode> Servers() => here.Servers();

    public IDnsCatalog Noting(DnsMissing missing) => new FederatedDnsCatalog(
        here, (WatchedDnsCatalog)elsewhere.Noting(missing), datacenter, isKnown);

    public ValueTask<bool> FetchAsync(DnsMissing missing, CancellationToken stop) =>
        elsewhere.FetchAsync(missing, stop);

    private bool IsHere(string asked) =>
        asked.Length == 0 || string.Equals(asked, datacenter, StringComparison.OrdinalIgnoreCase);
}
