namespace Codecs.Http2;

/// <summary>
/// Reads the fields of a block of headers (HPACK, RFC 7541) that anybody may have sent: it never throws or allocates,
/// and always ends.
/// </summary>
/// <remarks>
/// There is no dynamic table: whoever reads so has announced a table of size 0 (SETTINGS_HEADER_TABLE_SIZE), and a
/// block that refers to one is malformed.
/// </remarks>
/// <param name="block">The whole block, continuations included.</param>
/// <param name="scratch">Where packed texts are unpacked to, one name and one value at a time; a field that does not
/// fit is malformed.</param>
public ref struct HpackReader(ReadOnlySpan<byte> block, Span<byte> scratch)
{
    private const int IndexedBits = 7;
    private const int LiteralWithIndexBits = 6;
    private const int SizeBits = 5;
    private const int LiteralBits = 4;

    // Enough for every length and index that means anything here.
    private const int IntegerMax = 1 << 24;

    private readonly Span<byte> _scratch = scratch;
    private ReadOnlySpan<byte> _rest = block;

    /// <summary>The name of the field that was read last.</summary>
    public ReadOnlySpan<byte> Name { get; private set; }

    /// <summary>Its value. Both are valid until the next one is read.</summary>
    public ReadOnlySpan<byte> Value { get; private set; }

    /// <summary>Whether the block cannot be read.</summary>
    public bool IsMalformed { get; private set; }

    /// <summary>Reads the next field; false at the end, and when the rest cannot be read.</summary>
    public bool Next()
    {
        while (!IsMalformed && !_rest.IsEmpty)
        {
            var first = _rest[0];
            if ((first & 0x80) != 0)
            {
                return TryReadIndexed() || Fail();
            }

            if ((first & 0xE0) != 0x20)
            {
                return TryReadLiteral((first & 0x40) != 0 ? LiteralWithIndexBits : LiteralBits) || Fail();
            }

            // A new size of the table, of which only 0 was allowed.
            if (!TryReadInteger(SizeBits, out var size) || size != 0)
            {
                return Fail();
            }
        }

        return false;
    }

    private bool Fail()
    {
        Name = Value = default;
        IsMalformed = true;
        return false;
    }

    private bool TryReadIndexed()
    {
        if (!TryReadInteger(IndexedBits, out var index) || !HpackStatic.TryGet(index, out var name, out var value))
        {
            return false;
        }

        Name = name;
        Value = value;
        return true;
    }

    private bool TryReadLiteral(int bits)
    {
        if (!TryReadInteger(bits, out var index))
        {
            return false;
        }

        var room = _scratch;
        ReadOnlySpan<byte> name;
        if (index == 0 ? !TryReadText(ref room, out name) : !HpackStatic.TryGet(index, out name, out _))
        {
            return false;
        }

        if (!TryReadText(ref room, out var value))
        {
            return false;
        }

        Name = name;
        Value = value;
        return true;
    }

    private bool TryReadText(scoped ref Span<byte> room, out ReadOnlySpan<byte> text)
    {
        text = default;
        var isPacked = !_rest.IsEmpty && (_rest[0] & 0x80) != 0;
        if (!TryReadInteger(IndexedBits, out var length) || length > _rest.Length)
        {
            return false;
        }

        var bytes = _rest[..length];
        _rest = _rest[length..];
        if (!isPacked)
        {
            text = bytes;
            return true;
        }

        var start = _scratch.Length - room.Length;
        if (!HpackHuffman.TryUnpack(bytes, room, out var written))
        {
            return false;
        }

        text = _scratch.Slice(start, written);
        room = _scratch[(start + written)..];
        return true;
    }

    private bool TryReadInteger(int prefixBits, out int value)
    {
        value = 0;
        if (_rest.IsEmpty)
        {
            return false;
        }

        var mask = (1 << prefixBits) - 1;
        value = _rest[0] & mask;
        _rest = _rest[1..];
        if (value < mask)
        {
            return true;
        }

        for (var shift = 0; !_rest.IsEmpty; shift += 7)
        {
            var next = _rest[0];
            _rest = _rest[1..];
            value += (next & 0x7F) << shift;
            if (value > IntegerMax || shift > 21)
            {
                return false;
            }

            if ((next & 0x80) == 0)
            {
                return true;
            }
        }

        return false;
    }
}
