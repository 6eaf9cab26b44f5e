using Gossip.Coordinates;
using Praetor.Server.Model;
using Praetor.Server.State;

namespace Praetor.Server.Coordinates;

/// <summary>Where a node says it is.</summary>
/// <param name="Node">The node's name.</param>
/// <param name="Segment">The segment that was measured in. Empty: the one there is.</param>
/// <param name="Where">The place.</param>
public sealed record CoordinateUpdate(string Node, string Segment, Coordinate Where);

/// <summary>Notes where nodes are; those that the catalog does not know are left out, as they may have gone
/// meanwhile.</summary>
public sealed class UpdateCoordinates(IReadOnlyList<CoordinateUpdate> updates) : Command<int>
{
    /// <inheritdoc/>
    protected override Outcome<int> Apply(WriteTransaction tx)
    {
        var put = 0;
        foreach (var update in updates)
        {
            if (tx.Peek(Tables.NodesByName, KeyBytes.Folded(update.Node)) is not { } node)
            {
                continue;
            }

            var old = tx.Peek(Tables.CoordinatesByNode, KeyBytes.Folded(update.Node, update.Segment));
            if (old is not null && AreSame(old.Where, update.Where))
            {
                continue;
            }

            tx.Put(Tables.Coordinates, new CoordinateRecord
            {
                Node = node.Name, Segment = update.Segment, Where = update.Where,
            });
            put++;
        }

        return put;
    }

    private static bool AreSame(Coordinate a, Coordinate b) =>
        a.Error.Equals(b.Error) && a.Adjustment.Equals(b.Adjustment) && a.Height.Equals(b.Height)
        && a.Vector.SequenceEqual(b.Vector);
}
