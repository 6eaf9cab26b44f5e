using System.Runtime.CompilerServices;
using Format = Codecs.Lzw.LzwFormat;

namespace Codecs.Lzw;

/// <summary>Why a stream of codes was refused.</summary>
public enum LzwError
{
    None = 0,

    /// <summary>The stream ends without its end code.</summary>
    Truncated = 1,

    /// <summary>A code that nothing defined.</summary>
    BadCode = 2,

    /// <summary>The destination is full: the sender may mean harm.</summary>
    TooLarge = 3,
}

/// <summary>
/// Expands what <see cref="LzwEncoder"/> or Go's writer made, from bytes that anybody may have sent: it never throws
/// and writes at most what the destination holds.
/// </summary>
/// <remarks>
/// A code of the table means "what some earlier code stood for, and the byte that came behind it". Those bytes stand
/// in the output already, next to each other; so the table holds places in the output, and expanding is copying.
/// </remarks>
public static class LzwDecoder
{
    /// <param name="length">Bytes written.</param>
    [SkipLocalsInit]
    public static LzwError Decode(ReadOnlySpan<byte> source, Span<byte> destination, out int length)
    {
        // Entries are written before they are read: a code is taken only below the next free one.
        Span<int> starts = stackalloc int[Format.CodesMax];
        Span<ushort> lengths = stackalloc ushort[Format.CodesMax];
        var table = new Table(starts, lengths);
        length = 0;
        int at = 0;
        uint bits = 0;
        int available = 0;
        while (true)
        {
            while (available < table.Width)
            {
                if (at == source.Length)
                {
                    return LzwError.Truncated;
                }
                bits |= (uint)source[at++] << available;
                available += 8;
            }
            int code = (int)(bits & ((1u << table.Width) - 1));
            bits >>= table.Width;
            available -= table.Width;
            if (code == Format.End)
            {
                return LzwError.None;
            }
            if (code == Format.Clear)
            {
                table.Reset();
                continue;
            }
            LzwError error = table.Expand(code, destination, ref length);
            if (error != LzwError.None)
            {
                return error;
            }
        }
    }

    private ref struct Table(Span<int> starts, Span<ushort> lengths)
    {
        private readonly Span<int> _starts = starts;
        private readonly Span<ushort> _lengths = lengths;
        private int _next = Format.End;
        private int _lastStart;
        private int _lastLength;

        public int Width { get; private set; } = Format.WidthMin;

        public void Reset()
        {
            _next = Format.End;
            _lastLength = 0;
            Width = Format.WidthMin;
        }

        public LzwError Expand(int code, Span<byte> output, ref int length)
        {
            // The entry that this code completes: its bytes are the last code's and the first of this one's, which
            // is about to be written right behind them. A code may name that very entry.
            bool completes = _lastLength > 0;
            if (completes)
            {
                _starts[_next] = _lastStart;
                _lengths[_next] = (ushort)(_lastLength + 1);
            }
            if (code > _next)
            {
                return LzwError.BadCode;
            }
            int size = code < Format.Clear ? 1 : _lengths[code];
            if (size > output.Length - length)
            {
                return LzwError.TooLarge;
            }
            if (code < Format.Clear)
            {
                output[length] = (byte)code;
            }
            else
            {
                CopyForward(output, _starts[code], length, size);
            }
            _lastStart = length;
            _lastLength = size;
            length += size;
            Advance();
            return LzwError.None;
        }

        // A full table stays as it is until it is cleared.
        private void Advance()
        {
            if (++_next < 1 << Width)
            {
                return;
            }
            if (Width < Format.WidthMax)
            {
                Width++;
                return;
            }
            _next--;
            _lastLength = 0;
        }

        // The entry just completed reaches one byte into what is being written: only byte by byte is that byte there.
        private static void CopyForward(Span<byte> output, int from, int to, int size)
        {
            if (from + size <= to)
            {
                output.Slice(from, size).CopyTo(output[to..]);
                return;
            }
            for (int i = 0; i < size; i++)
            {
                output[to + i] = output[from + i];
            }
        }
    }
}
