using System.Buffers.Binary;
using System.Net;
using System.Text;
using Codecs.Dns;

namespace Unit.Dns;

/// <summary>Packets to and from the text that Recorded/record.py writes.</summary>
internal sealed record DnsText(
    string Code, string Flags, string[] Question, string[] Answer, string[] Authority, string[] Additional, int Size)
{
    private static readonly (int Bit, string Word)[] _flagWords =
    [
        (0x8000, "qr"), (0x0400, "aa"), (0x0200, "tc"), (0x0100, "rd"), (0x0080, "ra"), (0x0020, "ad"), (0x0010, "cd"),
    ];

    public IEnumerable<string> Records => Answer.Concat(Authority).Concat(Additional);

    public static byte[] Query(
        string name, DnsType type, int? edns = null, bool rd = true, int flags = 0, int @class = 1,
        uint ednsFlags = 0, string options = "", ushort id = 7)
    {
        var buffer = new byte[1024];
        var writer = new DnsMessageWriter(buffer, []);
        writer.SetHeader(id, (DnsFlags)(flags | (rd ? 0x0100 : 0)), DnsResponseCode.NoError);
        writer.SetCounts(1, 0, 0, edns is null ? 0 : 1);
        writer.WriteQuestion(DnsName.Encode(name)!, type, (DnsClass)@class);
        if (edns is { } size)
        {
            writer.WriteOpt((ushort)size, ednsFlags, Convert.FromHexString(options));
        }
        return buffer[..writer.Length];
    }

    /// <summary>Reads an answer to its last byte; fails loudly on anything unsound.</summary>
    public static DnsText Parse(byte[] message)
    {
        var reader = new DnsMessageReader(message);
        Require(reader.TryReadHeader(out DnsHeader header), "header");
        int bits = (int)header.Flags;
        var questions = new List<string>();
        for (int i = 0; i < header.Questions; i++)
        {
            Require(reader.TryReadQuestion(out DnsQuestion question), "question");
            questions.Add(Name(message, question.NameOffset) + " " + TypeName(question.Type));
        }
        string[] answers = Section(ref reader, message, header.Answers);
        string[] authorities = Section(ref reader, message, header.Authorities);
        string[] additionals = Section(ref reader, message, header.Additionals);
        Require(reader.AtEnd, "end");
        string flags = string.Join(' ', _flagWords.Where(w => (bits & w.Bit) != 0).Select(w => w.Word));
        return new(CodeName(header.ResponseCode), flags, [.. questions], answers, authorities, additionals,
            message.Length);
    }

    private static string[] Section(ref DnsMessageReader reader, byte[] message, int count)
    {
        var rows = new string[count];
        for (int i = 0; i < count; i++)
        {
            Require(reader.TryReadRecord(out DnsRecord record), "record " + i + ": " + reader.Error);
            rows[i] = Row(message, record);
        }
        return rows;
    }

    private static string Row(byte[] message, DnsRecord record)
    {
        ReadOnlySpan<byte> data = message.AsSpan(record.DataOffset, record.DataLength);
        if (record.Type == DnsType.Opt)
        {
            return $"OPT size={(int)record.Class} ttl={record.Ttl} data={Convert.ToHexStringLower(data)}";
        }
        string text = record.Type switch
        {
            DnsType.A or DnsType.Aaaa => new IPAddress(data).ToString(),
            DnsType.Ns or DnsType.Cname or DnsType.Ptr => Name(message, record.DataOffset),
            DnsType.Srv =>
                $"{Number(data)} {Number(data[2..])} {Number(data[4..])} {Name(message, record.DataOffset + 6)}",
            DnsType.Txt => Texts(data),
            DnsType.Soa => Soa(message, record.DataOffset),
            _ => Convert.ToHexStringLower(data),
        };
        return $"{Name(message, record.OwnerOffset)} {record.Ttl} {TypeName(record.Type)} {text}";
    }

    private static string Soa(byte[] message, int offset)
    {
        string master = Name(message, offset, out int next);
        string mailbox = Name(message, next, out int numbers);
        var values = Enumerable.Range(1, 4)
            .Select(i => BinaryPrimitives.ReadUInt32BigEndian(message.AsSpan(numbers + (4 * i))));
        return $"{master} {mailbox} SERIAL {string.Join(' ', values)}";
    }

    private static string Texts(ReadOnlySpan<byte> data)
    {
        var parts = new List<string>();
        for (int at = 0; at < data.Length; at += 1 + data[at])
        {
            parts.Add('"' + Encoding.Latin1.GetString(data.Slice(at + 1, data[at])) + '"');
        }
        return string.Join(' ', parts);
    }

    private static int Number(ReadOnlySpan<byte> data) => BinaryPrimitives.ReadUInt16BigEndian(data);

    private static string Name(byte[] message, int offset) => Name(message, offset, out _);

    private static string Name(byte[] message, int offset, out int end)
    {
        var reader = new DnsMessageReader(message);
        var wire = new byte[DnsLimits.NameBytesMax];
        Require(reader.TryExpandName(offset, wire, out int length, out end), "name at " + offset + ": " + reader.Error);
        return DnsName.Decode(wire.AsSpan(0, length)).Replace("\\032", " ", StringComparison.Ordinal);
    }

    private static string TypeName(DnsType type) => type.ToString().ToUpperInvariant();

    private static string CodeName(DnsResponseCode code) => code switch
    {
        DnsResponseCode.NoError => "NOERROR",
        DnsResponseCode.FormatError => "FORMERR",
        DnsResponseCode.ServerFailure => "SERVFAIL",
        DnsResponseCode.NameError => "NXDOMAIN",
        DnsResponseCode.NotImplemented => "NOTIMP",
        DnsResponseCode.Refused => "REFUSED",
        _ => code.ToString(),
    };

    private static void Require(bool condition, string what)
    {
        if (!condition)
        {
            throw new InvalidDataException("unsound answer: " + what);
        }
    }
}
