using Gossip.Coordinates;
using Praetor.Server.Model;
using Praetor.Server.State;

namespace Praetor.Server.Coordinates;

/// <summary>Reads of coordinates, and what they are for: who is near.</summary>
public static class CoordinateQueries
{
    /// <summary>All of them by node.</summary>
    public static IEnumerable<CoordinateRecord> All(ReadView view) => view.Scan(Tables.CoordinatesByNode, []);

    /// <summary>Those of one node, by segment.</summary>
    public static IEnumerable<CoordinateRecord> Of(ReadView view, string node) =>
        view.Scan(Tables.CoordinatesByNode, KeyBytes.Folded(node));

    /// <summary>Sorts by the distance from a node, that node's own first and those of unknown place last; what is
    /// equally far stays in its order.</summary>
    /// <remarks>Not noted: nodes move all the time, and nobody wants to be woken for it.</remarks>
    /// <param name="view">What to read.</param>
    /// <param name="items">What to sort.</param>
    /// <param name="nodeOf">The node of an item.</param>
    /// <param name="near">The node to measure from. Empty: nothing is sorted.</param>
    public static IEnumerable<T> Nearest<T>(ReadView view, IEnumerable<T> items, Func<T, string> nodeOf, string near)
    {
        // Of a node whose place is not known nothing can be told, so the order stays as it is.
        if (near.Length == 0 || PeekOf(view, near) is not { } from)
        {
            return items;
        }

        var known = new Dictionary<string, double>(StringComparer.OrdinalIgnoreCase) { [near] = 0 };
        return items.OrderBy(item =>
        {
            var node = nodeOf(item);
            if (!known.TryGetValue(node, out var distance))
            {
                distance = PeekOf(view, node) is { } to ? from.SecondsTo(to) : double.PositiveInfinity;
                known.Add(node, distance);
            }

            return distance;
        });
    }

    private static Coordinate? PeekOf(ReadView view, string node) =>
        view.Peek(Tables.CoordinatesByNode, KeyBytes.Folded(node, ""))?.Where;
}
