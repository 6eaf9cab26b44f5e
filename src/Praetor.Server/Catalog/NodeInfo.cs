using Praetor.Server.Model;
using Praetor.Server.State;

namespace Praetor.Server.Catalog;

/// <summary>A node with all that stands on it.</summary>
/// <param name="Node">The node.</param>
/// <param name="Services">Its instances, by id.</param>
/// <param name="Checks">All checks on it, by id.</param>
public sealed record NodeInfo(
    NodeRecord Node, IReadOnlyList<ServiceRecord> Services, IReadOnlyList<CheckRecord> Checks)
{
    /// <summary>All nodes by name, taken from the state one by one.</summary>
    public static IEnumerable<NodeInfo> All(ReadView view)
    {
        view.NotePrefix(Tables.NodesByName, []);
        view.NotePrefix(Tables.ServicesByNode, []);
        view.NotePrefix(Tables.ChecksByNode, []);
        return view.PeekScan(Tables.NodesByName, []).Select(node => Of(view, node));
    }

    /// <summary>One node, or null.</summary>
    public static NodeInfo? Find(ReadView view, string name)
    {
        var key = KeyBytes.Folded(name);
        view.NotePrefix(Tables.ServicesByNode, key);
        view.NotePrefix(Tables.ChecksByNode, key);
        return view.Get(Tables.NodesByName, key) is { } node ? Of(view, node) : null;
    }

    private static NodeInfo Of(ReadView view, NodeRecord node)
    {
        var key = KeyBytes.Folded(node.Name);
        return new NodeInfo(
            node, [.. view.PeekScan(Tables.ServicesByNode, key)], [.. view.PeekScan(Tables.ChecksByNode, key)]);
    }
}
