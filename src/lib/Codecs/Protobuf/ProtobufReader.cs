using System.Buffers.Binary;
using Format = Codecs.Protobuf.ProtobufFormat;

namespace Codecs.Protobuf;

/// <summary>
/// Reads the fields of one protobuf message from bytes that anybody may have sent: it never throws, allocates or
/// recurses, and always ends.
/// </summary>
/// <remarks>
/// <para><c>while (reader.Next()) switch (reader.Field) …</c>, and look at <see cref="IsMalformed"/> after it. A field
/// of another kind than expected reads as 0 or empty; unknown fields are passed over by not looking at them. A message
/// within the message is a field with bytes and gets a reader of its own.</para>
/// <para>Groups, which the format gave up long ago, are malformed here.</para>
/// </remarks>
/// <param name="message">The message, without a length or frame around it.</param>
public ref struct ProtobufReader(ReadOnlySpan<byte> message)
{
    private ReadOnlySpan<byte> _rest = message;

    /// <summary>The number of the field that was read last.</summary>
    public int Field { get; private set; }

    /// <summary>The field's value when it is a number; else 0.</summary>
    public ulong Number { get; private set; }

    /// <summary>The field's value when it is bytes, a text or a message, as a view of what is read from; else
    /// empty.</summary>
    public ReadOnlySpan<byte> Bytes { get; private set; }

    /// <summary>Whether the bytes are no protobuf message: cut off, or with a field that cannot be.</summary>
    public bool IsMalformed { get; private set; }

    /// <summary>Reads the next field; false at the end, and when the rest cannot be read.</summary>
    public bool Next()
    {
        Number = 0;
        Bytes = default;
        if (_rest.IsEmpty || IsMalformed)
        {
            return false;
        }

        if (!TryReadVarint(out var tag) || tag >> Format.KindBits is 0 or > Format.FieldMax)
        {
            return Fail();
        }

        Field = (int)(tag >> Format.KindBits);
        return TryReadValue((int)(tag & Format.KindMask)) || Fail();
    }

    private bool TryReadValue(int kind)
    {
        ulong value;
        switch (kind)
        {
            case Format.Varint when TryReadVarint(out value):
                Number = value;
                return true;
            case Format.Fixed64 when TryTake(sizeof(ulong), out var eight):
                Number = BinaryPrimitives.ReadUInt64LittleEndian(eight);
                return true;
            case Format.Fixed32 when TryTake(sizeof(uint), out var four):
                Number = BinaryPrimitives.ReadUInt32LittleEndian(four);
                return true;
            case Format.Delimited when TryReadVarint(out value) && TryTake(value, out var bytes):
                Bytes = bytes;
                return true;
            default:
                return false;
        }
    }

    private bool TryTake(ulong count, out ReadOnlySpan<byte> taken)
    {
        if (count > (ulong)_rest.Length)
        {
            taken = default;
            return false;
        }

        taken = _rest[..(int)count];
        _rest = _rest[(int)count..];
        return true;
    }

    private bool TryReadVarint(out ulong value)
    {
        value = 0;
        for (var i = 0; i < _rest.Length; i++)
        {
            var shift = i * Format.VarintBitsPerByte;
            if (shift > Format.VarintShiftMax)
            {
                return false;
            }

            value |= (ulong)(_rest[i] & ~Format.VarintMore) << shift;
            if (_rest[i] < Format.VarintMore)
            {
                _rest = _rest[(i + 1)..];
                return true;
            }
        }

        return false;
    }

    private bool Fail()
    {
        IsMalformed = true;
        Number = 0;
        Bytes = default;
        return false;
    }
}
