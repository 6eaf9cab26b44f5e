namespace Codecs.Lzw;

/// <summary>
/// The variant of LZW that Go's compress/lzw writes in its order LSB with 8-bit literals (and GIF files with 8 bits
/// per pixel): codes of 9 to 12 bits, packed from each byte's lowest bit on; one code empties the table, one ends.
/// </summary>
internal static class LzwFormat
{
    public const int LiteralBits = 8;
    public const int Clear = 1 << LiteralBits;
    public const int End = Clear + 1;
    public const int WidthMin = LiteralBits + 1;
    public const int WidthMax = 12;
    public const int CodesMax = 1 << WidthMax;
}
