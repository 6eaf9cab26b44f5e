using System.Diagnostics.CodeAnalysis;
using Codecs.MessagePack;
using Gossip.Coordinates;

namespace Gossip.Serf.Wire;

/// <summary>Coordinates as the payload of serf's answers to pings.</summary>
public static class CoordinateCodec
{
    // The ack payload's form; another number is another form.
    private const byte Version = 1;
    private const int DimensionsMax = 64;
    private const int BytesMax = 256 + DimensionsMax * 9;

    /// <summary>The payload of an ack.</summary>
    public static byte[] ToAckPayload(Coordinate coordinate)
    {
        Span<byte> buffer = stackalloc byte[BytesMax];
        var writer = new MessagePackWriter(buffer);
        writer.WriteByte(Version);
        writer.WriteMapHeader(4);
        writer.WriteRaw("Adjustment"u8);
        writer.WriteDouble(coordinate.Adjustment);
        writer.WriteRaw("Error"u8);
        writer.WriteDouble(coordinate.Error);
        writer.WriteRaw("Height"u8);
        writer.WriteDouble(coordinate.Height);
        writer.WriteRaw("Vec"u8);
        writer.WriteArrayHeader(coordinate.Vector.Count);
        foreach (double component in coordinate.Vector)
        {
            writer.WriteDouble(component);
        }
        return writer.Overflowed
            ? throw new InvalidOperationException($"A coordinate has at most {DimensionsMax} dimensions.")
            : buffer[..writer.Length].ToArray();
    }

    /// <returns>False: none, of another version, broken, or with numbers that are none.</returns>
    public static bool TryReadAckPayload(
        ReadOnlySpan<byte> payload, [NotNullWhen(true)] out Coordinate? coordinate)
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
        coordinate = isFinite ? new Coordinate(vector, error, adjustment, height) : null;
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
