using Gossip.Coordinates;
using Praetor.Server.Coordinates;
using Praetor.Server.State;

namespace Praetor.Server.Model;

/// <summary>Where a node is in the network of its segment.</summary>
public sealed record CoordinateRecord : StoredRecord
{
    /// <summary>The node's name.</summary>
    public required string Node { get; init; }

    /// <summary>The network segment that was measured in. Empty: the one there is.</summary>
    public string Segment { get; init; } = "";

    /// <summary>The place.</summary>
    public required Coordinate Where { get; init; }
}
