using System.Text.Json.Serialization;

namespace Praetor.Server.Coordinates;

/// <summary>A place in the space of network coordinates: the distance of two places is the round trip between
/// them.</summary>
/// <remarks>Vivaldi's model: a vector, a height for the way from the machine to the network, and an adjustment that
/// evens out what the model gets wrong. All of it is seconds.</remarks>
/// <param name="Vector">The place.</param>
/// <param name="Error">How sure the node is of it; 1.5: not at all.</param>
/// <param name="Adjustment">Added to the distance, once for each end.</param>
/// <param name="Height">Added to the distance, once for each end; never below the origin's.</param>
public sealed record Coordinate(IReadOnlyList<double> Vector, double Error, double Adjustment, double Height)
{
    /// <summary>How many dimensions agents agree on.</summary>
    public const int Dimensions = 8;

    private const double ErrorMax = 1.5;
    private const double HeightMin = 10.0e-6;

    /// <summary>Where a node is that has measured nothing yet.</summary>
    public static readonly Coordinate Origin = new(new double[Dimensions], ErrorMax, 0, HeightMin);

    /// <summary>Whether every number in it is one.</summary>
    [JsonIgnore]
    public bool IsValid =>
        Vector.All(double.IsFinite) && double.IsFinite(Error) && double.IsFinite(Adjustment) && double.IsFinite(Height);

    /// <summary>Whether a distance to the other can be told.</summary>
    public bool IsCompatibleWith(Coordinate other) => Vector.Count == other.Vector.Count;

    /// <summary>The estimated round trip in seconds; infinite when the two cannot be compared.</summary>
    public double SecondsTo(Coordinate other)
    {
        if (!IsCompatibleWith(other))
        {
            return double.PositiveInfinity;
        }

        var sum = 0.0;
        for (var i = 0; i < Vector.Count; i++)
        {
            var difference = Vector[i] - other.Vector[i];
            sum += difference * difference;
        }

        var distance = Math.Sqrt(sum) + Height + other.Height;
        var adjusted = distance + Adjustment + other.Adjustment;

        // Adjustments may outweigh a short distance; a round trip is never negative.
        return adjusted > 0 ? adjusted : distance;
    }
}
