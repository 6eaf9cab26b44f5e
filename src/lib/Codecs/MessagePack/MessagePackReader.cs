using System.Buffers.Binary;
using System.Text;
using System.Text.Unicode;
using Format = Codecs.MessagePack.MessagePackFormat;

namespace Codecs.MessagePack;

/// <summary>
/// Reads values from bytes that anybody may have sent: it never throws, never recurses and always ends.
/// </summary>
/// <remarks>
/// <para>It takes what both specifications write: raw, str and bin are the same thing here, and nil stands for the
/// empty or zero value of whatever is asked for (Go writes an absent slice so).</para>
/// <para>A collection's count is believed only as far as bytes for that many elements are left, so a caller may
/// allocate by it.</para>
/// </remarks>
/// <param name="bytes">The values, one behind the other.</param>
/// <param name="start">Where reading begins.</param>
public ref struct MessagePackReader(ReadOnlySpan<byte> bytes, int start = 0)
{
    private readonly ReadOnlySpan<byte> _bytes = bytes;

    /// <summary>The offset of the next value.</summary>
    public int Position { get; private set; } = start;

    /// <summary>Why the last Try method said no; <see cref="MessagePackReadError.None"/> when none has.</summary>
    public MessagePackReadError Error { get; private set; }

    public readonly int Remaining => _bytes.Length - Position;

    /// <summary>What stands next, by its first byte; <see cref="MessagePackKind.None"/> at the end and for what is
    /// not read here.</summary>
    public readonly MessagePackKind Peek() => Remaining < 1 ? MessagePackKind.None : _bytes[Position] switch
    {
        <= Format.PositiveFixMax or >= Format.NegativeFixMin or (>= Format.UInt8 and <= Format.Int64) =>
            MessagePackKind.Integer,
        < Format.FixArray or Format.Map16 or Format.Map32 => MessagePackKind.Map,
        < Format.FixRaw or Format.Array16 or Format.Array32 => MessagePackKind.Array,
        < Format.Nil or (>= Format.Bin8 and <= Format.Bin32) or (>= Format.Raw8 and <= Format.Raw32) =>
            MessagePackKind.Raw,
        Format.Nil => MessagePackKind.Nil,
        Format.True or Format.False => MessagePackKind.Boolean,
        Format.Float32 or Format.Float64 => MessagePackKind.Float,
        _ => MessagePackKind.None,
    };

    /// <summary>Whether what stands next says nothing: nil, no, 0, or an empty text, list or map, as Go leaves
    /// out.</summary>
    public readonly bool IsZero()
    {
        var look = this;
        return look.Peek() switch
        {
            MessagePackKind.Nil => true,
            MessagePackKind.Boolean => look.TryReadBoolean(out bool flag) && !flag,
            MessagePackKind.Integer or MessagePackKind.Float => look.TryReadDouble(out double number) && number == 0,
            MessagePackKind.Raw => look.TryReadRaw(out var raw) && raw.IsEmpty,
            MessagePackKind.Array => look.TryReadArrayHeader(out int elements) && elements == 0,
            MessagePackKind.Map => look.TryReadMapHeader(out int pairs) && pairs == 0,
            _ => false,
        };
    }

    /// <summary>Goes back to where it was before.</summary>
    /// <param name="position">An earlier <see cref="Position"/>.</param>
    public void Return(int position) => Position = Math.Min(position, Position);

    /// <param name="count">Pairs of key and value that follow.</param>
    public bool TryReadMapHeader(out int count) =>
        TryReadCount(Format.FixMap, Format.Map16, Format.Map32, bytesPerElement: 2, out count);

    /// <param name="count">Values that follow.</param>
    public bool TryReadArrayHeader(out int count) =>
        TryReadCount(Format.FixArray, Format.Array16, Format.Array32, bytesPerElement: 1, out count);

    /// <summary>A string or bytes, as a view of what is read from.</summary>
    public bool TryReadRaw(out ReadOnlySpan<byte> raw)
    {
        raw = default;
        if (Remaining < 1)
        {
            return Fail(MessagePackReadError.Truncated);
        }
        byte head = _bytes[Position];
        if (head == Format.Nil)
        {
            Position++;
            return true;
        }
        int lengthBytes = head switch
        {
            Format.Bin8 or Format.Raw8 => 1,
            Format.Bin16 or Format.Raw16 => 2,
            Format.Bin32 or Format.Raw32 => 4,
            >= Format.FixRaw and <= Format.FixRaw + Format.FixRawMax => 0,
            _ => -1,
        };
        if (lengthBytes < 0)
        {
            return Fail(MessagePackReadError.UnexpectedType);
        }
        if (!TryPeekBigEndian(lengthBytes, out ulong length))
        {
            return Fail(MessagePackReadError.Truncated);
        }
        length = lengthBytes == 0 ? (ulong)(head - Format.FixRaw) : length;
        int at = Position + 1 + lengthBytes;
        if (length > (ulong)(_bytes.Length - at))
        {
            return Fail(MessagePackReadError.Truncated);
        }
        raw = _bytes.Slice(at, (int)length);
        Position = at + (int)length;
        return true;
    }

    /// <summary>A string that must be UTF-8, so that two different names never become one.</summary>
    public bool TryReadString(out string text)
    {
        text = "";
        if (!TryReadRaw(out ReadOnlySpan<byte> raw))
        {
            return false;
        }
        if (!Utf8.IsValid(raw))
        {
            return Fail(MessagePackReadError.BadText);
        }
        text = Encoding.UTF8.GetString(raw);
        return true;
    }

    public bool TryReadBoolean(out bool value)
    {
        value = false;
        if (Remaining < 1)
        {
            return Fail(MessagePackReadError.Truncated);
        }
        byte head = _bytes[Position];
        if (head is not (Format.True or Format.False or Format.Nil))
        {
            return Fail(MessagePackReadError.UnexpectedType);
        }
        value = head == Format.True;
        Position++;
        return true;
    }

    public bool TryReadUInt64(out ulong value)
    {
        value = 0;
        if (!TryReadInteger(out long signed, out bool isUnsigned))
        {
            return false;
        }
        value = (ulong)signed;
        return isUnsigned || signed >= 0 || Fail(MessagePackReadError.OutOfRange);
    }

    /// <param name="max">The largest value that is taken.</param>
    public bool TryReadUInt32(out uint value, uint max = uint.MaxValue)
    {
        value = 0;
        if (!TryReadUInt64(out ulong wide))
        {
            return false;
        }
        if (wide > max)
        {
            return Fail(MessagePackReadError.OutOfRange);
        }
        value = (uint)wide;
        return true;
    }

    public bool TryReadInt64(out long value)
    {
        if (!TryReadInteger(out value, out bool isUnsigned))
        {
            return false;
        }
        return !isUnsigned || value >= 0 || Fail(MessagePackReadError.OutOfRange);
    }

    /// <summary>A number of any kind.</summary>
    public bool TryReadDouble(out double value)
    {
        value = 0;
        if (Remaining < 1)
        {
            return Fail(MessagePackReadError.Truncated);
        }
        byte head = _bytes[Position];
        if (head is not (Format.Float32 or Format.Float64))
        {
            bool isInteger = TryReadInteger(out long whole, out bool isUnsigned);
            value = isUnsigned ? (ulong)whole : whole;
            return isInteger;
        }
        int size = head == Format.Float64 ? sizeof(double) : sizeof(float);
        if (!TryPeekBigEndian(size, out ulong bits))
        {
            return Fail(MessagePackReadError.Truncated);
        }
        value = head == Format.Float64
            ? BitConverter.UInt64BitsToDouble(bits)
            : BitConverter.UInt32BitsToSingle((uint)bits);
        Position += 1 + size;
        return true;
    }

    /// <summary>Steps over one value and everything in it; time is linear in its bytes, whatever its depth.</summary>
    public bool TrySkip()
    {
        // What most values are is stepped over here: whole states are looked over by this.
        ReadOnlySpan<byte> bytes = _bytes;
        int start = Position;
        int at = start;
        long values = 1;
        while (values > 0)
        {
            if (at >= bytes.Length)
            {
                Position = start;
                return Fail(MessagePackReadError.Truncated);
            }
            byte head = bytes[at];
            switch (head)
            {
                case <= Format.PositiveFixMax or >= Format.NegativeFixMin or Format.Nil or Format.False or Format.True:
                    at++;
                    values--;
                    break;
                case >= Format.FixRaw and < Format.Nil when head - Format.FixRaw < bytes.Length - at:
                    at += 1 + head - Format.FixRaw;
                    values--;
                    break;
                default:
                    Position = at;
                    if (!TrySkipOne(out long inner))
                    {
                        Position = start;
                        return false;
                    }
                    at = Position;
                    values += inner - 1;
                    break;
            }
        }
        Position = at;
        return true;
    }

    private bool TrySkipOne(out long inner)
    {
        inner = 0;
        if (Remaining < 1)
        {
            return Fail(MessagePackReadError.Truncated);
        }
        byte head = _bytes[Position];
        switch (head)
        {
            case (>= Format.FixMap and < Format.FixArray) or Format.Map16 or Format.Map32:
                bool isMap = TryReadMapHeader(out int pairs);
                inner = 2L * pairs;
                return isMap;
            case (>= Format.FixArray and < Format.FixRaw) or Format.Array16 or Format.Array32:
                bool isArray = TryReadArrayHeader(out int elements);
                inner = elements;
                return isArray;
            case (>= Format.FixRaw and < Format.Nil) or (>= Format.Bin8 and <= Format.Bin32)
                or (>= Format.Raw8 and <= Format.Raw32):
                return TryReadRaw(out _);
            default:
                return TrySkipFixed(head);
        }
    }

    private bool TrySkipFixed(byte head)
    {
        // The bytes behind the first one; an extension has one more for its kind.
        ulong size;
        switch (head)
        {
            case <= Format.PositiveFixMax or >= Format.NegativeFixMin or Format.Nil or Format.True or Format.False:
                size = 0;
                break;
            case Format.Float32 or Format.Float64:
                size = head == Format.Float32 ? 4ul : 8ul;
                break;
            case >= Format.UInt8 and <= Format.UInt64:
                size = 1ul << (head - Format.UInt8);
                break;
            case >= Format.Int8 and <= Format.Int64:
                size = 1ul << (head - Format.Int8);
                break;
            case >= Format.FixExt1 and <= Format.FixExt16:
                size = 1 + (1ul << (head - Format.FixExt1));
                break;
            case >= Format.Ext8 and <= Format.Ext32:
                int lengthBytes = 1 << (head - Format.Ext8);
                if (!TryPeekBigEndian(lengthBytes, out ulong length))
                {
                    return Fail(MessagePackReadError.Truncated);
                }
                size = (ulong)lengthBytes + 1 + length;
                break;
            default:
                return Fail(MessagePackReadError.UnexpectedType);
        }
        if (size > (ulong)(Remaining - 1))
        {
            return Fail(MessagePackReadError.Truncated);
        }
        Position += 1 + (int)size;
        return true;
    }

    private bool TryReadCount(byte fix, byte head16, byte head32, int bytesPerElement, out int count)
    {
        count = 0;
        if (Remaining < 1)
        {
            return Fail(MessagePackReadError.Truncated);
        }
        byte head = _bytes[Position];
        int lengthBytes = head == head16 ? sizeof(ushort) : head == head32 ? sizeof(uint) : 0;
        bool isFix = head >= fix && head <= fix + Format.FixCollectionMax;
        if (lengthBytes == 0 && !isFix && head != Format.Nil)
        {
            return Fail(MessagePackReadError.UnexpectedType);
        }
        if (!TryPeekBigEndian(lengthBytes, out ulong wide))
        {
            return Fail(MessagePackReadError.Truncated);
        }
        wide = isFix ? (ulong)(head - fix) : wide;
        int at = Position + 1 + lengthBytes;
        if (wide > (ulong)((_bytes.Length - at) / bytesPerElement))
        {
            return Fail(MessagePackReadError.Truncated);
        }
        count = (int)wide;
        Position = at;
        return true;
    }

    // The 64 bits, and whether they are a number without a sign.
    private bool TryReadInteger(out long bits, out bool isUnsigned)
    {
        bits = 0;
        isUnsigned = false;
        if (Remaining < 1)
        {
            return Fail(MessagePackReadError.Truncated);
        }
        byte head = _bytes[Position];
        if (head is <= Format.PositiveFixMax or >= Format.NegativeFixMin or Format.Nil)
        {
            bits = head == Format.Nil ? 0 : (sbyte)head;
            Position++;
            return true;
        }
        isUnsigned = head is >= Format.UInt8 and <= Format.UInt64;
        if (!isUnsigned && head is not (>= Format.Int8 and <= Format.Int64))
        {
            return Fail(MessagePackReadError.UnexpectedType);
        }
        int size = 1 << (head - (isUnsigned ? Format.UInt8 : Format.Int8));
        if (!TryPeekBigEndian(size, out ulong wide))
        {
            return Fail(MessagePackReadError.Truncated);
        }
        int unused = 64 - 8 * size;
        bits = isUnsigned ? (long)wide : (long)(wide << unused) >> unused;
        Position += 1 + size;
        return true;
    }

    // The number behind the first byte of the value.
    private readonly bool TryPeekBigEndian(int size, out ulong value)
    {
        value = 0;
        if (size > Remaining - 1)
        {
            return false;
        }
        ReadOnlySpan<byte> from = _bytes[(Position + 1)..];
        value = size switch
        {
            0 => 0,
            1 => from[0],
            2 => BinaryPrimitives.ReadUInt16BigEndian(from),
            4 => BinaryPrimitives.ReadUInt32BigEndian(from),
            _ => BinaryPrimitives.ReadUInt64BigEndian(from),
        };
        return true;
    }

    private bool Fail(MessagePackReadError error)
    {
        Error = error;
        return false;
    }
}
