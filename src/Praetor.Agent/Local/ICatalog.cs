using Praetor.Server.Catalog;
using Praetor.Server.Model;
using Praetor.Server.Queries;
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

    /// <summary>What stands under a node as far as it is known without asking. Null: nothing is known yet.</summary>
    /// <remarks>True while the node is <see cref="Watch">watched</see>, from its first call on.</remarks>
    NodeContents? Known(string node);

    /// <summary>Calls whenever something about a node changed, until it is disposed.</summary>
    IDisposable Watch(string node, Action changed);
}

/// <summary>The catalog cannot be reached or does not take anything now; try again later.</summary>
public sealed class CatalogUnreachableException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>The catalog in this process: what a server's own agent uses.</summary>
public sealed class StoreCatalog(StateStore store, QueryHub hub) : ICatalog
{
    public async Task<IReadOnlyList<Refusal?>> ApplyAsync(CatalogChanges changes, CancellationToken stop)
    {
        var outcome = await store.SubmitAsync(new SyncCatalog(changes));
        return outcome.Refusal is { } refusal ? throw new CatalogUnreachableException(refusal.Text) : outcome.Value;
    }

    public ValueTask<NodeContents> ReadAsync(string node, CancellationToken stop) =>
        ValueTask.FromResult(Contents(new ReadView(store.Current, tracks: false), node));

    public NodeContents? Known(string node) => Contents(new ReadView(store.Current, tracks: false), node);

    public IDisposable Watch(string node, Action changed)
    {
        var stop = new CancellationTokenSource();
        _ = Task.Run(() => WatchAsync(node, changed, stop.Token));
        return new Watcher(stop);
    }

    /// <summary>What a view holds for a node.</summary>
    internal static NodeContents Contents(ReadView view, string node) => new(
        CatalogQueries.Node(view, node),
        [.. CatalogQueries.ServicesOn(view, node)],
        [.. CatalogQueries.ChecksOn(view, node)]);

    private async Task WatchAsync(string node, Action changed, CancellationToken stop)
    {
        await hub.FollowAsync($"contents\0{node}", Evaluate, _ => changed(), stop);

        QueryAnswer Evaluate(ReadView view)
        {
            Contents(view, node);
            return new QueryAnswer(view.Index, 200, "", []);
        }
    }

    private sealed class Watcher(CancellationTokenSource stop) : IDisposable
    {
        public void Dispose() => stop.Cancel();
    }
}
