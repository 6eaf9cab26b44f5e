namespace Codecs.Http2;

/// <summary>HPACK's code of variable length for texts (RFC 7541, appendix B).</summary>
/// <remarks>The code is canonical: it follows from the lengths alone. So for each length only its first code, and
/// where its symbols begin, are kept, and reading takes one comparison a bit.</remarks>
internal static class HpackHuffman
{
    private const int LengthMax = 30;
    private const int LengthMin = 5;
    private const int EndSymbol = 256;
    private const int FillingBitsMax = 7;

    // FirstCode[n]: the smallest code of n bits; Offset[n]: where its symbols stand; Count[n]: how many there are.
    private static readonly uint[] FirstCode = new uint[LengthMax + 1];
    private static readonly int[] Offset = new int[LengthMax + 1];
    private static readonly int[] Count = new int[LengthMax + 1];
    private static readonly ushort[] Symbols = Sort();

    // Bits of the code of each byte, and of the end.
    private static ReadOnlySpan<byte> Lengths =>
    [
        13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28,
        28, 28, 28, 28, 28, 6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6, 5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7,
        8, 15, 6, 12, 10, 13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19,
        13, 14, 6, 15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5, 6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13,
        28, 20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23, 24, 24, 22, 23, 24, 23, 23, 23, 23, 21,
        22, 23, 22, 23, 23, 24, 22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21, 23,
        22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23, 26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25,
        19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27, 20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25,
        25, 24, 24, 26, 23, 26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26, 30,
    ];

    /// <summary>Unpacks a text; false: it is malformed, or does not fit.</summary>
    public static bool TryUnpack(ReadOnlySpan<byte> packed, Span<byte> into, out int written)
    {
        written = 0;
        var (code, bits) = (0u, 0);
        foreach (var octet in packed)
        {
            for (var bit = 7; bit >= 0; bit--)
            {
                code = (code << 1) | (uint)((octet >> bit) & 1);
                bits++;
                if (bits < LengthMin || code < FirstCode[bits] || code - FirstCode[bits] >= Count[bits])
                {
                    if (bits == LengthMax)
                    {
                        return false;
                    }

                    continue;
                }

                var symbol = Symbols[Offset[bits] + (int)(code - FirstCode[bits])];
                if (symbol == EndSymbol || written == into.Length)
                {
                    return false;
                }

                into[written++] = (byte)symbol;
                (code, bits) = (0, 0);
            }
        }

        // The last byte is filled up with ones, the beginning of the end's code.
        return bits <= FillingBitsMax && code == (1u << bits) - 1;
    }

    private static ushort[] Sort()
    {
        var symbols = new ushort[Lengths.Length];
        var (code, at) = (0u, 0);
        for (var length = 1; length <= LengthMax; length++)
        {
            code <<= 1;
            (FirstCode[length], Offset[length]) = (code, at);
            for (var symbol = 0; symbol < Lengths.Length; symbol++)
            {
                if (Lengths[symbol] == length)
                {
                    symbols[at++] = (ushort)symbol;
                    code++;
                }
            }

            Count[length] = at - Offset[length];
        }

        return symbols;
    }
}
