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

    private bool TryReadOne(scoped ref MessagePackReader reader, scoped ReadOnlySpan<byte> name) => name switch
    {
        _ when name.SequenceEqual("SeqNo"u8) => reader.TryReadUInt32(out SequenceNumber),
        _ when name.SequenceEqual("Node"u8) => reader.TryReadRaw(out Node),
        _ when name.SequenceEqual("Incarnation"u8) => reader.TryReadUInt32(out Incarnation),
        _ when name.SequenceEqual("From"u8) => reader.TryReadRaw(out From),
        _ when name.SequenceEqual("Payload"u8) => reader.TryReadRaw(out Payload),
        _ when name.SequenceEqual("Addr"u8) => reader.TryReadRaw(out Address),
        _ when name.SequenceEqual("Port"u8) => TryReadPort(ref reader, out Port),
        _ when name.SequenceEqual("Meta"u8) => reader.TryReadRaw(out Meta),
        _ when name.SequenceEqual("Vsn"u8) => reader.TryReadRaw(out Versions),
        _ when name.SequenceEqual("Name"u8) => reader.TryReadRaw(out Name),
        _ when name.SequenceEqual("State"u8) => reader.TryReadUInt32(out State),
        _ when name.SequenceEqual("SourceAddr"u8) => reader.TryReadRaw(out SourceAddress),
        _ when name.SequenceEqual("SourcePort"u8) => TryReadPort(ref reader, out SourcePort),
        _ when name.SequenceEqual("SourceNode"u8) => reader.TryReadRaw(out SourceNode),
        _ => TryReadRare(ref reader, name),
    };

    private bool TryReadRare(scoped ref MessagePackReader reader, scoped ReadOnlySpan<byte> name) => name switch
    {
        _ when name.SequenceEqual("Algo"u8) => reader.TryReadUInt32(out Algorithm),
        _ when name.SequenceEqual("Buf"u8) => reader.TryReadRaw(out Buffer),
        _ when name.SequenceEqual("Target"u8) => reader.TryReadRaw(out Target),
        _ when name.SequenceEqual("Nack"u8) => reader.TryReadBoolean(out WantsNack),
        _ when name.SequenceEqual("Join"u8) => reader.TryReadBoolean(out Join),
        _ when name.SequenceEqual("Nodes"u8) => reader.TryReadUInt32(out Nodes),
        _ when name.SequenceEqual("UserStateLen"u8) => reader.TryReadUInt32(out UserStateBytes),
        _ when name.SequenceEqual("UserMsgLen"u8) => reader.TryReadUInt32(out UserMessageBytes),
        _ when name.SequenceEqual("Error"u8) => reader.TryReadRaw(out Error),
        _ => reader.TrySkip(),
    };

    private static bool TryReadPort(scoped ref MessagePackReader reader, out ushort port)
    {
        bool isRead = reader.TryReadUInt32(out uint wide, max: ushort.MaxValue);
        port = (ushort)wide;
        return isRead;
    }
}
