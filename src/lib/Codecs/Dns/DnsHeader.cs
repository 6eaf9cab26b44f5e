namespace Codecs.Dns;

/// <summary>The fixed twelve bytes in front of every message.</summary>
public readonly record struct DnsHeader(
    ushort Id,
    DnsFlags Flags,
    ushort Questions,
    ushort Answers,
    ushort Authorities,
    ushort Additionals)
{
    private const int OpcodeShift = 11;
    private const int OpcodeBits = 0x7800;
    private const int ResponseCodeBits = 0x000F;

    public bool IsResponse => (Flags & DnsFlags.Response) != DnsFlags.None;

    /// <summary>The opcode where it stands among the flags, to be echoed.</summary>
    public DnsFlags OpcodeFlags => (DnsFlags)((int)Flags & OpcodeBits);

    public DnsOpcode Opcode => (DnsOpcode)(((int)Flags & OpcodeBits) >> OpcodeShift);

    public DnsResponseCode ResponseCode => (DnsResponseCode)((int)Flags & ResponseCodeBits);
}

/// <summary>A question: where its name stands in the message, and what is asked about it.</summary>
public readonly record struct DnsQuestion(int NameOffset, DnsType Type, DnsClass Class);

/// <summary>A record: where its owner and its data stand. For OPT, class is a size and TTL flags.</summary>
public readonly record struct DnsRecord(
    int OwnerOffset,
    DnsType Type,
    DnsClass Class,
    uint Ttl,
    int DataOffset,
    int DataLength);

/// <summary>Why a message could not be read further.</summary>
public enum DnsReadError
{
    None = 0,

    /// <summary>The message ends inside a header, name, question or record.</summary>
    Truncated = 1,

    /// <summary>A label's length byte is of a kind that was never standardised.</summary>
    BadLabel = 2,

    /// <summary>A compression pointer does not point backwards.</summary>
    BadPointer = 3,

    /// <summary>A name is longer than 255 bytes.</summary>
    NameTooLong = 4,
}
