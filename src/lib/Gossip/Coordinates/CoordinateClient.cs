namespace Gossip.Coordinates;

/// <summary>
/// Keeps this member's coordinate, moved a little by each measured round trip. Pure; one loop owns it.
/// </summary>
/// <remarks>
/// Vivaldi: think of a spring between each two members, as long as their round trip. Each measurement moves this member
/// along the spring to the other, the more the surer the other is of its place and the less sure this one is. Heights
/// stand for access links, the adjustment for what does not fit into space, and a weak pull to the origin keeps the
/// whole cloud from drifting away.
/// </remarks>
public sealed class CoordinateClient(Random random)
{
    /// <summary>Members whose last round trips are kept; beyond it the longest known is forgotten.</summary>
    private const int MembersMax = 4_096;

    private readonly Dictionary<string, double[]> _roundTrips = new(StringComparer.Ordinal);
    private readonly Queue<string> _remembered = new();
    private readonly double[] _offsets = new double[VivaldiRules.AdjustmentWindow];
    private int _offsetIndex;

    /// <summary>Where this member is.</summary>
    public Coordinate Current { get; private set; } = Coordinate.Origin;

    /// <summary>How often the place had to be given up because it was no number any more.</summary>
    public int Resets { get; private set; }

    /// <summary>Takes in a measured round trip to a member that says to be at a place.</summary>
    /// <returns>Why it was not believed; null: it was.</returns>
    public string? Update(string member, Coordinate other, TimeSpan roundTrip)
    {
        if (Problem(other) is { } problem)
        {
            return problem;
        }
        if (roundTrip < TimeSpan.Zero || roundTrip > VivaldiRules.RoundTripMax)
        {
            return $"a round trip of {roundTrip} is not between zero and {VivaldiRules.RoundTripMax}";
        }
        var seconds = Median(member, roundTrip.TotalSeconds);
        Move(other, Math.Max(seconds, VivaldiRules.ZeroThreshold));
        Adjust(other, seconds);
        PullToOrigin();
        if (!Current.IsValid)
        {
            Resets++;
            Current = Coordinate.Origin;
        }
        return null;
    }

    /// <summary>Takes over a place known from before a restart.</summary>
    /// <returns>Why it was not taken; null: it was.</returns>
    public string? Restore(Coordinate coordinate)
    {
        if (Problem(coordinate) is { } problem)
        {
            return problem;
        }
        Current = coordinate;
        return null;
    }

    /// <summary>Drops what is kept of a member that is gone.</summary>
    public void Forget(string member) => _roundTrips.Remove(member);

    /// <summary>The estimated round-trip time to a place.</summary>
    /// <exception cref="ArgumentException">It has another number of dimensions.</exception>
    public TimeSpan DistanceTo(Coordinate other) => Current.DistanceTo(other);

    private string? Problem(Coordinate other)
    {
        if (!Current.IsCompatibleWith(other))
        {
            return $"the coordinate has {other.Vector.Count} dimensions, not {Current.Vector.Count}";
        }
        return other.IsValid ? null : "the coordinate holds what is not a finite number";
    }

    private double Median(string member, double seconds)
    {
        if (!_roundTrips.TryGetValue(member, out var samples))
        {
            samples = [];
            MakeRoom();
            _remembered.Enqueue(member);
        }
        samples = [.. samples.TakeLast(VivaldiRules.LatencyFilterSize - 1), seconds];
        _roundTrips[member] = samples;
        return samples.Order().ElementAt(samples.Length / 2);
    }

    private void MakeRoom()
    {
        while (_remembered.Count >= MembersMax && _remembered.TryDequeue(out var oldest))
        {
            _roundTrips.Remove(oldest);
        }
    }

    private void Move(Coordinate other, double seconds)
    {
        var distance = Current.SecondsTo(other);
        var wrongness = Math.Abs(distance - seconds) / seconds;
        var weight = Current.Error / Math.Max(Current.Error + other.Error, VivaldiRules.ZeroThreshold);
        var share = VivaldiRules.ErrorShare * weight;
        var error = Math.Min((share * wrongness) + (Current.Error * (1 - share)), VivaldiRules.ErrorMax);
        Push(other, VivaldiRules.MoveShare * weight * (seconds - distance));
        Current = Current with { Error = error };
    }

    private void Adjust(Coordinate other, double seconds)
    {
        _offsets[_offsetIndex] = seconds - Current.RawSecondsTo(other);
        _offsetIndex = (_offsetIndex + 1) % _offsets.Length;
        // Half of the offset each: the other member corrects its half.
        Current = Current with { Adjustment = _offsets.Sum() / (2.0 * _offsets.Length) };
    }

    private void PullToOrigin()
    {
        var share = Coordinate.Origin.SecondsTo(Current) / VivaldiRules.GravityDistance;
        Push(Coordinate.Origin, -share * share);
    }

    /// <summary>Moves away from the other by a force in seconds; towards it when negative.</summary>
    private void Push(Coordinate other, double force)
    {
        var direction = DirectionFrom(other, out var distance);
        var portion = new double[direction.Length];
        for (var i = 0; i < portion.Length; i++)
        {
            portion[i] = Current.Vector[i] + (direction[i] * force);
        }
        var height = Current.Height;
        if (distance > VivaldiRules.ZeroThreshold)
        {
            height = Math.Max(((height + other.Height) * force / distance) + height, VivaldiRules.HeightMin);
        }
        Current = Current with { Vector = portion, Height = height };
    }

    /// <summary>A vector of length one from the other's place to this one; any, when they are the same.</summary>
    private double[] DirectionFrom(Coordinate other, out double distance)
    {
        var vector = new double[Current.Vector.Count];
        for (var i = 0; i < vector.Length; i++)
        {
            vector[i] = Current.Vector[i] - other.Vector[i];
        }
        distance = Length(vector);
        if (distance <= VivaldiRules.ZeroThreshold)
        {
            distance = 0;
            for (var i = 0; i < vector.Length; i++)
            {
                vector[i] = random.NextDouble() - 0.5;
            }
        }
        var length = Length(vector);
        if (length <= VivaldiRules.ZeroThreshold)
        {
            Array.Clear(vector);
            vector[0] = length = 1;
        }
        for (var i = 0; i < vector.Length; i++)
        {
            vector[i] /= length;
        }
        return vector;
    }

    private static double Length(double[] vector) => Math.Sqrt(vector.Sum(part => part * part));
}
