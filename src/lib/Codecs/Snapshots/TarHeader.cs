using System.Text;

namespace Codecs.Snapshots;

/// <summary>The block that stands before each file of a tar archive, as far as snapshots need it.</summary>
internal static class TarHeader
{
    public const int BlockBytes = 512;

    private const int NameBytes = 100;
    private const int ModeAt = 100;
    private const int SizeAt = 124;
    private const int SizeBytes = 12;
    private const int TimeAt = 136;
    private const int SumAt = 148;
    private const int SumBytes = 8;
    private const int KindAt = 156;
    private const int MagicAt = 257;
    private const int SizeDigits = SizeBytes - 1;
    private const byte RegularFile = (byte)'0';

    /// <summary>How many zero bytes fill a file's last block.</summary>
    public static int PaddingOf(long size) => (int)((BlockBytes - (size % BlockBytes)) % BlockBytes);

    /// <summary>Writes the block of a file that only its owner may read.</summary>
    public static byte[] Write(string name, long size, DateTimeOffset modified)
    {
        var block = new byte[BlockBytes];
        Encoding.ASCII.GetBytes(name, block);
        "0000600\0"u8.CopyTo(block.AsSpan(ModeAt));
        "0000000\0"u8.CopyTo(block.AsSpan(ModeAt + 8));
        "0000000\0"u8.CopyTo(block.AsSpan(ModeAt + 16));
        WriteOctal(block.AsSpan(SizeAt, SizeDigits), size);
        WriteOctal(block.AsSpan(TimeAt, SizeDigits), modified.ToUnixTimeSeconds());
        block[KindAt] = RegularFile;
        "ustar\00000"u8.CopyTo(block.AsSpan(MagicAt));
        WriteOctal(block.AsSpan(SumAt, SumBytes - 2), SumOf(block));
        block[SumAt + SumBytes - 1] = (byte)' ';
        return block;
    }

    /// <summary>Reads a block; false: it is not that of a plain file.</summary>
    public static bool TryRead(ReadOnlySpan<byte> block, out string name, out long size)
    {
        name = "";
        size = 0;
        if (block.Length != BlockBytes || block[KindAt] is not (RegularFile or 0)
            || !TryReadOctal(block.Slice(SumAt, SumBytes), out var sum) || sum != SumOf(block)
            || !TryReadOctal(block.Slice(SizeAt, SizeBytes), out size))
        {
            return false;
        }

        var text = block[..NameBytes];
        var end = text.IndexOf((byte)0);
        name = Encoding.ASCII.GetString(end < 0 ? text : text[..end]);
        return true;
    }

    // The sum is taken with spaces in its own place.
    private static long SumOf(ReadOnlySpan<byte> block)
    {
        long sum = SumBytes * ' ';
        for (var i = 0; i < block.Length; i++)
        {
            sum += i is >= SumAt and < SumAt + SumBytes ? 0 : block[i];
        }

        return sum;
    }

    private static void WriteOctal(Span<byte> to, long value)
    {
        for (var i = to.Length - 1; i >= 0; i--)
        {
            to[i] = (byte)('0' + (value & 7));
            value >>= 3;
        }
    }

    private static bool TryReadOctal(ReadOnlySpan<byte> text, out long value)
    {
        value = 0;
        foreach (var digit in text.Trim(" \0"u8))
        {
            if (digit is < (byte)'0' or > (byte)'7')
            {
                return false;
            }

            value = (value << 3) | (uint)(digit - '0');
        }

        return true;
    }
}
