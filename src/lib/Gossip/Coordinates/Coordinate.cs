using System.Text.Json.Serialization;

namespace Gossip.Coordinates;

/// <summary>
/// A member's place in the network: distances between places estimate round-trip times. All in seconds.
/// </summary>
/// <param name="Vector">The place in Euclidean space; <see cref="Dimensions"/> numbers. Never changed.</param>
/// <param name="Error">How little the place is trusted: 0 fully, <see cref="VivaldiRules.ErrorMax"/> not at
/// all.</param>
/// <param name="Adjustment">What recent distances were off by; corrects what Euclidean space cannot express.</param>
/// <param name="Height">The way from the member to where the plane begins, its access link; part of every
/// distance.</param>
public sealed record Coordinate(IReadOnlyList<double> Vector, double Error, double Adjustment, double Height)
{
    /// <summary>The dimensions that members of serf and Consul use.</summary>
    public const int Dimensions = 8;

    /// <summary>Where a member is that has not measured anything.</summary>
    public static Coordinate Origin { get; } =
        new(new double[Dimensions], VivaldiRules.ErrorMax, 0, VivaldiRules.HeightMin);

    /// <summary>Whether all numbers are finite.</summary>
    [JsonIgnore]
    public bool IsValid => double.IsFinite(Error) && double.IsFinite(Adjustment) && double.IsFinite(Height)
        && Vector.All(double.IsFinite);

    /// <summary>Whether distances between the two can be taken.</summary>
    public bool IsCompatibleWith(Coordinate other) => Vector.Count == other.Vector.Count;

    /// <summary>The estimated round-trip time to another place; the longest there is when they cannot be
    /// compared.</summary>
    public TimeSpan DistanceTo(Coordinate other) => ToTime(SecondsTo(other));

    /// <summary>The same in seconds; infinite when the two cannot be compared.</summary>
    public double SecondsTo(Coordinate other)
    {
        if (!IsCompatibleWith(other))
        {
            return double.PositiveInfinity;
        }

        var raw = RawSecondsTo(other);
        var adjusted = raw + Adjustment + other.Adjustment;
        return adjusted > 0 ? adjusted : raw;
    }

    /// <summary>By how many seconds at most the sum behind the distance to anybody differs between here and an earlier
    /// place of the same member; infinite when the two cannot be compared.</summary>
    public double SecondsMovedFrom(Coordinate earlier) => IsCompatibleWith(earlier)
        ? PlaneSecondsTo(earlier) + Math.Abs(Height - earlier.Height) + Math.Abs(Adjustment - earlier.Adjustment)
        : double.PositiveInfinity;

    /// <summary>The distance without adjustments, in seconds.</summary>
    internal double RawSecondsTo(Coordinate other)
    {
        if (!IsCompatibleWith(other))
        {
            throw new ArgumentException(
                $"a coordinate of {other.Vector.Count} dimensions has no distance to one of {Vector.Count}: "
                + "check IsCompatibleWith first", nameof(other));
        }
        return PlaneSecondsTo(other) + Height + other.Height;
    }

    private double PlaneSecondsTo(Coordinate other)
    {
        var sum = 0.0;
        for (var i = 0; i < Vector.Count; i++)
        {
            var difference = Vector[i] - other.Vector[i];
            sum += difference * difference;
        }
        return Math.Sqrt(sum);
    }

    // Finite coordinates of strangers may still be too far apart for a TimeSpan.
    private static TimeSpan ToTime(double seconds) => seconds < TimeSpan.MaxValue.TotalSeconds / 2
        ? TimeSpan.FromTicks((long)(seconds * TimeSpan.TicksPerSecond))
        : TimeSpan.MaxValue;
}
