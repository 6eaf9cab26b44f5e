using Praetor.Server.Model;
using Praetor.Server.State;

namespace Praetor.Server.Catalog;

/// <summary>What is to stand in the catalog: a node, and on it a service and checks.</summary>
public sealed record Registration
{
    /// <summary>The node. With <see cref="SkipNodeUpdate"/> only its name counts, when it is there already.</summary>
    public required NodeRecord Node { get; init; }

    /// <summary>Leave a node that is there as it is.</summary>
    public bool SkipNodeUpdate { get; init; }

    /// <summary>A service on it. Null: none.</summary>
    public ServiceRecord? Service { get; init; }

    /// <summary>Checks on it.</summary>
    public IReadOnlyList<CheckRecord> Checks { get; init; } = [];
}

/// <summary>Puts a node, a service and checks into the catalog; what is there already and equal does not
/// change.</summary>
public sealed class Register(Registration registration) : Command<bool>
{
    /// <inheritdoc/>
    protected override Outcome<bool> Apply(WriteTransaction tx) =>
        Put(tx, registration) is { } refusal ? refusal : true;

    internal static Refusal? Put(WriteTransaction tx, Registration registration)
    {
        if (CatalogWrites.PutNode(tx, registration.Node, registration.SkipNodeUpdate) is { } badNode)
        {
            return badNode;
        }

        var node = registration.Node.Name;
        if (registration.Service is { } service && CatalogWrites.PutService(tx, node, service) is { } badService)
        {
            return Refusal.Failed($"failed inserting service: {badService}");
        }

        foreach (var check in registration.Checks)
        {
            if (CatalogWrites.PutCheck(tx, node, check) is { } badCheck)
            {
                var where = badCheck == CatalogWrites.MissingService ? $" on node \"{node}\"" : "";
                return Refusal.Failed($"failed inserting check: {badCheck}{where}");
            }
        }

        return null;
    }
}

/// <summary>Takes a service, a check or a whole node out of the catalog; what is not there is no error.</summary>
/// <param name="Node">The node.</param>
/// <param name="ServiceId">The service to take out, with its checks. Empty: see the check.</param>
/// <param name="CheckId">The check to take out. Empty as well: the node, with all that is on it.</param>
public sealed class Deregister(string Node, string ServiceId, string CheckId) : Command<bool>
{
    /// <inheritdoc/>
    protected override Outcome<bool> Apply(WriteTransaction tx)
    {
        if (ServiceId.Length > 0)
        {
            CatalogWrites.DeleteService(tx, Node, ServiceId);
        }
        else if (CheckId.Length > 0)
        {
            CatalogWrites.DeleteCheck(tx, Node, CheckId);
        }
        else
        {
            CatalogWrites.DeleteNode(tx, Node);
        }

        return true;
    }
}
