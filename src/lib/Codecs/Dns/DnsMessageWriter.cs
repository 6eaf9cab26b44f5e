using System.Buffers.Binary;

namespace Codecs.Dns;

/// <summary>
/// Writes a message into the caller's buffer, with name compression, without allocating.
/// </summary>
/// <remarks>
/// What does not fit is not written, and <see cref="Overflowed"/> stays true until <see cref="Rewind"/>: so a caller
/// may write a whole section and look once. Compression keeps the offsets of names in the caller's hash table; an
/// entry is only a hint and is compared with the message's bytes before it is used, so that entries left behind
/// by a rewind are harmless. Comparison is exact: a name sent back has the letters that were registered.
/// </remarks>
public ref struct DnsMessageWriter
{
    private const int PointerBits = 0xC000;
    private const int ProbesMax = 8;
    private readonly Span<byte> _buffer;
    private readonly Span<ushort> _names;
    private int _dataAt;

    /// <param name="buffer">Takes the message; its length is the message's limit.</param>
    /// <param name="names">A power of two of slots for compression (cleared here); empty switches compression off.
    /// 512 serve a message of some hundred names; when it is full, later names are written in full.</param>
    public DnsMessageWriter(Span<byte> buffer, Span<ushort> names)
    {
        _buffer = buffer;
        _names = names;
        _names.Clear();
        Length = Math.Min(DnsLimits.HeaderBytes, buffer.Length);
        _buffer[..Length].Clear();
        Overflowed = buffer.Length < DnsLimits.HeaderBytes;
    }

    private DnsMessageWriter(Span<byte> buffer, int length)
    {
        _buffer = buffer;
        _names = [];
        Length = length;
    }

    public int Length { get; private set; }

    public bool Overflowed { get; private set; }

    /// <summary>Goes on behind the first <paramref name="length"/> bytes of a message, without compression.</summary>
    public static DnsMessageWriter Continue(Span<byte> buffer, int length) => new(buffer, length);

    /// <param name="flags">Without an answer code among them.</param>
    public void SetHeader(ushort id, DnsFlags flags, DnsResponseCode code)
    {
        if (Overflowed && Length < DnsLimits.HeaderBytes)
        {
            return;
        }
        BinaryPrimitives.WriteUInt16BigEndian(_buffer, id);
        int bits = (int)flags | (int)code;
        BinaryPrimitives.WriteUInt16BigEndian(_buffer[2..], (ushort)bits);
    }

    public void SetCounts(int questions, int answers, int authorities, int additionals)
    {
        if (Length < DnsLimits.HeaderBytes)
        {
            return;
        }
        BinaryPrimitives.WriteUInt16BigEndian(_buffer[4..], (ushort)questions);
        BinaryPrimitives.WriteUInt16BigEndian(_buffer[6..], (ushort)answers);
        BinaryPrimitives.WriteUInt16BigEndian(_buffer[8..], (ushort)authorities);
        BinaryPrimitives.WriteUInt16BigEndian(_buffer[10..], (ushort)additionals);
    }

    /// <summary>Takes back everything written from <paramref name="length"/> on.</summary>
    public void Rewind(int length)
    {
        Length = length;
        Overflowed = false;
    }

    /// <param name="name">Uncompressed wire form; the letters are kept.</param>
    public void WriteQuestion(scoped ReadOnlySpan<byte> name, DnsType type, DnsClass @class)
    {
        WriteName(name, compress: false);
        WriteUInt16((ushort)type);
        WriteUInt16((ushort)@class);
    }

    /// <summary>Begins a record; its data follow, then <see cref="EndRecord"/>.</summary>
    public void BeginRecord(scoped ReadOnlySpan<byte> owner, DnsType type, DnsClass @class, uint ttl)
    {
        WriteName(owner, compress: true);
        BeginData(type, @class, ttl);
    }

    /// <summary>Begins a record whose owner is the name that stands at <paramref name="ownerOffset"/>.</summary>
    public void BeginRecordOf(int ownerOffset, DnsType type, DnsClass @class, uint ttl)
    {
        WriteUInt16((ushort)(PointerBits | ownerOffset));
        BeginData(type, @class, ttl);
    }

    public void EndRecord()
    {
        if (!Overflowed)
        {
            BinaryPrimitives.WriteUInt16BigEndian(_buffer[(_dataAt - sizeof(ushort))..], (ushort)(Length - _dataAt));
        }
    }

    public void WriteUInt16(ushort value)
    {
        if (Fits(sizeof(ushort)))
        {
            BinaryPrimitives.WriteUInt16BigEndian(_buffer[Length..], value);
            Length += sizeof(ushort);
        }
    }

    public void WriteUInt32(uint value)
    {
        if (Fits(sizeof(uint)))
        {
            BinaryPrimitives.WriteUInt32BigEndian(_buffer[Length..], value);
            Length += sizeof(uint);
        }
    }

    public void WriteBytes(scoped ReadOnlySpan<byte> bytes)
    {
        if (Fits(bytes.Length))
        {
            bytes.CopyTo(_buffer[Length..]);
            Length += bytes.Length;
        }
    }

    /// <summary>The OPT pseudo record of EDNS0.</summary>
    public void WriteOpt(ushort udpSize, uint extendedFlags, scoped ReadOnlySpan<byte> options)
    {
        WriteBytes([0]);
        BeginData(DnsType.Opt, (DnsClass)udpSize, extendedFlags);
        WriteBytes(options);
        EndRecord();
    }

    /// <param name="name">Uncompressed wire form, root label included; trusted (from this program).</param>
    /// <param name="compress">Whether a pointer may replace its tail (not in the data of SRV: RFC 2782).</param>
    public void WriteName(scoped ReadOnlySpan<byte> name, bool compress)
    {
        int at = 0;
        while (!_names.IsEmpty && name[at] != 0)
        {
            ReadOnlySpan<byte> tail = name[at..];
            int known = FindOrRemember(tail, Length);
            if (known != 0)
            {
                if (compress)
                {
                    WriteUInt16((ushort)(PointerBits | known));
                    return;
                }
                break; // whoever remembered this tail remembered all shorter ones
            }
            int label = name[at] + 1;
            WriteBytes(tail[..label]);
            at += label;
        }
        WriteBytes(name[at..]);
    }

    private void BeginData(DnsType type, DnsClass @class, uint ttl)
    {
        if (!Fits(DnsLimits.RecordFixedBytes))
        {
            return;
        }
        Span<byte> head = _buffer[Length..];
        BinaryPrimitives.WriteUInt16BigEndian(head, (ushort)type);
        BinaryPrimitives.WriteUInt16BigEndian(head[2..], (ushort)@class);
        BinaryPrimitives.WriteUInt32BigEndian(head[4..], ttl);
        Length += DnsLimits.RecordFixedBytes;
        _dataAt = Length;
    }

    // Returns the offset of an equal name, else notes that this one will stand at the given offset and returns 0
    // (offset 0 is the header, so no name stands there).
    private readonly int FindOrRemember(scoped ReadOnlySpan<byte> name, int offset)
    {
        uint slot = Hash(name);
        for (int probe = 0; probe < ProbesMax; probe++, slot++)
        {
            ref ushort entry = ref _names[(int)(slot & (uint)(_names.Length - 1))];
            if (entry == 0)
            {
                entry = offset < DnsLimits.PointerEnd ? (ushort)offset : entry;
                return 0;
            }
            if (entry < offset && StandsAt(entry, name))
            {
                return entry;
            }
        }
        return 0;
    }

    private readonly bool StandsAt(int at, scoped ReadOnlySpan<byte> name)
    {
        int read = 0;
        while (at < Length)
        {
            int size = _buffer[at];
            if (size > DnsLimits.LabelBytesMax)
            {
                int target = at + 1 < Length ? ((size << 8) | _buffer[at + 1]) & (DnsLimits.PointerEnd - 1) : at;
                if (target >= at)
                {
                    return false;
                }
                at = target;
                continue;
            }
            if (size != name[read] || at + size >= Length
                || !_buffer.Slice(at, size + 1).SequenceEqual(name.Slice(read, size + 1)))
            {
                return false;
            }
            if (size == 0)
            {
                return true;
            }
            read += size + 1;
            at += size + 1;
        }
        return false;
    }

    private static uint Hash(scoped ReadOnlySpan<byte> name)
    {
        // FNV-1a: names are short, and the table is thrown away after each message.
        const uint Basis = 2166136261, Prime = 16777619;
        uint hash = Basis;
        foreach (byte b in name)
        {
            hash = (hash ^ b) * Prime;
        }
        return hash ^ (hash >> 15);
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
