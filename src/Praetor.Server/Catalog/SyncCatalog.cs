using Praetor.Server.State;

namespace Praetor.Server.Catalog;

/// <summary>A service or a check that is to leave the catalog.</summary>
/// <param name="ServiceId">The service, which goes with its checks. Empty: the check is meant.</param>
/// <param name="CheckId">The check.</param>
public sealed record CatalogRemoval(string ServiceId, string CheckId);

/// <summary>What an agent brings in line at once; removals come before registrations.</summary>
/// <param name="Node">The agent's node.</param>
/// <param name="Removals">What it does not have any more.</param>
/// <param name="Registrations">What it has.</param>
public sealed record CatalogChanges(
    string Node, IReadOnlyList<CatalogRemoval> Removals, IReadOnlyList<Registration> Registrations);

/// <summary>Applies many changes of one node as one command.</summary>
/// <remarks>
/// A registration that is refused leaves the others alone: an agent must not lose all of its services because one of
/// them cannot be taken. The outcome tells, for each registration in its order, why it was refused; null: it was not.
/// </remarks>
public sealed class SyncCatalog(CatalogChanges changes) : Command<IReadOnlyList<Refusal?>>
{
    /// <inheritdoc/>
    protected override Outcome<IReadOnlyList<Refusal?>> Apply(WriteTransaction tx)
    {
        foreach (var removal in changes.Removals)
        {
            if (removal.ServiceId.Length > 0)
            {
                CatalogWrites.DeleteService(tx, changes.Node, removal.ServiceId);
            }
            else
            {
                CatalogWrites.DeleteCheck(tx, changes.Node, removal.CheckId);
            }
        }

        var outcomes = new Refusal?[changes.Registrations.Count];
        for (var i = 0; i < outcomes.Length; i++)
        {
            outcomes[i] = Register.Put(tx, changes.Registrations[i]);
        }

        return outcomes;
    }
}
