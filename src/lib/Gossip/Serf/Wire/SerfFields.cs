using Codecs.MessagePack;

namespace Gossip.Serf.Wire;

/// <summary>
/// The fields of one message, as views of its bytes. A name means the same in every message of the protocol, so one
/// reader serves all of them; names it does not know are stepped over. Of collections only the place is kept.
/// </summary>
internal ref struct SerfFields
{
    /// <summary>The place of a field that is not there.</summary>
    public const int Absent = -1;

    public ulong LTime;
    public ulong EventLTime;
    public ulong QueryLTime;
    public long Timeout;
    public uint Id;
    public uint Flags;
    public uint RelayFactor;
    public uint Status;
    public uint Port;
    public bool Prune;
    public bool CanCoalesce;
    public bool Result;
    public string Node;
    public string Name;
    public string From;
    public string SourceNode;
    public string Message;
    public string PrimaryKey;
    public string DestinationNode;
    public ReadOnlySpan<byte> Payload;
    public ReadOnlySpan<byte> Address;
    public ReadOnlySpan<byte> Key;
    public int StatusLTimesAt;
    public int LeftMembersAt;
    public int EventsAt;
    public int FiltersAt;
    public int KeysAt;
    public int TagsAt;
    public int DestinationAt;
    private uint _protocolMin;
    private uint _protocolMax;
    private uint _protocolCurrent;
    private uint _delegateMin;
    private uint _delegateMax;
    private uint _delegateCurrent;

    public static bool TryRead(scoped ref MessagePackReader reader, out SerfFields fields)
    {
        fields = default;
        SerfFields read = default;
        read.Node = read.Name = read.From = read.SourceNode = "";
        read.Message = read.PrimaryKey = read.DestinationNode = "";
        read.StatusLTimesAt = read.LeftMembersAt = read.EventsAt = read.FiltersAt = Absent;
        read.KeysAt = read.TagsAt = read.DestinationAt = Absent;
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
        return true;
    }

    public readonly Gossip.Wire.ProtocolVersions Versions => new(
        (byte)_protocolMin, (byte)_protocolMax, (byte)_protocolCurrent,
        (byte)_delegateMin, (byte)_delegateMax, (byte)_delegateCurrent);

    private bool TryReadOne(scoped ref MessagePackReader reader, scoped ReadOnlySpan<byte> name) => name switch
    {
        _ when name.SequenceEqual("LTime"u8) => reader.TryReadUInt64(out LTime),
        _ when name.SequenceEqual("Node"u8) => reader.TryReadString(out Node),
        _ when name.SequenceEqual("Name"u8) => reader.TryReadString(out Name),
        _ when name.SequenceEqual("Payload"u8) => reader.TryReadRaw(out Payload),
        _ when name.SequenceEqual("ID"u8) => reader.TryReadUInt32(out Id),
        _ when name.SequenceEqual("From"u8) => reader.TryReadString(out From),
        _ when name.SequenceEqual("Flags"u8) => reader.TryReadUInt32(out Flags),
        _ when name.SequenceEqual("CC"u8) => reader.TryReadBoolean(out CanCoalesce),
        _ when name.SequenceEqual("Prune"u8) => reader.TryReadBoolean(out Prune),
        _ when name.SequenceEqual("Addr"u8) => reader.TryReadRaw(out Address),
        _ when name.SequenceEqual("IP"u8) => reader.TryReadRaw(out Address),
        _ when name.SequenceEqual("Port"u8) => reader.TryReadUInt32(out Port, max: ushort.MaxValue),
        _ when name.SequenceEqual("Filters"u8) => TryMark(ref reader, out FiltersAt),
        _ when name.SequenceEqual("RelayFactor"u8) => reader.TryReadUInt32(out RelayFactor, max: byte.MaxValue),
        _ when name.SequenceEqual("SourceNode"u8) => reader.TryReadString(out SourceNode),
        _ when name.SequenceEqual("Timeout"u8) => reader.TryReadInt64(out Timeout),
        _ => TryReadRare(ref reader, name),
    };

    private bool TryReadRare(scoped ref MessagePackReader reader, scoped ReadOnlySpan<byte> name) => name switch
    {
        _ when name.SequenceEqual("EventLTime"u8) => reader.TryReadUInt64(out EventLTime),
        _ when name.SequenceEqual("QueryLTime"u8) => reader.TryReadUInt64(out QueryLTime),
        _ when name.SequenceEqual("Events"u8) => TryMark(ref reader, out EventsAt),
        _ when name.SequenceEqual("LeftMembers"u8) => TryMark(ref reader, out LeftMembersAt),
        _ when name.SequenceEqual("StatusLTimes"u8) => TryMark(ref reader, out StatusLTimesAt),
        _ when name.SequenceEqual("Key"u8) => reader.TryReadRaw(out Key),
        _ when name.SequenceEqual("Keys"u8) => TryMark(ref reader, out KeysAt),
        _ when name.SequenceEqual("Message"u8) => reader.TryReadString(out Message),
        _ when name.SequenceEqual("PrimaryKey"u8) => reader.TryReadString(out PrimaryKey),
        _ when name.SequenceEqual("Result"u8) => reader.TryReadBoolean(out Result),
        _ when name.SequenceEqual("DestAddr"u8) => TryMark(ref reader, out DestinationAt),
        _ when name.SequenceEqual("DestName"u8) => reader.TryReadString(out DestinationNode),
        _ when name.SequenceEqual("Status"u8) => reader.TryReadUInt32(out Status, max: byte.MaxValue),
        _ when name.SequenceEqual("Tags"u8) => TryMark(ref reader, out TagsAt),
        _ when name.SequenceEqual("ProtocolMin"u8) => TryReadVersion(ref reader, out _protocolMin),
        _ when name.SequenceEqual("ProtocolMax"u8) => TryReadVersion(ref reader, out _protocolMax),
        _ when name.SequenceEqual("ProtocolCur"u8) => TryReadVersion(ref reader, out _protocolCurrent),
        _ when name.SequenceEqual("DelegateMin"u8) => TryReadVersion(ref reader, out _delegateMin),
        _ when name.SequenceEqual("DelegateMax"u8) => TryReadVersion(ref reader, out _delegateMax),
        _ when name.SequenceEqual("DelegateCur"u8) => TryReadVersion(ref reader, out _delegateCurrent),
        _ => reader.TrySkip(),
    };

    private static bool TryReadVersion(scoped ref MessagePackReader reader, out uint version) =>
        reader.TryReadUInt32(out version, max: byte.MaxValue);

    private static bool TryMark(scoped ref MessagePackReader reader, out int at)
    {
        at = reader.Position;
        return reader.TrySkip();
    }
}
