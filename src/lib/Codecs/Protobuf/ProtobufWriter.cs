using System.Text;
using Format = Codecs.Protobuf.ProtobufFormat;

namespace Codecs.Protobuf;

/// <summary>Writes the fields of protobuf messages into the caller's buffer. It does not allocate.</summary>
/// <remarks>
/// <para>A message within a message stands behind its length, so who writes one computes the length first
/// (<see cref="ProtobufFormat.SizeOfBytes"/>) and thereby knows the size of the buffer, too.</para>
/// <para>What does not fit is not written, and <see cref="Overflowed"/> stays true.</para>
/// </remarks>
/// <param name="buffer">Takes the fields; its length is the limit.</param>
public ref struct ProtobufWriter(Span<byte> buffer)
{
    private readonly Span<byte> _buffer = buffer;

    /// <summary>Bytes of the buffer in use.</summary>
    public int Length { get; private set; }

    /// <summary>Whether something did not fit.</summary>
    public bool Overflowed { get; private set; }

    /// <summary>A number; a boolean is 0 or 1, and a negative number is cast.</summary>
    public void WriteNumber(int field, ulong value)
    {
        WriteVarint((uint)field << Format.KindBits);
        WriteVarint(value);
    }

    /// <summary>Bytes.</summary>
    public void WriteBytes(int field, scoped ReadOnlySpan<byte> bytes)
    {
        WriteMessageHeader(field, bytes.Length);
        if (Fits(bytes.Length))
        {
            bytes.CopyTo(_buffer[Length..]);
            Length += bytes.Length;
        }
    }

    /// <summary>A text.</summary>
    public void WriteText(int field, scoped ReadOnlySpan<char> text)
    {
        var length = Encoding.UTF8.GetByteCount(text);
        WriteMessageHeader(field, length);
        if (Fits(length))
        {
            Length += Encoding.UTF8.GetBytes(text, _buffer[Length..]);
        }
    }

    /// <summary>What stands before the fields of a message within the message.</summary>
    /// <param name="field">The field's number.</param>
    /// <param name="length">How many bytes its fields take.</param>
    public void WriteMessageHeader(int field, int length)
    {
        WriteVarint(((uint)field << Format.KindBits) | Format.Delimited);
        WriteVarint((uint)length);
    }

    private void WriteVarint(ulong value)
    {
        if (!Fits(Format.SizeOfVarint(value)))
        {
            return;
        }

        for (; value >= Format.VarintMore; value >>= Format.VarintBitsPerByte)
        {
            _buffer[Length++] = (byte)(value | Format.VarintMore);
        }

        _buffer[Length++] = (byte)value;
    }

    private bool Fits(int count)
    {
        Overflowed |= count > _buffer.Length - Length;
        return !Overflowed;
    }
}
