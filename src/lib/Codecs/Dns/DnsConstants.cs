namespace Codecs.Dns;

/// <summary>Record and question types that this codec knows by name; other numbers pass through unchanged.</summary>
public enum DnsType : ushort
{
    None = 0,
    A = 1,
    Ns = 2,
    Cname = 5,
    Soa = 6,
    Ptr = 12,
    Mx = 15,
    Txt = 16,
    Aaaa = 28,
    Srv = 33,
    Opt = 41,
    Axfr = 252,
    Any = 255,
}

/// <summary>Classes; everything but OPT (whose class is a size) is Internet in practice.</summary>
public enum DnsClass : ushort
{
    Internet = 1,
    Any = 255,
}

/// <summary>The four-bit answer code.</summary>
public enum DnsResponseCode : byte
{
    NoError = 0,
    FormatError = 1,
    ServerFailure = 2,
    NameError = 3,
    NotImplemented = 4,
    Refused = 5,
}

/// <summary>The four-bit operation code.</summary>
public enum DnsOpcode : byte
{
    Query = 0,
    Notify = 4,
}

/// <summary>The header's flag bits as they stand in its third and fourth byte; opcode and answer code stand among
/// them and are read by <see cref="DnsHeader"/>.</summary>
[Flags]
public enum DnsFlags : ushort
{
    None = 0,
    Response = 0x8000,
    Authoritative = 0x0400,
    Truncated = 0x0200,
    RecursionDesired = 0x0100,
    RecursionAvailable = 0x0080,
    AuthenticData = 0x0020,
    CheckingDisabled = 0x0010,
}

/// <summary>Sizes that RFC 1035 and RFC 6891 fix.</summary>
public static class DnsLimits
{
    /// <summary>Bytes of the fixed header.</summary>
    public const int HeaderBytes = 12;

    /// <summary>Bytes of a name on the wire, root label included.</summary>
    public const int NameBytesMax = 255;

    /// <summary>Bytes of one label.</summary>
    public const int LabelBytesMax = 63;

    /// <summary>A datagram's size when the asker has not announced a larger one by EDNS.</summary>
    public const int PlainUdpBytes = 512;

    /// <summary>The largest message, limited by TCP's two-byte length.</summary>
    public const int MessageBytesMax = 65535;

    /// <summary>Bytes of type, class, TTL and length: what stands between a record's owner and its data.</summary>
    public const int RecordFixedBytes = 10;

    /// <summary>The first offset that a compression pointer, 14 bits, cannot express.</summary>
    public const int PointerEnd = 0x4000;
}
