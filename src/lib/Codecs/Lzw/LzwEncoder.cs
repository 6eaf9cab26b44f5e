using Format = Codecs.Lzw.LzwFormat;

namespace Codecs.Lzw;

/// <summary>
/// Compresses byte for byte as Go's compress/lzw does in its order LSB with 8-bit literals. Keeps its table between
/// calls (64 KiB), so that a call does not allocate; one thread at a time.
/// </summary>
public sealed class LzwEncoder
{
    // A table half full at worst (at most 3,838 entries before it is emptied) keeps the probes short.
    private const int SlotBits = 13;

    // Generation (32 bits), the code that goes before (12), the literal (8), the code of both together (12).
    private readonly ulong[] _slots = new ulong[1 << SlotBits];
    private uint _generation;

    /// <summary>Whether all of it fitted; when not, the destination's content means nothing.</summary>
    /// <param name="length">Bytes written.</param>
    public bool TryEncode(ReadOnlySpan<byte> source, Span<byte> destination, out int length)
    {
        var output = new BitWriter(destination);
        Forget();
        int next = Format.End;
        int width = Format.WidthMin;
        output.Write(Format.Clear, width);
        int code = -1;
        foreach (byte literal in source)
        {
            if (code < 0)
            {
                code = literal;
                continue;
            }
            uint key = ((uint)code << Format.LiteralBits) | literal;
            ref ulong slot = ref SlotOf(key, out bool isKnown);
            if (isKnown)
            {
                code = (int)(slot & (Format.CodesMax - 1));
                continue;
            }
            output.Write(code, width);
            code = literal;
            if (!TryGrow(ref next, ref width, ref output))
            {
                continue;
            }
            slot = ((ulong)_generation << 32) | (key << Format.WidthMax) | (uint)next;
        }
        if (code >= 0)
        {
            output.Write(code, width);
            _ = TryGrow(ref next, ref width, ref output);
        }
        output.Write(Format.End, width);
        length = output.Finish();
        return !output.Overflowed;
    }

    // Takes the next code; a table one short of full is emptied instead, with word to the reader.
    private bool TryGrow(ref int next, ref int width, ref BitWriter output)
    {
        next++;
        if (next == 1 << width)
        {
            width++;
        }
        if (next < Format.CodesMax - 1)
        {
            return true;
        }
        output.Write(Format.Clear, width);
        next = Format.End;
        width = Format.WidthMin;
        Forget();
        return false;
    }

    // Where the entry of (code, literal) is, or would be.
    private ref ulong SlotOf(uint key, out bool isKnown)
    {
        const uint Mix = 2654435769; // 2^32 / golden ratio: spreads neighbouring keys
        uint at = (key * Mix) >> (32 - SlotBits);
        while (true)
        {
            ref ulong slot = ref _slots[at];
            isKnown = slot >> 32 == _generation;
            if (!isKnown || (uint)slot >> Format.WidthMax == key)
            {
                return ref slot;
            }
            at = (at + 1) & ((1 << SlotBits) - 1);
        }
    }

    // Entries of another generation count as empty; only when the numbers run out is the table really wiped.
    private void Forget()
    {
        if (++_generation == 0)
        {
            Array.Clear(_slots);
            _generation = 1;
        }
    }

    private ref struct BitWriter(Span<byte> destination)
    {
        private readonly Span<byte> _destination = destination;
        private int _length;
        private uint _bits;
        private int _pending;

        public bool Overflowed { get; private set; }

        public void Write(int code, int width)
        {
            _bits |= (uint)code << _pending;
            _pending += width;
            while (_pending >= 8)
            {
                Put((byte)_bits);
                _bits >>= 8;
                _pending -= 8;
            }
        }

        public int Finish()
        {
            if (_pending > 0)
            {
                Put((byte)_bits);
                _pending = 0;
            }
            return _length;
        }

        private void Put(byte value)
        {
            if (_length == _destination.Length)
            {
                Overflowed = true;
                return;
            }
            _destination[_length++] = value;
        }
    }
}
