using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Codecs.Dns;

namespace Praetor.Agent.Dns;

/// <summary>
/// A record ready to be written: fixed bytes and names apart, because names are compressed while writing.
/// </summary>
/// <param name="Owner">Wire form; null means the question's name, in the case it was asked.</param>
/// <param name="Fixed">Address, text, or the numbers of SRV (before the name) and SOA (after the names).</param>
/// <param name="Target">The name in the data, wire form; null when there is none.</param>
internal sealed record DnsResource(byte[]? Owner, DnsType Type, uint Ttl, byte[] Fixed, byte[]? Target = null)
{
    private const ushort SrvPriority = 1;
    private const int TextBytesMax = 255;
    private const int PointerBytes = 2;

    /// <summary>The mailbox in SOA; null elsewhere.</summary>
    private byte[]? SecondName { get; init; }

    public int DataBytes => Fixed.Length + (Target?.Length ?? 0) + (SecondName?.Length ?? 0);

    public static DnsResource ForAddress(byte[]? owner, uint ttl, IPAddress address)
    {
        var type = address.AddressFamily == AddressFamily.InterNetwork ? DnsType.A : DnsType.Aaaa;
        return new(owner, type, ttl, address.GetAddressBytes());
    }

    public static DnsResource ForSrv(uint ttl, int weight, int port, byte[] target)
    {
        var numbers = new byte[3 * sizeof(ushort)];
        BinaryPrimitives.WriteUInt16BigEndian(numbers, SrvPriority);
        BinaryPrimitives.WriteUInt16BigEndian(numbers.AsSpan(2), (ushort)weight);
        BinaryPrimitives.WriteUInt16BigEndian(numbers.AsSpan(4), (ushort)port);
        return new(null, DnsType.Srv, ttl, numbers, target);
    }

    public static DnsResource ForName(byte[]? owner, DnsType type, uint ttl, byte[] target) =>
        new(owner, type, ttl, [], target);

    /// <summary>A text longer than one character-string can be is sent as several.</summary>
    public static DnsResource ForText(byte[]? owner, uint ttl, string text)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        var data = new List<byte>(bytes.Length + 1);
        int at = 0;
        do
        {
            int size = Math.Min(TextBytesMax, bytes.Length - at);
            data.Add((byte)size);
            data.AddRange(bytes.AsSpan(at, size));
            at += size;
        }
        while (at < bytes.Length);
        return new(owner, DnsType.Txt, ttl, [.. data]);
    }

    /// <summary>The domain's SOA; its serial is filled in while writing.</summary>
    public static DnsResource ForSoa(string domain, DnsSoa soa)
    {
        var numbers = new byte[5 * sizeof(uint)];
        BinaryPrimitives.WriteUInt32BigEndian(numbers.AsSpan(4), soa.Refresh);
        BinaryPrimitives.WriteUInt32BigEndian(numbers.AsSpan(8), soa.Retry);
        BinaryPrimitives.WriteUInt32BigEndian(numbers.AsSpan(12), soa.Expire);
        BinaryPrimitives.WriteUInt32BigEndian(numbers.AsSpan(16), soa.MinTtl);
        byte[] owner = DnsName.Encode(domain) ?? [0];
        byte[] master = DnsName.Encode("ns." + domain) ?? [0];
        byte[] mailbox = DnsName.Encode("hostmaster." + domain) ?? [0];
        return new(owner, DnsType.Soa, soa.MinTtl, numbers, master) { SecondName = mailbox };
    }

    /// <summary>Bytes on the wire without compression.</summary>
    public int PlainBytes(int questionNameBytes) =>
        (Owner?.Length ?? questionNameBytes) + DnsLimits.RecordFixedBytes + DataBytes;

    /// <summary>Bytes on the wire when the owner already stands in the message.</summary>
    public int PointedBytes => PointerBytes + DnsLimits.RecordFixedBytes + DataBytes;

    public void Write(ref DnsMessageWriter writer, ReadOnlySpan<byte> question, bool compress, uint serial)
    {
        if (Owner is null && compress)
        {
            writer.BeginRecordOf(DnsLimits.HeaderBytes, Type, DnsClass.Internet, Ttl);
        }
        else
        {
            writer.BeginRecord(Owner ?? question, Type, DnsClass.Internet, Ttl);
        }
        if (Type == DnsType.Soa && Target is not null && SecondName is not null)
        {
            writer.WriteName(Target, compress: true);
            writer.WriteName(SecondName, compress: true);
            writer.WriteUInt32(serial);
            writer.WriteBytes(Fixed.AsSpan(sizeof(uint)));
        }
        else
        {
            writer.WriteBytes(Fixed);
            if (Target is not null)
            {
                writer.WriteName(Target, compress: Type != DnsType.Srv);
            }
        }
        writer.EndRecord();
    }
}
