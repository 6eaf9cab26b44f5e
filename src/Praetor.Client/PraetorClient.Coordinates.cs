namespace Praetor.Client;

/// <summary>A place in the space of network coordinates; all of it is seconds.</summary>
/// <remarks>Agents have a type of their own for it. This one is the shape of the API's JSON, and this package stands on
/// nothing but the base library.</remarks>
public sealed record Coordinate
{
    /// <summary>The place.</summary>
    public double[] Vec { get; init; } = [];

    /// <summary>How sure the node is of it; 1.5: not at all.</summary>
    public double Error { get; init; }

    /// <summary>Added to the distance, once for each end.</summary>
    public double Adjustment { get; init; }

    /// <summary>Added to the distance, once for each end.</summary>
    public double Height { get; init; }

    /// <summary>The estimated round trip to another. Null: the two cannot be compared.</summary>
    public TimeSpan? DistanceTo(Coordinate other)
    {
        if (Vec.Length != other.Vec.Length)
        {
            return null;
        }

        var squares = Vec.Zip(other.Vec, static (a, b) => (a - b) * (a - b)).Sum();
        var distance = Math.Sqrt(squares) + Height + other.Height;
        var adjusted = distance + Adjustment + other.Adjustment;
        return TimeSpan.FromSeconds(adjusted > 0 ? adjusted : distance);
    }
}

/// <summary>Where a node is.</summary>
public sealed record NodeCoordinate
{
    /// <summary>The node.</summary>
    public string Node { get; init; } = "";

    /// <summary>The network segment that was measured in.</summary>
    public string Segment { get; init; } = "";

    /// <summary>The place. Null: none was told.</summary>
    public Coordinate? Coord { get; init; }
}

/// <summary>Where the servers of a datacenter are.</summary>
public sealed record DatacenterCoordinates
{
    /// <summary>The datacenter.</summary>
    public string Datacenter { get; init; } = "";

    /// <summary>The pool that was measured in; only places in one pool can be compared.</summary>
    public string AreaID { get; init; } = "";

    /// <summary>Its servers.</summary>
    public NodeCoordinate[] Coordinates { get; init; } = [];
}

public sealed partial class PraetorClient
{
    /// <summary>Where the nodes of the datacenter are.</summary>
    public Task<Answer<NodeCoordinate[]>> CoordinatesAsync(
        QueryOptions? query = null, CancellationToken stop = default) =>
        GetAsync("/v1/coordinate/nodes", query, ClientJson.Default.NodeCoordinateArray, stop);

    /// <summary>Where the servers of all datacenters are.</summary>
    public async Task<DatacenterCoordinates[]> DatacenterCoordinatesAsync(CancellationToken stop = default) =>
        (await GetAsync("/v1/coordinate/datacenters", null, ClientJson.Default.DatacenterCoordinatesArray, stop))
        .Value ?? [];
}
