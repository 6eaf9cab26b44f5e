using System.Buffers.Binary;
using System.Text;
using Format = Codecs.MessagePack.MessagePackFormat;

namespace Codecs.MessagePack;

/// <summary>
/// Writes values into the caller's buffer by the format's old specification: strings and bytes are both raw, and no
/// value is of the newer kinds (bin, str8, ext), which older readers do not know. It does not allocate.
/// </summary>
/// <remarks>
/// What does not fit is not written, and <see cref="Overflowed"/> stays true: so a caller may write a whole message
/// and look once.
/// </remarks>
/// <param name="buffer">Takes the values; its length is the limit.</param>
/// <param name="start">Where writing begins.</param>
public ref struct MessagePackWriter(Span<byte> buffer, int start = 0)
{
    private readonly Span<byte> _buffer = buffer;

    /// <summary>Bytes of the buffer in use, those before the start included.</summary>
    public int Length { get; private set; } = start;

    public bool Overflowed { get; private set; } = start > buffer.Length;

    public void WriteMapHeader(int count) => WriteCount(count, Format.FixMap, Format.Map16, Format.Map32);

    public void WriteArrayHeader(int count) => WriteCount(count, Format.FixArray, Format.Array16, Format.Array32);

    public void WriteNil() => WriteByte(Format.Nil);

    public void WriteBoolean(bool value) => WriteByte(value ? Format.True : Format.False);

    /// <summary>One byte as it is: not a value, but what protocols put before one.</summary>
    public void WriteByte(byte value)
    {
        if (Fits(1))
        {
            _buffer[Length++] = value;
        }
    }

    /// <summary>Bytes as they are: not a value, but what protocols put between them.</summary>
    public void WriteBytes(scoped ReadOnlySpan<byte> bytes)
    {
        if (Fits(bytes.Length))
        {
            bytes.CopyTo(_buffer[Length..]);
            Length += bytes.Length;
        }
    }

    /// <summary>A string or bytes.</summary>
    public void WriteRaw(scoped ReadOnlySpan<byte> raw)
    {
        WriteRawHeader(raw.Length);
        WriteBytes(raw);
    }

    /// <summary>Bytes; nil when there are none, as Go writes an absent slice.</summary>
    public void WriteRawOrNil(scoped ReadOnlySpan<byte> raw)
    {
        if (raw.IsEmpty)
        {
            WriteNil();
            return;
        }
        WriteRaw(raw);
    }

    public void WriteString(scoped ReadOnlySpan<char> text)
    {
        int length = Encoding.UTF8.GetByteCount(text);
        WriteRawHeader(length);
        if (Fits(length))
        {
            Length += Encoding.UTF8.GetBytes(text, _buffer[Length..]);
        }
    }

    public void WriteUInt64(ulong value)
    {
        switch (value)
        {
            case <= Format.PositiveFixMax:
                WriteByte((byte)value);
                break;
            case <= byte.MaxValue:
                WriteBigEndian(Format.UInt8, value, sizeof(byte));
                break;
            case <= ushort.MaxValue:
                WriteBigEndian(Format.UInt16, value, sizeof(ushort));
                break;
            case <= uint.MaxValue:
                WriteBigEndian(Format.UInt32, value, sizeof(uint));
                break;
            default:
                WriteBigEndian(Format.UInt64, value, sizeof(ulong));
                break;
        }
    }

    public void WriteInt64(long value)
    {
        switch (value)
        {
            case >= 0:
                WriteUInt64((ulong)value);
                break;
            case >= unchecked((sbyte)Format.NegativeFixMin):
                WriteByte((byte)value);
                break;
            case >= sbyte.MinValue:
                WriteBigEndian(Format.Int8, (ulong)value, sizeof(byte));
                break;
            case >= short.MinValue:
                WriteBigEndian(Format.Int16, (ulong)value, sizeof(short));
                break;
            case >= int.MinValue:
                WriteBigEndian(Format.Int32, (ulong)value, sizeof(int));
                break;
            default:
                WriteBigEndian(Format.Int64, (ulong)value, sizeof(long));
                break;
        }
    }

    public void WriteDouble(double value) =>
        WriteBigEndian(Format.Float64, BitConverter.DoubleToUInt64Bits(value), sizeof(double));

    /// <summary>The beginning of a string or bytes whose content the caller writes behind it.</summary>
    public void WriteRawHeader(int length)
    {
        if (length <= Format.FixRawMax)
        {
            WriteByte((byte)(Format.FixRaw | length));
        }
        else if (length <= ushort.MaxValue)
        {
            WriteBigEndian(Format.Raw16, (ulong)length, sizeof(ushort));
        }
        else
        {
            WriteBigEndian(Format.Raw32, (ulong)length, sizeof(uint));
        }
    }

    private void WriteCount(int count, byte fix, byte head16, byte head32)
    {
        if (count <= Format.FixCollectionMax)
        {
            WriteByte((byte)(fix | count));
        }
        else if (count <= ushort.MaxValue)
        {
            WriteBigEndian(head16, (ulong)count, sizeof(ushort));
        }
        else
        {
            WriteBigEndian(head32, (ulong)count, sizeof(uint));
        }
    }

    private void WriteBigEndian(byte head, ulong value, int size)
    {
        if (!Fits(1 + size))
        {
            return;
        }
        Span<byte> scratch = stackalloc byte[sizeof(ulong)];
        BinaryPrimitives.WriteUInt64BigEndian(scratch, value);
        _buffer[Length] = head;
        scratch[(sizeof(ulong) - size)..].CopyTo(_buffer[(Length + 1)..]);
        Length += 1 + size;
    }

    private bool Fits(int bytes)
    {
        if (Overflowed || bytes > _buffer.Length - Length)
        {
            Overflowed = true;
            return false;
        }
        return true;
    }
}
