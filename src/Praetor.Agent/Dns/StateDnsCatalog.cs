using System.Net;
using Praetor.Server.Catalog;
using Praetor.Server.Model;
using Praetor.Server.State;

namespace Praetor.Agent.Dns;

/// <summary>The catalog of this server's state, as DNS asks for it.</summary>
public sealed class StateDnsCatalog(StateStore store, string datacenter) : IDnsCatalog
{
    private const string ServerService = "consul";

    public ulong Version => store.Current.Index;

    // An instance reached by its own name or through the mesh: the newer of both covers either question.
    public ulong VersionOf(string service)
    {
        var now = store.Current;
        return Math.Max(
            CatalogQueries.VersionOf(now, service, connect: false),
            CatalogQueries.VersionOf(now, service, connect: true));
    }

    public IReadOnlyList<DnsInstance> Instances(string service, DnsView view, string datacenter) =>
        view == DnsView.Ingress || !IsHere(datacenter)
            ? []
            : Instances(View(), service, view == DnsView.Connect);

    public DnsNode? Node(string name, string datacenter) =>
        IsHere(datacenter) && CatalogQueries.Node(View(), name) is { } node ? Shape(node) : null;

    public DnsNode? NodeAt(IPAddress address) => NodeAt(View(), address.ToString());

    public string? ServiceAt(IPAddress address) => ServiceAt(View(), address.ToString());

    public IReadOnlyList<DnsNode> Servers() => CatalogQueries.Instances(View(), ServerService, connect: false)
        .Where(static i => i.Health != CheckStatuses.Critical)
        .Select(static i => Shape(i.Node))
        .ToList();

    internal static IReadOnlyList<DnsInstance> Instances(ReadView view, string service, bool connect) =>
        CatalogQueries.Instances(view, service, connect).Select(Shape).ToList();

    internal static DnsNode? NodeAt(ReadView view, string address) =>
        CatalogQueries.NodesAt(view, address).FirstOrDefault() is { } node ? Shape(node) : null;

    internal static string? ServiceAt(ReadView view, string address) =>
        CatalogQueries.ServicesAt(view, address).FirstOrDefault()?.Name;

    internal static DnsNode Shape(NodeRecord node) => new(node.Name, node.Address)
    {
        Meta = node.Meta ?? new Dictionary<string, string>(StringComparer.Ordinal),
        LanIPv4 = node.TaggedAddresses?.GetValueOrDefault("lan_ipv4"),
        LanIPv6 = node.TaggedAddresses?.GetValueOrDefault("lan_ipv6"),
        Wan = WanOf(tag => node.TaggedAddresses?.GetValueOrDefault(tag), port: 0),
    };

    private static DnsWan? WanOf(Func<string, string?> find, int port)
    {
        var (any, v4, v6) = (find("wan"), find("wan_ipv4"), find("wan_ipv6"));
        return any is null && v4 is null && v6 is null ? null : new DnsWan(any ?? "", v4, v6, port);
    }

    private static DnsInstance Shape(Instance instance)
    {
        var service = instance.Service;
        return new DnsInstance(Shape(instance.Node), service.Address, service.Port)
        {
            Tags = service.Tags ?? [],
            Health = instance.Health switch
            {
                CheckStatuses.Passing => DnsHealth.Passing,
                CheckStatuses.Warning => DnsHealth.Warning,
                _ => DnsHealth.Critical,
            },
            PassingWeight = service.Weights.Passing,
            WarningWeight = service.Weights.Warning,
            LanIPv4 = service.TaggedAddresses?.GetValueOrDefault("lan_ipv4")?.Address,
            LanIPv6 = service.TaggedAddresses?.GetValueOrDefault("lan_ipv6")?.Address,
            Wan = WanOf(
                tag => service.TaggedAddresses?.GetValueOrDefault(tag)?.Address,
                service.TaggedAddresses?.GetValueOrDefault("wan")?.Port ?? 0),
        };
    }

    private ReadView View() => new(store.Current, tracks: false);

    private bool IsHere(string asked) =>
        asked.Length == 0 || string.Equals(asked, datacenter, StringComparison.OrdinalIgnoreCase);
}
