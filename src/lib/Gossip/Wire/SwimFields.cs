using System.Net;
using System.Text;
using System.Text.Unicode;
using Codecs.MessagePack;

namespace Gossip.Wire;

/// <summary>
/// The fields of one message, as views of its bytes. A name means the same in every message of the protocol, so one
/// reader serves all of them; names it does not know are stepped over (newer members send more).
/// </summary>
internal ref struct SwimFields
{
    public uint SequenceNumber;
    public uint Incarnation;
    public uint State;
    public uint Nodes;
    public uint UserStateBytes;
    public uint UserMessageBytes;
    public uint Algorithm;
    public ushort Port;
    public ushort SourcePort;
    public bool WantsNack;
    public bool Join;
    public ReadOnlySpan<byte> Node;
    public ReadOnlySpan<byte> From;
    public ReadOnlySpan<byte> Name;
    public ReadOnlySpan<byte> Error;
    public ReadOnlySpan<byte> SourceNode;
    public ReadOnlySpan<byte> SourceAddress;
    public ReadOnlySpan<byte> Target;
    public ReadOnlySpan<byte> Address;
    public ReadOnlySpan<byte> Payload;
    public ReadOnlySpan<byte> Meta;
    public ReadOnlySpan<byte> Versions;
    public ReadOnlySpan<byte> Buffer;

    public static bool TryRead(scoped ref MessagePackReader reader, out SwimFields fields)
    {
        fields = default;
        SwimFields read = default;
        if (!reader.TryReadMapHeader(out int count))
        {
            return false;
        }
        while (count-- > 0)
        {
            if (!reader.TryReadRaw(out ReadOnlySpan<byte> name) || !read.TryReadOne(ref reader, name))
            {
                return false;
            }
        }
        fields = read;
        return Utf8.IsValid(fields.Node) && Utf8.IsValid(fields.From) && Utf8.IsValid(fields.Name)
            && Utf8.IsValid(fields.SourceNode);
    }

    public readonly string NodeText => Encoding.UTF8.GetString(Node);

    public readonly string FromText => Encoding.UTF8.GetString(From);

    public readonly string SourceNodeText => Encoding.UTF8.GetString(SourceNode);

    /// <summary>Where the answer goes; null when the sender did not say, or said nonsense.</summary>
    public readonly IPEndPoint? Source =>
        SourcePort > 0 && WireAddress.TryRead(SourceAddress, SourcePort, out IPEndPoint? source) ? source : null;

    public readonly ProtocolVersions ProtocolVersions => Versions.Length < ProtocolVersionsCount
        ? default
        : new ProtocolVersions(Versions[0], Versions[1], Versions[2], Versions[3], Versions[4], Versions[5]);

    public const int ProtocolVersionsCount = 6;

    private bool TryReadOne(scoped ref MessagePackReader reader, scoped ReadOnlySpan<byte> name) => name.Length switch
    {
        3 => TryReadShort(ref reader, name),
        4 => TryReadFour(ref reader, name),
        5 => TryReadFive(ref reader, name),
        _ => TryReadLong(ref reader, name),
    };

    private bool TryReadShort(scoped ref MessagePackReader reader, scoped ReadOnlySpan<byte> name)
    {
        if (name.SequenceEqual("Vsn"u8))
        {
            return reader.TryReadRaw(out Versions);
        }
        return name.SequenceEqual("Buf"u8) ? reader.TryReadRaw(out Buffer) : reader.TrySkip();
    }

    private bool TryReadFour(scoped ref MessagePackReader reader, scoped ReadOnlySpan<byte> name)
    {
        if (name.SequenceEqual("Node"u8))
        {
            return reader.TryReadRaw(out Node);
        }
        if (name.SequenceEqual("Addr"u8))
        {
            return reader.TryReadRaw(out Address);
        }
        if (name.SequenceEqual("Port"u8))
        {
            return TryReadPort(ref reader, out Port);
        }
        if (name.SequenceEqual("Meta"u8))
        {
            return reader.TryReadRaw(out Meta);
        }
        if (name.SequenceEqual("Name"u8))
        {
            return reader.TryReadRaw(out Name);
        }
        if (name.SequenceEqual("From"u8))
        {
            return reader.TryReadRaw(out From);
        }
        if (name.SequenceEqual("Nack"u8))
        {
            return reader.TryReadBoolean(out WantsNack);
        }
        if (name.SequenceEqual("Join"u8))
        {
            return reader.TryReadBoolean(out Join);
        }
        return name.SequenceEqual("Algo"u8) ? reader.TryReadUInt32(out Algorithm) : reader.TrySkip();
    }

    private bool TryReadFive(scoped ref MessagePackReader reader, scoped ReadOnlySpan<byte> name)
    {
        if (name.SequenceEqual("SeqNo"u8))
        {
            return reader.TryReadUInt32(out SequenceNumber);
        }
        if (name.SequenceEqual("State"u8))
        {
            return reader.TryReadUInt32(out State);
        }
        if (name.SequenceEqual("Nodes"u8))
        {
            return reader.TryReadUInt32(out Nodes);
        }
        return name.SequenceEqual("Error"u8) ? reader.TryReadRaw(out Error) : reader.TrySkip();
    }

    private bool TryReadLong(scoped ref MessagePackReader reader, scoped ReadOnlySpan<byte> name)
    {
        if (name.SequenceEqual("Incarnation"u8))
        {
            return reader.TryReadUInt32(out Incarnation);
        }
        if (name.SequenceEqual("Payload"u8))
        {
            return reader.TryReadRaw(out Payload);
        }
        if (name.SequenceEqual("Target"u8))
        {
            return reader.TryReadRaw(out Target);
        }
        if (name.SequenceEqual("SourceAddr"u8))
        {
            return reader.TryReadRaw(out SourceAddress);
        }
        if (name.SequenceEqual("SourcePort"u8))
        {
            return TryReadPort(ref reader, out SourcePort);
        }
        if (name.SequenceEqual("SourceNode"u8))
        {
            return reader.TryReadRaw(out SourceNode);
        }
        if (name.SequenceEqual("UserStateLen"u8))
        {
            return reader.TryReadUInt32(out UserStateBytes);
        }
        return name.SequenceEqual("UserMsgLen"u8) ? reader.TryReadUInt32(out UserMessageBytes) : reader.TrySkip();
    }

    private static bool TryReadPort(scoped ref MessagePackReader reader, out ushort port)
    {
        bool isRead = reader.TryReadUInt32(out uint wide, max: ushort.MaxValue);
        port = (ushort)wide;
        return isRead;
    }
}
