using Praetor.Agent.Checks;
using Praetor.Server.Catalog;
using Praetor.Server.Model;
using Praetor.Server.Queries;
using Praetor.Server.State;

namespace Praetor.Agent.Local;

/// <summary>What alias checks look at: this agent's own state, and the catalog for other nodes.</summary>
internal sealed class LocalAliases : IAliasSource, IDisposable
{
    private readonly LocalState _state;
    private readonly string _node;
    private readonly StateStore _store;
    private readonly QueryHub _hub;
    private readonly Lock _gate = new();
    private readonly Dictionary<string, List<Action>> _local = new(StringComparer.Ordinal);

    public LocalAliases(LocalState state, string node, StateStore store, QueryHub hub)
    {
        (_state, _node, _store, _hub) = (state, node, store, hub);
        state.Changed += OnChanged;
    }

    public AliasView Look(string node, string serviceId)
    {
        if (!IsLocal(node))
        {
            return Look(new ReadView(_store.Current, tracks: false), node, serviceId);
        }

        var now = _state.Current;
        return serviceId.Length > 0 && !now.Services.ContainsKey(serviceId)
            ? new AliasView(false, [])
            : new AliasView(true, [.. now.ChecksFor(serviceId).Select(
                static c => View(c.Record, c.Spec?.Kind == CheckKind.Alias))]);
    }

    public IDisposable Subscribe(string node, string serviceId, Action changed)
    {
        if (!IsLocal(node))
        {
            return new RemoteWatch(this, node, serviceId, changed);
        }

        lock (_gate)
        {
            if (!_local.TryGetValue(serviceId, out var actions))
            {
                _local.Add(serviceId, actions = []);
            }

            actions.Add(changed);
        }

        return new Subscription(() => Leave(serviceId, changed));
    }

    public void Dispose() => _state.Changed -= OnChanged;

    private bool IsLocal(string node) =>
        node.Length == 0 || string.Equals(node, _node, StringComparison.OrdinalIgnoreCase);

    private void Leave(string serviceId, Action changed)
    {
        lock (_gate)
        {
            if (_local.TryGetValue(serviceId, out var actions) && actions.Remove(changed) && actions.Count == 0)
            {
                _local.Remove(serviceId);
            }
        }
    }

    private void OnChanged(LocalChange change)
    {
        List<Action> concerned;
        lock (_gate)
        {
            concerned = change.HealthOf.Contains("")
                ? [.. _local.Values.SelectMany(static actions => actions)]
                : [.. change.HealthOf.Where(_local.ContainsKey).SelectMany(id => _local[id])];
        }

        concerned.ForEach(static changed => changed());
    }

    private static AliasView Look(ReadView view, string node, string serviceId)
    {
        if (CatalogQueries.Node(view, node) is null
            || (serviceId.Length > 0 && CatalogQueries.Service(view, node, serviceId) is null))
        {
            return new AliasView(false, []);
        }

        var checks = CatalogQueries.ChecksOn(view, node)
            .Where(c => c.ServiceId.Length == 0 || c.ServiceId == serviceId)
            .Select(static c => View(c, c.Type == "alias"));
        return new AliasView(true, [.. checks]);
    }

    /// <summary>A record's status; what is no status counts as critical.</summary>
    public static CheckStatus StatusOf(CheckRecord check) =>
        CheckStatusText.TryParse(check.Status, out var status) ? status : CheckStatus.Critical;

    private static AliasedCheck View(CheckRecord check, bool isAlias) =>
        new(check.Id, check.Name, check.ServiceId, StatusOf(check), check.Output, isAlias);

    private sealed class Subscription(Action leave) : IDisposable
    {
        public void Dispose() => leave();
    }

    /// <summary>Waits for changes of another node's checks.</summary>
    private sealed class RemoteWatch : IDisposable
    {
        private readonly CancellationTokenSource _stop = new();

        public RemoteWatch(LocalAliases aliases, string node, string serviceId, Action changed) =>
            _ = Task.Run(() => RunAsync(aliases, node, serviceId, changed, _stop.Token));

        public void Dispose() => _stop.Cancel();

        private static async Task RunAsync(
            LocalAliases aliases, string node, string serviceId, Action changed, CancellationToken stop)
        {
            await aliases._hub.FollowAsync($"alias\0{node}\0{serviceId}", Evaluate, _ => changed(), stop);

            QueryAnswer Evaluate(ReadView view)
            {
                Look(view, node, serviceId);
                return new QueryAnswer(view.Index, 200, "", []);
            }
        }
    }
}
