using System.Buffers.Binary;
using System.Text;
using Codecs.Dns;

namespace Praetor.Agent.Dns;

/// <summary>What is to be done with a packet before anybody looks at its question.</summary>
internal enum QueryFault
{
    None = 0,

    /// <summary>Not a query: an answer to it could start a loop between two servers.</summary>
    Ignore = 1,
    FormatError = 2,
    NotImplemented = 3,

    /// <summary>A header without a question.</summary>
    Refused = 4,
}

/// <summary>A question as it came from the network, over buffers of the caller.</summary>
internal ref struct DnsQuery
{
    /// <summary>Room that <see cref="Parse"/> needs: the name as asked, the name in small letters, the type.</summary>
    public const int ScratchBytes = 2 * DnsLimits.NameBytesMax + sizeof(ushort);
    private const int AdditionalsMax = 2;
    private const ushort ClientSubnetOption = 8;
    private const int OptionHeadBytes = 4;
    private const int SubnetHeadBytes = 4;
    private const int SubnetBytesMax = OptionHeadBytes + SubnetHeadBytes + 16;

    public DnsHeader Header;
    public DnsType Type;
    public DnsClass Class;
    public bool IsTcp;
    public AskerPlace Place;
    public bool HasEdns;
    public ushort EdnsSize;

    /// <summary>Wire form, letters as asked; empty when the packet has no sound question.</summary>
    public ReadOnlySpan<byte> Name;

    /// <summary>Wire form in small letters.</summary>
    public ReadOnlySpan<byte> LowerName;

    /// <summary>Name in small letters and type: what makes two questions the same.</summary>
    public ReadOnlySpan<byte> Key;

    /// <summary>The client subnet option with its head, empty when there is none.</summary>
    public ReadOnlySpan<byte> ClientSubnet;

    /// <summary>The question where it stands in the packet, for forwarding.</summary>
    public int QuestionEnd;

    public static QueryFault Parse(ReadOnlySpan<byte> packet, bool isTcp, Span<byte> scratch, out DnsQuery query)
    {
        query = default;
        query.IsTcp = isTcp;
        var reader = new DnsMessageReader(packet);
        if (!reader.TryReadHeader(out query.Header) || query.Header.IsResponse)
        {
            return QueryFault.Ignore;
        }
        if (query.Header.Opcode is not (DnsOpcode.Query or DnsOpcode.Notify))
        {
            return QueryFault.NotImplemented;
        }
        if (query.Header.Questions != 1 || query.Header.Additionals > AdditionalsMax
            || query.Header.Answers > 1 || query.Header.Authorities > 1)
        {
            return QueryFault.FormatError;
        }
        if (reader.AtEnd)
        {
            return QueryFault.Refused;
        }
        if (!reader.TryReadQuestion(out DnsQuestion question)
            || !reader.TryExpandName(question.NameOffset, scratch, out int length, out _))
        {
            return QueryFault.FormatError;
        }
        query.TakeQuestion(question, scratch, length);
        query.QuestionEnd = reader.Position;
        return query.ReadRecords(packet);
    }

    /// <summary>The labels in small letters, for looking up; unprintable bytes are escaped and so match nothing.
    /// </summary>
    public readonly string[] Labels()
    {
        int count = 0;
        for (int at = 0; LowerName[at] != 0; at += LowerName[at] + 1)
        {
            count++;
        }
        var labels = new string[count];
        int offset = 0;
        for (int i = 0; i < count; i++)
        {
            labels[i] = Encoding.UTF8.GetString(LowerName.Slice(offset + 1, LowerName[offset]));
            offset += LowerName[offset] + 1;
        }
        return labels;
    }

    private void TakeQuestion(DnsQuestion question, Span<byte> scratch, int length)
    {
        Span<byte> lower = scratch.Slice(length, length);
        scratch[..length].CopyTo(lower);
        DnsName.ToLower(lower);
        BinaryPrimitives.WriteUInt16BigEndian(scratch[(2 * length)..], (ushort)question.Type);
        Name = scratch[..length];
        LowerName = lower;
        Key = scratch.Slice(length, length + sizeof(ushort));
        Type = question.Type;
        Class = question.Class;
    }

    // A packet that announces records but ends cleanly before them is accepted, as Consul does.
    private QueryFault ReadRecords(ReadOnlySpan<byte> packet)
    {
        var reader = new DnsMessageReader(packet, QuestionEnd);
        int records = Header.Answers + Header.Authorities + Header.Additionals;
        for (int i = 0; i < records && !reader.AtEnd; i++)
        {
            if (!reader.TryReadRecord(out DnsRecord record))
            {
                return QueryFault.FormatError;
            }
            if (record.Type == DnsType.Opt && !HasEdns)
            {
                HasEdns = true;
                EdnsSize = (ushort)record.Class;
                ClientSubnet = SubnetIn(packet.Slice(record.DataOffset, record.DataLength));
            }
        }
        return QueryFault.None;
    }

    private static ReadOnlySpan<byte> SubnetIn(ReadOnlySpan<byte> options)
    {
        while (options.Length >= OptionHeadBytes)
        {
            int size = OptionHeadBytes + BinaryPrimitives.ReadUInt16BigEndian(options[2..]);
            if (size > options.Length)
            {
                break;
            }
            if (BinaryPrimitives.ReadUInt16BigEndian(options) == ClientSubnetOption)
            {
                return size is >= OptionHeadBytes + SubnetHeadBytes and <= SubnetBytesMax ? options[..size] : [];
            }
            options = options[size..];
        }
        return [];
    }
}
