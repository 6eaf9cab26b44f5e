using System.Diagnostics.CodeAnalysis;
using Codecs.MessagePack;

namespace Gossip.Serf.Wire;

/// <summary>Where a member stands in the space of round-trip times; serf's Vivaldi coordinate. Seconds.</summary>
/// <param name="Vector">The place: eight dimensions as everybody has them.</param>
/// <param name="Error">How far it may be trusted; no unit. 1.5 in the beginning.</param>
/// <param name="Adjustment">Added to distances, by experience.</param>
/// <param name="Height">Added to distances: the way to the network's core.</param>
public sealed record NetworkCoordinate(IReadOnlyList<double> Vector, double Error, double Adjustment, double Height)
{
    // The ack payload's form; another number is another form.
    private const byte Version = 1;
    private const int DimensionsMax = 64;
    private const int BytesMax = 256 + DimensionsMax * 9;

    /// <summary>The payload of an ack.</summary>
    public byte[] ToAckPayload()
    {
        Span<byte> buffer = stackalloc byte[BytesMax];
        var writer = new MessagePackWriter(buffer);
        writer.WriteByte(Version);
        writer.WriteMapHeader(4);
        writer.WriteRaw("Adjustment"u8);
        writer.WriteDouble(Adjustment);
        writer.WriteRaw("Error"u8);
        writer.WriteDouble(Error);
        writer.WriteRaw("Height"u8);
        writer.WriteDouble(Height);
        writer.WriteRaw("Vec"u8);
        writer.WriteArrayHeader(Vector.Count);
        foreach (double component in Vector)
        {
            writer.WriteDouble(component);
        }
        return writer.Overflowed
            ? throw new InvalidOperationException($"A coordinate has at most {DimensionsMax} dimensions.")
            : buffer[..writer.Length].ToArray();
    }

    /// <returns>False: none, of another version, broken, or with numbers that are none.</returns>
    public static bool TryReadAckPayload(
        ReadOnlySpan<byte> payload, [NotNullWhen(true)] out NetworkCoordinate? coordinate)
    {
        coordinate = null;
        if (payload.IsEmpty || payload[0] != Version)
        {
            return false;
        }
        var reader = new MessagePackReader(payload, start: 1);
        double[] vector = [];
        double error = 0;
        double adjustment = 0;
        double height = 0;
        if (!reader.TryReadMapHeader(out int fields))
        {
            return false;
        }
        while (fields-- > 0)
        {
            bool isRead = reader.TryReadRaw(out ReadOnlySpan<byte> name)
                && (name.SequenceEqual("Vec"u8) ? TryReadVector(ref reader, out vector)
                    : name.SequenceEqual("Error"u8) ? reader.TryReadDouble(out error)
                    : name.SequenceEqual("Adjustment"u8) ? reader.TryReadDouble(out adjustment)
                    : name.SequenceEqual("Height"u8) ? reader.TryReadDouble(out height)
                    : reader.TrySkip());
            if (!isRead)
            {
                return false;
            }
        }
        bool isFinite = double.IsFinite(error) && double.IsFinite(adjustment) && double.IsFinite(height)
            && Array.TrueForAll(vector, double.IsFinite);
        coordinate = isFinite ? new NetworkCoordinate(vector, error, adjustment, height) : null;
        return isFinite;
    }

    private static bool TryReadVector(ref MessagePackReader reader, out double[] vector)
    {
        vector = [];
        if (!reader.TryReadArrayHeader(out int count) || count > DimensionsMax)
        {
            return false;
        }
        vector = new double[count];
        for (int i = 0; i < count; i++)
        {
            if (!reader.TryReadDouble(out vector[i]))
            {
                return false;
            }
        }
        return true;
    }
}
