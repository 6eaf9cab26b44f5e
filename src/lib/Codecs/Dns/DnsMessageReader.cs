using System.Buffers.Binary;

namespace Codecs.Dns;

/// <summary>
/// Reads a message from bytes that anybody may have sent: it never throws, never allocates and always ends.
/// </summary>
/// <remarks>
/// Names end because a compression pointer must point before the run of labels that it closes (every hop is to
/// a strictly smaller offset) and because the expanded name is cut at 255 bytes.
/// </remarks>
/// <param name="message">The whole message, from its header on.</param>
/// <param name="start">Where reading begins; 0 for the header.</param>
public ref struct DnsMessageReader(ReadOnlySpan<byte> message, int start = 0)
{
    private const int PointerBits = 0xC0;

    // A name has at most 127 labels, so honest senders never need more hops; the bound keeps many records that
    // share one long chain from costing quadratic time.
    private const int HopsMax = 127;
    private readonly ReadOnlySpan<byte> _message = message;

    /// <summary>The offset of the next thing to read.</summary>
    public int Position { get; private set; } = start;

    /// <summary>Why the last Try method said no; <see cref="DnsReadError.None"/> when none has.</summary>
    public DnsReadError Error { get; private set; }

    public readonly bool AtEnd => Position >= _message.Length;

    public bool TryReadHeader(out DnsHeader header)
    {
        if (_message.Length < DnsLimits.HeaderBytes)
        {
            header = default;
            return Fail(DnsReadError.Truncated);
        }
        header = new DnsHeader(
            UInt16At(0), (DnsFlags)UInt16At(2), UInt16At(4), UInt16At(6), UInt16At(8), UInt16At(10));
        Position = DnsLimits.HeaderBytes;
        return true;
    }

    public bool TryReadQuestion(out DnsQuestion question)
    {
        question = default;
        int name = Position;
        if (!TrySkipName(out int end))
        {
            return false;
        }
        if (_message.Length - end < sizeof(ushort) + sizeof(ushort))
        {
            return Fail(DnsReadError.Truncated);
        }
        question = new DnsQuestion(name, (DnsType)UInt16At(end), (DnsClass)UInt16At(end + sizeof(ushort)));
        Position = end + sizeof(ushort) + sizeof(ushort);
        return true;
    }

    public bool TryReadRecord(out DnsRecord record)
    {
        record = default;
        int owner = Position;
        if (!TrySkipName(out int at))
        {
            return false;
        }
        if (_message.Length - at < DnsLimits.RecordFixedBytes)
        {
            return Fail(DnsReadError.Truncated);
        }
        int data = at + DnsLimits.RecordFixedBytes;
        int length = UInt16At(data - sizeof(ushort));
        if (length > _message.Length - data)
        {
            return Fail(DnsReadError.Truncated);
        }
        uint ttl = BinaryPrimitives.ReadUInt32BigEndian(_message[(at + 4)..]);
        record = new DnsRecord(owner, (DnsType)UInt16At(at), (DnsClass)UInt16At(at + 2), ttl, data, length);
        Position = data + length;
        return true;
    }

    /// <summary>
    /// Writes the name at <paramref name="offset"/> without compression, root label included, as it was sent.
    /// </summary>
    /// <param name="offset">Where the name begins: an owner, or inside a record's data.</param>
    /// <param name="destination">Room for <see cref="DnsLimits.NameBytesMax"/> bytes.</param>
    /// <param name="length">Bytes written.</param>
    /// <param name="end">The offset behind the name where it stands (behind its pointer, if it has one).</param>
    public bool TryExpandName(int offset, scoped Span<byte> destination, out int length, out int end)
    {
        length = 0;
        end = -1;
        int at = offset;
        int ceiling = offset;
        int hops = 0;
        while (true)
        {
            if ((uint)at >= (uint)_message.Length)
            {
                return Fail(DnsReadError.Truncated);
            }
            int size = _message[at];
            if (size >= PointerBits)
            {
                if (!TryFollow(at, ceiling, ref hops, out int target))
                {
                    return false;
                }
                end = end < 0 ? at + sizeof(ushort) : end;
                at = ceiling = target;
                continue;
            }
            if (!TryTakeLabel(at, size, length, destination))
            {
                return false;
            }
            length += size + 1;
            at += size + 1;
            if (size == 0)
            {
                end = end < 0 ? at : end;
                return true;
            }
        }
    }

    private bool TryTakeLabel(int at, int size, int length, scoped Span<byte> destination)
    {
        if (size > DnsLimits.LabelBytesMax)
        {
            return Fail(DnsReadError.BadLabel);
        }
        if (size >= _message.Length - at)
        {
            return Fail(DnsReadError.Truncated);
        }
        if (length + size + 1 > DnsLimits.NameBytesMax || length + size + 1 > destination.Length)
        {
            return Fail(DnsReadError.NameTooLong);
        }
        _message.Slice(at, size + 1).CopyTo(destination[length..]);
        return true;
    }

    // A pointer ends the name where it stands; whether the rest is sound is for the one who expands it.
    private bool TrySkipName(out int end)
    {
        int at = Position;
        end = at;
        while ((uint)at < (uint)_message.Length)
        {
            int size = _message[at];
            if (size >= PointerBits)
            {
                end = at + sizeof(ushort);
                return end <= _message.Length || Fail(DnsReadError.Truncated);
            }
            if (size > DnsLimits.LabelBytesMax)
            {
                return Fail(DnsReadError.BadLabel);
            }
            at += size + 1;
            if (size == 0)
            {
                end = at;
                return true;
            }
        }
        return Fail(DnsReadError.Truncated);
    }

    private bool TryFollow(int at, int ceiling, ref int hops, out int target)
    {
        target = 0;
        if (at + 1 >= _message.Length)
        {
            return Fail(DnsReadError.Truncated);
        }
        target = UInt16At(at) & (DnsLimits.PointerEnd - 1);
        return target < ceiling && ++hops <= HopsMax || Fail(DnsReadError.BadPointer);
    }

    private readonly ushort UInt16At(int offset) => BinaryPrimitives.ReadUInt16BigEndian(_message[offset..]);

    private bool Fail(DnsReadError error)
    {
        Error = error;
        return false;
    }
}
