using Praetor.Server.Model;
using Praetor.Server.State;

namespace Praetor.Server.Catalog;

/// <summary>An instance of a service with its node and all checks that speak for it.</summary>
/// <param name="Node">The node it runs on.</param>
/// <param name="Service">The instance.</param>
/// <param name="Checks">The node's own checks and those of the instance.</param>
public sealed record Instance(NodeRecord Node, ServiceRecord Service, IReadOnlyList<CheckRecord> Checks)
{
    /// <summary>The worst of its checks.</summary>
    public string Health
    {
        get
        {
            var worst = CheckStatuses.Passing;
            foreach (var check in Checks)
            {
                if (check.Status == CheckStatuses.Critical)
                {
                    return CheckStatuses.Critical;
                }

                if (check.Status == CheckStatuses.Warning)
                {
                    worst = CheckStatuses.Warning;
                }
            }

            return worst;
        }
    }
}

/// <summary>Reads of the catalog.</summary>
public static class CatalogQueries
{
    /// <summary>All nodes by name.</summary>
    public static IEnumerable<NodeRecord> Nodes(ReadView view) => view.Scan(Tables.NodesByName, []);

    /// <summary>One node, or null.</summary>
    public static NodeRecord? Node(ReadView view, string name) => view.Get(Tables.NodesByName, KeyBytes.Folded(name));

    /// <summary>The node with an id, or null; not noted.</summary>
    public static NodeRecord? NodeById(ReadView view, string id) => view.Peek(Tables.NodesById, KeyBytes.Folded(id));

    /// <summary>The nodes with an address, by name; not noted.</summary>
    public static IEnumerable<NodeRecord> NodesAt(ReadView view, string address) =>
        view.PeekScan(Tables.NodesByAddress, KeyBytes.Folded(address));

    /// <summary>The instances with an address of their own; not noted.</summary>
    public static IEnumerable<ServiceRecord> ServicesAt(ReadView view, string address) =>
        view.PeekScan(Tables.ServicesByAddress, KeyBytes.Folded(address));

    /// <summary>All instances of all services, by service.</summary>
    public static IEnumerable<ServiceRecord> Services(ReadView view) => view.Scan(Tables.ServicesByName, []);

    /// <summary>The instances on a node.</summary>
    public static IEnumerable<ServiceRecord> ServicesOn(ReadView view, string node) =>
        view.Scan(Tables.ServicesByNode, KeyBytes.Folded(node));

    /// <summary>One instance, or null.</summary>
    public static ServiceRecord? Service(ReadView view, string node, string id) =>
        view.Get(Tables.ServicesByNode, KeyBytes.Folded(node, id));

    /// <summary>The checks on a node.</summary>
    public static IEnumerable<CheckRecord> ChecksOn(ReadView view, string node) =>
        view.Scan(Tables.ChecksByNode, KeyBytes.Folded(node));

    /// <summary>The checks of a service's instances.</summary>
    public static IEnumerable<CheckRecord> ChecksOfService(ReadView view, string service) =>
        view.Scan(Tables.ChecksByService, KeyBytes.Folded(service));

    /// <summary>The checks with a status; "any": all.</summary>
    public static IEnumerable<CheckRecord> ChecksIn(ReadView view, string status) => status == "any"
        ? view.Scan(Tables.ChecksByNode, [])
        : view.Scan(Tables.ChecksByStatus, KeyBytes.Folded(status));

    /// <summary>The instances of a service, with nodes and checks; one note covers all of it.</summary>
    /// <param name="view">What to read.</param>
    /// <param name="service">The service.</param>
    /// <param name="connect">Whether those are meant that mesh connections to the service reach.</param>
    public static IEnumerable<Instance> Instances(ReadView view, string service, bool connect)
    {
        view.NoteKey(
            Tables.TouchByName, connect ? ServiceTouches.ByConnect(service) : ServiceTouches.ByName(service));
        return PeekInstances(view, service, connect);
    }

    private static IEnumerable<Instance> PeekInstances(ReadView view, string service, bool connect)
    {
        var index = connect ? Tables.ServicesByConnect : Tables.ServicesByName;
        foreach (var record in view.PeekScan(index, KeyBytes.Folded(service)))
        {
            if (view.Peek(Tables.NodesByName, KeyBytes.Folded(record.Node)) is { } node)
            {
                yield return new Instance(node, record, ChecksFor(view, record));
            }
        }
    }

    /// <summary>When anything about a service's health last changed.</summary>
    public static ulong VersionOf(StateSnapshot snapshot, string service, bool connect) => snapshot.LastIndexOf(
        new WatchKey(
            Tables.TouchByName.Slot,
            connect ? ServiceTouches.ByConnect(service) : ServiceTouches.ByName(service),
            IsPrefix: false));

    /// <summary>The node's own checks and then those of one instance; not noted.</summary>
    public static IReadOnlyList<CheckRecord> ChecksFor(ReadView view, ServiceRecord service)
    {
        var checks = new List<CheckRecord>(view.PeekScan(Tables.ChecksByService, KeyBytes.Folded("", service.Node)));
        checks.AddRange(ChecksOf(view, service));
        return checks;
    }

    internal static IEnumerable<CheckRecord> ChecksOf(ReadView view, ServiceRecord service) =>
        view.PeekScan(Tables.ChecksByService, KeyBytes.Folded(service.Name, service.Node))
            .Where(c => string.Equals(c.ServiceId, service.Id, StringComparison.OrdinalIgnoreCase));
}
