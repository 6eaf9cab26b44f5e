using System.Buffers.Binary;

namespace Codecs.Checksums;

/// <summary>The CRC-32 of IEEE 802.3 (zlib's, Go's ChecksumIEEE), which the base library has only as a
/// package.</summary>
public static class Crc32
{
    private const uint Polynomial = 0xEDB88320;
    private const int Lanes = 8;

    // Lane n tells what a byte does to the sum when n more bytes follow it: eight bytes are taken at a time.
    private static readonly uint[] Table = Build();

    public static uint Compute(ReadOnlySpan<byte> bytes)
    {
        ReadOnlySpan<uint> table = Table;
        uint sum = uint.MaxValue;
        for (; bytes.Length >= Lanes; bytes = bytes[Lanes..])
        {
            ulong eight = BinaryPrimitives.ReadUInt64LittleEndian(bytes) ^ sum;
            sum = 0;
            for (int lane = Lanes - 1; lane >= 0; lane--, eight >>= 8)
            {
                sum ^= table[(lane << 8) | (byte)eight];
            }
        }
        foreach (byte b in bytes)
        {
            sum = (sum >> 8) ^ table[(byte)(sum ^ b)];
        }
        return ~sum;
    }

    private static uint[] Build()
    {
        var table = new uint[Lanes << 8];
        for (uint b = 0; b < 256; b++)
        {
            uint sum = b;
            for (int bit = 0; bit < 8; bit++)
            {
                sum = (sum & 1) == 0 ? sum >> 1 : (sum >> 1) ^ Polynomial;
            }
            table[b] = sum;
        }
        for (int at = 256; at < table.Length; at++)
        {
            uint before = table[at - 256];
            table[at] = (before >> 8) ^ table[(byte)before];
        }
        return table;
    }
}
