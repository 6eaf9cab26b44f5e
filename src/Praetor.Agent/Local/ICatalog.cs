using Praetor.Server.Catalog;
using Praetor.Server.Model;
using Praetor.Server.State;

namespace Praetor.Agent.Local;

/// <summary>What the catalog holds for one node.</summary>
/// <param name="Node">The node. Null: it is not there.</param>
public sealed record NodeContents(
    NodeRecord? Node, IReadOnlyList<ServiceRecord> Services, IReadOnlyList<CheckRecord> Checks);

/// <summary>The catalog as an agent sees it: its own state when it is a server, else a server's.</summary>
public interface ICatalog
{
    /// <summary>Applies changes of this agent's node; ends when they are durable.</summary>
    /// <returns>Why registrations were refused, in their order; null: it was not.</returns>
    /// <exception cref="CatalogUnreachableException">It is not known whether any of it was done.</exception>
    Task<IReadOnlyList<Refusal?>> ApplyAsync(CatalogChanges changes, CancellationToken stop);

    /// <summary>What stands under a node.</summary>
    /// <exception cref="CatalogUnreachableException">It cannot be read now.</exception>
    ValueTask<NodeContents> ReadAsync(string node, CancellationToken stop);
}

/// <summary>The catalog cannot be reached or does not take anything now; try again later.</summary>
public sealed class CatalogUnreachableException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>The catalog in this process: what a server's own agent uses.</summary>
public sealed class StoreCatalog(StateStore store) : ICatalog
{
    public async Task<IReadOnlyList<Refusal?>> ApplyAsync(CatalogChanges changes, CancellationToken stop)
    {
        var outcome = await store.SubmitAsync(new SyncCatalog(changes));
        return outcome.Refusal is { } refusal ? throw new CatalogUnreachableException(refusal.Text) : outcome.Value;
    }

    public ValueTask<NodeContents> ReadAsync(string node, CancellationToken stop)
    {
        var view = new ReadView(store.Current, tracks: false);
        return ValueTask.FromResult(new NodeContents(
            CatalogQueries.Node(view, node),
            [.. CatalogQueries.ServicesOn(view, node)],
            [.. CatalogQueries.ChecksOn(view, node)]));
    }
}
