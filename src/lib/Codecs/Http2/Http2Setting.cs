using System.Buffers.Binary;

namespace Codecs.Http2;

/// <summary>The settings of HTTP/2 that are used here (RFC 9113, section 6.5.2).</summary>
public enum Http2Setting : ushort
{
    /// <summary>Bytes that the other end's table of header fields may have.</summary>
    HeaderTableSize = 1,

    /// <summary>1: promises are welcome.</summary>
    EnablePush = 2,

    /// <summary>The window of each stream.</summary>
    InitialWindow = 4,
}

/// <summary>Settings as they stand in a frame.</summary>
public static class Http2Settings
{
    /// <summary>Bytes of one setting.</summary>
    public const int Bytes = 6;

    /// <summary>Writes one into at least <see cref="Bytes"/>.</summary>
    public static void Write(Span<byte> into, Http2Setting setting, int value)
    {
        BinaryPrimitives.WriteUInt16BigEndian(into, (ushort)setting);
        BinaryPrimitives.WriteInt32BigEndian(into[2..], value);
    }

    /// <summary>The last value that a frame has for a setting. Null: it has none, or one beyond 2^31 - 1.</summary>
    public static int? Find(ReadOnlySpan<byte> payload, Http2Setting setting)
    {
        int? found = null;
        for (; payload.Length >= Bytes; payload = payload[Bytes..])
        {
            var value = BinaryPrimitives.ReadInt32BigEndian(payload[2..]);
            if (BinaryPrimitives.ReadUInt16BigEndian(payload) == (ushort)setting && value >= 0)
            {
                found = value;
            }
        }

        return found;
    }
}
