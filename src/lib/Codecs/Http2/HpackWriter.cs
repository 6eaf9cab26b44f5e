using System.Buffers;
using System.Text;

namespace Codecs.Http2;

/// <summary>Writes the fields of a block of headers (HPACK, RFC 7541) without a dynamic table and without packing.
/// </summary>
public static class HpackWriter
{
    /// <summary>Index of <c>:authority</c>, a name.</summary>
    public const int Authority = 1;

    /// <summary>Index of <c>:method: POST</c>, a whole field.</summary>
    public const int MethodPost = 3;

    /// <summary>Index of <c>:path</c>, a name.</summary>
    public const int Path = 4;

    /// <summary>Index of <c>:scheme: http</c>, a whole field.</summary>
    public const int SchemeHttp = 6;

    /// <summary>Index of <c>:scheme: https</c>, a whole field.</summary>
    public const int SchemeHttps = 7;

    private const byte Indexed = 0x80;
    private const int IndexedBits = 7;
    private const int LiteralBits = 4;
    private const int LengthBits = 7;

    /// <summary>A field that stands in the static table whole.</summary>
    public static void WriteIndexed(IBufferWriter<byte> into, int index) =>
        WriteInteger(into, Indexed, IndexedBits, index);

    /// <summary>A field of whose name only the index in the static table is written.</summary>
    public static void Write(IBufferWriter<byte> into, int name, string value)
    {
        WriteInteger(into, 0, LiteralBits, name);
        WriteText(into, value);
    }

    /// <summary>A field.</summary>
    /// <param name="into">The block.</param>
    /// <param name="name">Lower case, ASCII.</param>
    /// <param name="value">ASCII.</param>
    public static void Write(IBufferWriter<byte> into, string name, string value)
    {
        WriteInteger(into, 0, LiteralBits, 0);
        WriteText(into, name);
        WriteText(into, value);
    }

    private static void WriteText(IBufferWriter<byte> into, string text)
    {
        WriteInteger(into, 0, LengthBits, text.Length);
        Encoding.ASCII.GetBytes(text, into.GetSpan(text.Length));
        into.Advance(text.Length);
    }

    // RFC 7541, section 5.1: what does not fit into the bits that the first byte has left, follows in groups of seven.
    private static void WriteInteger(IBufferWriter<byte> into, byte pattern, int bits, int value)
    {
        var most = (1 << bits) - 1;
        if (value < most)
        {
            Write(into, (byte)(pattern | value));
            return;
        }

        Write(into, (byte)(pattern | most));
        for (value -= most; value >= 0x80; value >>= 7)
        {
            Write(into, (byte)(value | 0x80));
        }

        Write(into, (byte)value);
    }

    private static void Write(IBufferWriter<byte> into, byte value)
    {
        into.GetSpan(1)[0] = value;
        into.Advance(1);
    }
}
