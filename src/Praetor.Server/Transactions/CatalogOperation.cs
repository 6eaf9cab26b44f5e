using Praetor.Server.Catalog;
using Praetor.Server.Model;
using Praetor.Server.State;

namespace Praetor.Server.Transactions;

/// <summary>A step over something of the catalog.</summary>
/// <param name="Verb">What to do.</param>
/// <param name="Index">For verbs with a condition: the modify index that it must have.</param>
public abstract record CatalogOperation(string Verb, ulong Index) : Operation(Verb)
{
    /// <inheritdoc/>
    public override bool IsRead => Verb == "get";

    /// <summary>The kind's name, as errors have it.</summary>
    private protected abstract string Kind { get; }

    /// <summary>The thing, as errors have it.</summary>
    private protected abstract string Thing { get; }

    private protected bool Deletes => Verb is "delete" or "delete-cas";

    internal override string? Problem(ReadView view) => IsRead || Deletes ? null : Wrong;

    internal override string? Read(ReadView view, List<OperationResult> results)
    {
        if (Find(view) is not { } found)
        {
            return $"{Thing} doesn't exist";
        }

        results.Add(new OperationResult(found, ShowsValue: true));
        return null;
    }

    internal override string? Write(WriteTransaction tx, List<OperationResult> results)
    {
        var old = Find(tx);
        switch (Verb)
        {
            case "cas" when (old?.ModifyIndex ?? 0) != Index:
                return $"failed to set {Thing}, index is stale";
            case "set" or "cas":
                return Put(tx) ?? Read(tx, results);
            case "delete-cas" when old is null || old.ModifyIndex != Index:
                return $"failed to delete {Thing}, index is stale";
            case "delete" or "delete-cas":
                Delete(tx);
                return null;
            default:
                return $"unknown {Kind} verb \"{Verb}\"";
        }
    }

    private protected abstract StoredRecord? Find(ReadView view);

    private protected abstract string? Put(WriteTransaction tx);

    private protected abstract void Delete(WriteTransaction tx);
}

/// <summary>A step over a node.</summary>
public sealed record NodeOperation(string Verb, NodeRecord Node, ulong Index) : CatalogOperation(Verb, Index)
{
    private protected override string Kind => "Node";

    private protected override string Thing => $"node \"{Node.Name}\"";

    internal override string? Problem(ReadView view) =>
        IsRead ? null : Node.Name.Length == 0 ? "Must provide node" : Wrong;

    private protected override StoredRecord? Find(ReadView view) => IsRead && Node.Id.Length > 0
        ? view.Peek(Tables.NodesById, KeyBytes.Folded(Node.Id))
        : view.Peek(Tables.NodesByName, KeyBytes.Folded(Node.Name));

    private protected override string? Put(WriteTransaction tx) =>
        CatalogWrites.PutNode(tx, Node, skipUpdate: false)?.Text;

    private protected override void Delete(WriteTransaction tx) => CatalogWrites.DeleteNode(tx, Node.Name);
}

/// <summary>A step over an instance of a service.</summary>
public sealed record ServiceOperation(string Verb, string Node, ServiceRecord Service, ulong Index)
    : CatalogOperation(Verb, Index)
{
    private protected override string Kind => "Service";

    private protected override string Thing => $"service \"{Service.Id}\" on node \"{Node}\"";

    private protected override StoredRecord? Find(ReadView view) =>
        view.Peek(Tables.ServicesByNode, KeyBytes.Folded(Node, Service.Id));

    private protected override string? Put(WriteTransaction tx) => CatalogWrites.PutService(tx, Node, Service);

    private protected override void Delete(WriteTransaction tx) => CatalogWrites.DeleteService(tx, Node, Service.Id);
}

/// <summary>A step over a check.</summary>
public sealed record CheckOperation(string Verb, CheckRecord Check, ulong Index) : CatalogOperation(Verb, Index)
{
    private protected override string Kind => "Check";

    private protected override string Thing => $"check \"{Check.Id}\" on node \"{Check.Node}\"";

    private protected override StoredRecord? Find(ReadView view) =>
        view.Peek(Tables.ChecksByNode, KeyBytes.Folded(Check.Node, Check.Id));

    private protected override string? Put(WriteTransaction tx) => CatalogWrites.PutCheck(tx, Check.Node, Check);

    private protected override void Delete(WriteTransaction tx) =>
        CatalogWrites.DeleteCheck(tx, Check.Node, Check.Id);
}
