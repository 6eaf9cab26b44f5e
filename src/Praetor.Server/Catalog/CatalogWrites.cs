using Praetor.Server.Model;
using Praetor.Server.Sessions;
using Praetor.Server.State;

namespace Praetor.Server.Catalog;

/// <summary>What single commands and transactions do to the catalog alike.</summary>
internal static class CatalogWrites
{
    /// <summary>Said of what is to stand on a node that is not there.</summary>
    public const string MissingNode = "Missing node registration";

    /// <summary>Said of a check for an instance that is not there.</summary>
    public const string MissingService = "Missing service registration";

    public static Refusal? PutNode(WriteTransaction tx, NodeRecord node, bool skipUpdate)
    {
        var old = tx.Peek(Tables.NodesByName, KeyBytes.Folded(node.Name));
        if (skipUpdate && old is not null)
        {
            return null;
        }

        if (node.Id.Length > 0 && TakeOver(tx, node, old) is { } refusal)
        {
            return refusal;
        }

        var merged = node.Id.Length == 0 && old is not null ? node with { Id = old.Id } : node;
        if (old is null || !RecordEquality.Same(old, merged))
        {
            tx.Put(Tables.Nodes, merged);
        }

        return null;
    }

    /// <returns>Why not. Null: it was put.</returns>
    public static string? PutService(WriteTransaction tx, string node, ServiceRecord service)
    {
        if (tx.Peek(Tables.NodesByName, KeyBytes.Folded(node)) is not { } known)
        {
            return MissingNode;
        }

        var record = service with { Node = known.Name };
        var old = tx.Peek(Tables.ServicesByNode, KeyBytes.Folded(node, service.Id));
        if (old is null || !RecordEquality.Same(old, record))
        {
            RefileChecks(tx, old, record);
            tx.Put(Tables.Services, record);
        }

        return null;
    }

    // Checks are found by their service's name: when an instance takes another name, they must follow.
    private static void RefileChecks(WriteTransaction tx, ServiceRecord? old, ServiceRecord record)
    {
        if (old is null || old.Name == record.Name)
        {
            return;
        }

        foreach (var check in CatalogQueries.ChecksOf(tx, old).ToList())
        {
            tx.Put(Tables.Checks, check with { ServiceName = record.Name, ServiceTags = record.Tags });
        }
    }

    /// <returns>Why not. Null: it was put.</returns>
    public static string? PutCheck(WriteTransaction tx, string node, CheckRecord check)
    {
        if (tx.Peek(Tables.NodesByName, KeyBytes.Folded(node)) is not { } known)
        {
            return MissingNode;
        }

        var record = check with { Node = known.Name };
        if (record.ServiceId.Length > 0)
        {
            if (tx.Peek(Tables.ServicesByNode, KeyBytes.Folded(node, check.ServiceId)) is not { } service)
            {
                return MissingService;
            }

            record = record with { ServiceId = service.Id, ServiceName = service.Name, ServiceTags = service.Tags };
        }

        var old = tx.Peek(Tables.ChecksByNode, KeyBytes.Folded(node, check.Id));
        if (old is null || !RecordEquality.Same(old, record))
        {
            tx.Put(Tables.Checks, record);
            if (record.Status == CheckStatuses.Critical)
            {
                SessionWrites.EndBy(tx, record);
            }
        }

        return null;
    }

    public static void DeleteNode(WriteTransaction tx, string name)
    {
        if (tx.Peek(Tables.NodesByName, KeyBytes.Folded(name)) is not { } node)
        {
            return;
        }

        SessionWrites.EndOn(tx, name);
        foreach (var service in tx.PeekScan(Tables.ServicesByNode, KeyBytes.Folded(name)).ToList())
        {
            DeleteService(tx, name, service.Id);
        }

        foreach (var check in tx.PeekScan(Tables.ChecksByNode, KeyBytes.Folded(name)).ToList())
        {
            tx.Delete(Tables.Checks, check);
        }

        foreach (var place in tx.PeekScan(Tables.CoordinatesByNode, KeyBytes.Folded(name)).ToList())
        {
            tx.Delete(Tables.Coordinates, place);
        }

        tx.Delete(Tables.Nodes, node);
    }

    public static void DeleteService(WriteTransaction tx, string node, string id)
    {
        if (tx.Peek(Tables.ServicesByNode, KeyBytes.Folded(node, id)) is not { } service)
        {
            return;
        }

        foreach (var check in CatalogQueries.ChecksOf(tx, service).ToList())
        {
            DeleteCheck(tx, check);
        }

        tx.Delete(Tables.Services, service);
    }

    public static void DeleteCheck(WriteTransaction tx, string node, string id)
    {
        if (tx.Peek(Tables.ChecksByNode, KeyBytes.Folded(node, id)) is { } check)
        {
            DeleteCheck(tx, check);
        }
    }

    public static void DeleteCheck(WriteTransaction tx, CheckRecord check)
    {
        tx.Delete(Tables.Checks, check);
        SessionWrites.EndBy(tx, check);
    }

    // A node id that comes back under another name is the same machine renamed: what stood under the old name goes.
    // A name that comes back with another id is a replaced machine, welcome unless the old one is known to be well.
    private static Refusal? TakeOver(WriteTransaction tx, NodeRecord node, NodeRecord? sameName)
    {
        if (sameName is not null && sameName.Id.Length > 0 && sameName.Id != node.Id && IsAlive(tx, sameName.Name))
        {
            return Refusal.Failed(
                $"failed inserting node: Error while renaming Node ID: \"{node.Id}\": Node name {node.Name} is "
                + $"reserved by node {sameName.Id} with name {sameName.Name} ({sameName.Address})");
        }

        var sameId = tx.Peek(Tables.NodesById, KeyBytes.Folded(node.Id));
        if (sameId is not null && !string.Equals(sameId.Name, node.Name, StringComparison.OrdinalIgnoreCase))
        {
            DeleteNode(tx, sameId.Name);
        }

        return null;
    }

    private static bool IsAlive(WriteTransaction tx, string node) =>
        tx.Peek(Tables.ChecksByNode, KeyBytes.Folded(node, "serfHealth")) is { Status: not CheckStatuses.Critical };
}
