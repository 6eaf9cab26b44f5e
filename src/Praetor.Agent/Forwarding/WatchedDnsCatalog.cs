using System.Collections.Concurrent;
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

    /// <summary>The token that DNS reads with.</summary>
    public Func<string> Token { get; init; } = static () => "";

    /// <summary>How old an answer may be when no server can be asked (<c>dns_config.max_stale</c>).</summary>
    public TimeSpan StaleMax { get; init; } = TimeSpan.MaxValue;
}

/// <summary>The catalogs of servers, as DNS asks for them: from the answers that are kept, else by asking.</summary>
/// <remarks>All look-ups answer at once. What is not kept is noted, fetched off the listener's thread, and then it is
/// there.</remarks>
internal sealed class WatchedDnsCatalog : IDnsCatalog
{
    private const string ServerService = "consul";
    private const ulong HashFactor = 0x9E3779B97F4A7C15;

    private readonly WatchCache _cache;
    private readonly WatchedDnsOptions _options;
    private readonly DnsMissing? _missing;

    // The datacenters that answered; only those that exist do.
    private readonly ConcurrentDictionary<string, bool> _places;

    public WatchedDnsCatalog(WatchCache cache, WatchedDnsOptions options)
        : this(cache, options, new ConcurrentDictionary<string, bool>(StringComparer.Ordinal), null)
    {
    }

    private WatchedDnsCatalog(
        WatchCache cache, WatchedDnsOptions options, ConcurrentDictionary<string, bool> places, DnsMissing? missing)
    {
        (_cache, _options, _places, _missing) = (cache, options, places, missing);
        _places.TryAdd(options.Datacenter, true);
    }

    public ulong Version => _cache.Version;

    public bool CanMiss => true;

    /// <summary>Whether a datacenter has ever answered.</summary>
    public bool Knows(string datacenter) => _places.ContainsKey(Folded(datacenter));

    // The version of one name covers it in all datacenters, for a plan says no more than the name.
    public ulong VersionOf(string service)
    {
        ulong hash = 0;
        foreach (var (datacenter, _) in _places)
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
        [.. Instances(ServerService, DnsView.Service, _options.Datacenter)
            .Where(static i => i.Health != DnsHealth.Critical).Select(static i => i.Node)];

    public IDnsCatalog Noting(DnsMissing missing) => new WatchedDnsCatalog(_cache, _options, _places, missing);

    public async ValueTask<bool> FetchAsync(DnsMissing missing, CancellationToken stop)
    {
        var lookups = missing.Lookups.ToList();
        missing.Lookups.Clear();
        var outcomes = await Task.WhenAll(lookups.Select(async lookup =>
            (Lookup: lookup, Outcome: await _cache.GetAsync(KeyOf(lookup), stop))));
        var isKnown = true;
        foreach (var (lookup, outcome) in outcomes)
        {
            if (outcome.Refusal is { } refusal && refusal.Text.StartsWith(Forwarder.NoPath, StringComparison.Ordinal))
            {
                missing.Absent.Add(lookup);
                continue;
            }

            isKnown &= outcome.Reply is not null && outcome.Age <= _options.StaleMax;
            if (outcome.Reply is not null)
            {
                _places.TryAdd(lookup.Place, true);
            }
        }

        return isKnown;
    }

    private static NodeContents ContentsOf(byte[] body) => RpcJson.Read(body, RpcJson.Default.NodeContents);

    // Names are found whatever their case, and one is to be kept once.
    private static string Folded(string name) => name.ToLowerInvariant();

    private AtAddress? At(IPAddress address) => Find(RpcRoutes.DnsAddress(address), _options.Datacenter, static body =>
        RpcJson.Read(body, RpcJson.Default.AtAddress));

    private T? Find<T>(string target, string datacenter, Func<byte[], T> decode)
        where T : class
    {
        var lookup = Lookup(target, datacenter);
        var key = KeyOf(lookup);
        if (_cache.Peek(key) is { } kept && _cache.AgeOf(key) <= _options.StaleMax)
        {
            return kept.As(decode);
        }

        if (_missing?.Absent.Contains(lookup) == false)
        {
            _missing.Lookups.Add(lookup);
        }

        return null;
    }

    private ulong VersionOf(string target, string datacenter) => _cache.VersionOf(KeyOf(Lookup(target, datacenter)));

    private DnsLookup Lookup(string target, string datacenter)
    {
        var place = datacenter.Length == 0 ? _options.Datacenter : Folded(datacenter);
        return !_options.IsClient || place == _options.Datacenter
            ? new DnsLookup(place, place, target)
            : new DnsLookup(place, _options.Datacenter, $"{target}?dc={Uri.EscapeDataString(place)}");
    }

    private WatchKey KeyOf(DnsLookup lookup) => new(lookup.Asked, lookup.Target, _options.Token());
}

/// <summary>A server's own catalog, and those of other datacenters.</summary>
internal sealed class FederatedDnsCatalog(
    IDnsCatalog here, WatchedDnsCatalog elsewhere, string datacenter, Func<string, bool> isKnown,
    Func<bool> hasState) : IDnsCatalog
{
    public ulong Version => here.Version + elsewhere.Version;

    public bool CanMiss => true;

    public ulong VersionOf(string service) => here.VersionOf(service) + elsewhere.VersionOf(service);

    public IReadOnlyList<DnsInstance> Instances(string service, DnsView view, string datacenter) =>
        IsAnsweredHere(datacenter)
            ? here.Instances(service, view, datacenter)
            : elsewhere.Instances(service, view, datacenter);

    public DnsNode? Node(string name, string datacenter) => IsAnsweredHere(datacenter)
        ? here.Node(name, datacenter) : elsewhere.Node(name, datacenter);

    public DnsNode? NodeAt(IPAddress address) => here.NodeAt(address);

    public string? ServiceAt(IPAddress address) => here.ServiceAt(address);

    public IReadOnlyList<DnsNode> Servers() => here.Servers();

    public IDnsCatalog Noting(DnsMissing missing) => new FederatedDnsCatalog(
        here, (WatchedDnsCatalog)elsewhere.Noting(missing), datacenter, isKnown, hasState);

    public ValueTask<bool> FetchAsync(DnsMissing missing, CancellationToken stop) =>
        elsewhere.FetchAsync(missing, stop);

    // A server that has no state yet asks for it, as a client does.
    private bool IsAnsweredHere(string asked) => IsHere(asked) ? hasState() : !IsKnown(asked);

    private bool IsHere(string asked) =>
        asked.Length == 0 || string.Equals(asked, datacenter, StringComparison.OrdinalIgnoreCase);

    // One whose servers are all lost is known by what it said.
    private bool IsKnown(string asked) => isKnown(asked) || elsewhere.Knows(asked);
}
