using Codecs.Lzw;
using Codecs.MessagePack;

namespace Gossip.Wire;

/// <summary>The wrapping of compressed messages: type byte, then a map of the algorithm's number and the
/// codes.</summary>
internal static class Compression
{
    private const uint Lzw = 0;

    // The type byte, the map, both names, the number and the longest head of a string.
    private const int HeadBytesMax = 1 + 1 + 5 + 1 + 4 + 5;

    /// <summary>Wraps; false when it would not get shorter, and the destination's content means nothing.</summary>
    /// <param name="codes">Scratch, at least as long as the source.</param>
    public static bool TryWrap(
        LzwEncoder encoder, ReadOnlySpan<byte> source, Span<byte> codes, Span<byte> destination, out int length)
    {
        length = 0;
        int useful = source.Length - HeadBytesMax;
        if (useful <= 0 || !encoder.TryEncode(source, codes[..useful], out int packed))
        {
            return false;
        }
        var writer = new MessagePackWriter(destination);
        writer.WriteByte((byte)SwimMessageType.Compressed);
        writer.WriteMapHeader(2);
        writer.WriteRaw("Algo"u8);
        writer.WriteUInt64(Lzw);
        writer.WriteRaw("Buf"u8);
        writer.WriteRaw(codes[..packed]);
        length = writer.Length;
        return !writer.Overflowed;
    }

    /// <summary>The codes in a wrapping.</summary>
    /// <param name="wrapped">With its type byte.</param>
    public static WireError Codes(ReadOnlySpan<byte> wrapped, out ReadOnlySpan<byte> codes)
    {
        codes = default;
        var reader = new MessagePackReader(wrapped, start: 1);
        if (!SwimFields.TryRead(ref reader, out SwimFields fields))
        {
            return WireError.Malformed;
        }
        codes = fields.Buffer;
        return fields.Algorithm == Lzw ? WireError.None : WireError.BadCompression;
    }

    public static WireError Inflate(ReadOnlySpan<byte> codes, Span<byte> destination, out int length) =>
        LzwDecoder.Decode(codes, destination, out length) switch
        {
            LzwError.None => WireError.None,
            LzwError.TooLarge => WireError.TooLarge,
            _ => WireError.BadCompression,
        };
}
