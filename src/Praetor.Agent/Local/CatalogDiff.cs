using Praetor.Agent.Http;
using Praetor.Agent.Http.Json;
using Praetor.Server.Catalog;
using Praetor.Server.Model;

namespace Praetor.Agent.Local;

/// <summary>Says what must change in the catalog for it to show what this agent has. Pure: no clock, no I/O.</summary>
internal sealed class CatalogDiff(NodeIdentity node)
{
    private NodeRecord _record = node.Record();
    private IReadOnlyDictionary<string, string> _meta = node.Meta;

    // Kept, as it goes along with every service; a reload may change the metadata.
    private NodeRecord Node
    {
        get
        {
            if (!ReferenceEquals(_meta, node.Meta))
            {
                _meta = node.Meta;
                _record = node.Record();
            }

            return _record;
        }
    }

    /// <summary>The changes for some services and checks, whatever the catalog holds for them.</summary>
    public CatalogChanges Of(LocalSnapshot local, IEnumerable<string> services, IEnumerable<string> checks)
    {
        var removals = new List<CatalogRemoval>();
        var registrations = new List<Registration>();
        var covered = new HashSet<string>(StringComparer.Ordinal);
        foreach (var id in services)
        {
            if (local.Services.TryGetValue(id, out var service))
            {
                // Checks carry their service's name and tags, so they go with it.
                registrations.Add(Put(service.Record, [.. local.ChecksOf(id).Select(static c => c.Record)]));
                covered.UnionWith(local.ChecksOf(id).Select(static c => c.Record.Id));
            }
            else
            {
                removals.Add(new CatalogRemoval(id, ""));
            }
        }

        var loose = new List<CheckRecord>();
        foreach (var id in checks.Where(id => !covered.Contains(id)))
        {
            if (local.Checks.TryGetValue(id, out var check))
            {
                loose.Add(check.Record);
            }
            else
            {
                removals.Add(new CatalogRemoval("", id));
            }
        }

        // One registration a check: one that is refused must not hold back the others.
        registrations.AddRange(loose.Select(check => Put(null, [check])));
        return new CatalogChanges(node.Name, removals, registrations);
    }

    /// <summary>All changes between what the catalog holds and what this agent has.</summary>
    /// <param name="ignoresOutput">Whether checks that differ in nothing but their output are left as they are.</param>
    public CatalogChanges Of(LocalSnapshot local, NodeContents catalog, bool ignoresOutput)
    {
        var there = catalog.Services.ToDictionary(static s => s.Id, StringComparer.Ordinal);
        var checksThere = catalog.Checks.ToDictionary(static c => c.Id, StringComparer.Ordinal);
        var services = local.Services
            .Where(own => !there.TryGetValue(own.Key, out var theirs) || !Same(own.Value.Record, theirs))
            .Select(static own => own.Key)
            .Concat(there.Keys.Where(id =>
                !local.Services.ContainsKey(id) && id.Length > 0 && id != NodeIdentity.ServerServiceId));
        var checks = local.Checks
            .Where(own => !checksThere.TryGetValue(own.Key, out var theirs)
                || !Same(own.Value.Record, theirs, ignoresOutput))
            .Select(static own => own.Key)
            .Concat(checksThere.Keys.Where(id =>
                !local.Checks.ContainsKey(id) && id.Length > 0 && id != NodeIdentity.AliveCheckId));
        var changes = Of(local, services, checks);
        return changes with { Registrations = [.. Self(local, catalog), .. changes.Registrations] };
    }

    /// <summary>Services whose tags were changed in the catalog by somebody who may.</summary>
    public static IEnumerable<(LocalService Own, ServiceRecord Theirs)> Overridden(
        LocalSnapshot local, NodeContents catalog)
    {
        foreach (var theirs in catalog.Services)
        {
            if (local.Services.TryGetValue(theirs.Id, out var own)
                && own.Record.EnableTagOverride
                && !(own.Record.Tags ?? []).SequenceEqual(theirs.Tags ?? [], StringComparer.Ordinal))
            {
                yield return (own, theirs);
            }
        }
    }

    private static bool Same(ServiceRecord own, ServiceRecord theirs) => ReferenceEquals(own, theirs)
        || Bytes(own).AsSpan().SequenceEqual(Bytes(theirs));

    private static bool Same(CheckRecord own, CheckRecord theirs, bool ignoresOutput) =>
        own.Status == theirs.Status
        && (ignoresOutput || own.Output == theirs.Output)
        && Bytes(own).AsSpan().SequenceEqual(Bytes(theirs));

    private static byte[] Bytes(ServiceRecord record) => Reply.Bytes(false, json =>
        CatalogJson.WriteNodeService(json, record with { CreateIndex = 0, ModifyIndex = 0 }));

    private static byte[] Bytes(CheckRecord record) => Reply.Bytes(false, json =>
        CatalogJson.WriteCheck(json, record with { CreateIndex = 0, ModifyIndex = 0, Output = "" }));

    private static byte[] Bytes(NodeRecord record) => Reply.Bytes(false, json =>
        CatalogJson.WriteNode(json, record with { CreateIndex = 0, ModifyIndex = 0 }));

    // A server answers for its own row; somebody who registered a service or check by these names wins.
    private IEnumerable<Registration> Self(LocalSnapshot local, NodeContents catalog)
    {
        if (!node.IsServer)
        {
            if (catalog.Node is null || !Bytes(catalog.Node).AsSpan().SequenceEqual(Bytes(Node)))
            {
                yield return new Registration { Node = Node };
            }

            yield break;
        }

        var self = node.ServerRegistration();
        var wanted = self with
        {
            Service = local.Services.ContainsKey(NodeIdentity.ServerServiceId) ? null : self.Service,
            Checks = local.Checks.ContainsKey(NodeIdentity.AliveCheckId) ? [] : self.Checks,
        };
        var isThere = catalog.Node is { } there && Bytes(there).AsSpan().SequenceEqual(Bytes(Node))
            && (wanted.Service is null || catalog.Services.Any(s => s.Id == self.Service!.Id && Same(s, self.Service)))
            && wanted.Checks.All(own => catalog.Checks.Any(c => c.Id == own.Id && Same(own, c, ignoresOutput: false)));
        if (!isThere)
        {
            yield return wanted;
        }
    }

    private Registration Put(ServiceRecord? service, IReadOnlyList<CheckRecord> checks) => new()
    {
        Node = Node, SkipNodeUpdate = true, Service = service, Checks = checks,
    };
}
