using System.Net;
using System.Text;
using Codecs.MessagePack;

namespace Gossip.Wire;

/// <summary>
/// Turns the bytes of one message, type byte first and nothing wrapped around it, into its record. Records own their
/// bytes: nothing in them points into what was read.
/// </summary>
internal static class SwimReader
{
    /// <summary>Messages that go in packets.</summary>
    /// <param name="defaultPort">The port of members who do not name theirs.</param>
    public static WireError ReadPacketMessage(ReadOnlySpan<byte> bytes, ushort defaultPort, out SwimMessage? message)
    {
        message = null;
        if (bytes.IsEmpty)
        {
            return WireError.Empty;
        }
        var type = (SwimMessageType)bytes[0];
        if (type == SwimMessageType.User)
        {
            message = new UserMessage(bytes[1..].ToArray());
            return WireError.None;
        }
        if (!IsPacketMessage(type))
        {
            return WireError.UnknownType;
        }
        var reader = new MessagePackReader(bytes, start: 1);
        if (!SwimFields.TryRead(ref reader, out SwimFields fields))
        {
            return WireError.Malformed;
        }
        message = type switch
        {
            SwimMessageType.Ping => new Ping(
                fields.SequenceNumber, fields.NodeText, fields.Source, fields.SourceNodeText),
            SwimMessageType.IndirectPing => IndirectPing(fields, defaultPort),
            SwimMessageType.Ack => new Ack(fields.SequenceNumber, fields.Payload.ToArray()),
            SwimMessageType.Nack => new Nack(fields.SequenceNumber),
            _ when fields.Node.IsEmpty => null, // a claim about nobody
            SwimMessageType.Suspect => new Suspect(fields.Incarnation, fields.NodeText, fields.FromText),
            SwimMessageType.Dead => new Dead(fields.Incarnation, fields.NodeText, fields.FromText),
            _ => Alive(fields, defaultPort),
        };
        return message is null ? WireError.Malformed : WireError.None;
    }

    /// <summary>Messages that go over streams.</summary>
    /// <param name="memory">Bytes that the records may take together.</param>
    public static WireError ReadStreamMessage(
        ReadOnlySpan<byte> bytes, ushort defaultPort, long memory, out SwimMessage? message)
    {
        message = null;
        if (bytes.IsEmpty)
        {
            return WireError.Empty;
        }
        var type = (SwimMessageType)bytes[0];
        if (type is not (SwimMessageType.PushPull or SwimMessageType.User or SwimMessageType.Error
            or SwimMessageType.Ping or SwimMessageType.Ack))
        {
            return WireError.UnknownType;
        }
        if (type is SwimMessageType.Ping or SwimMessageType.Ack)
        {
            return ReadPacketMessage(bytes, defaultPort, out message);
        }
        var reader = new MessagePackReader(bytes, start: 1);
        if (!SwimFields.TryRead(ref reader, out SwimFields head))
        {
            return WireError.Malformed;
        }
        switch (type)
        {
            case SwimMessageType.Error:
                message = new ErrorResponse(Encoding.UTF8.GetString(head.Error));
                return WireError.None;
            case SwimMessageType.User when head.UserMessageBytes > (uint)reader.Remaining:
                return WireError.Malformed;
            case SwimMessageType.User:
                message = new UserMessage(bytes.Slice(reader.Position, (int)head.UserMessageBytes).ToArray());
                return WireError.None;
            default:
                return ReadPushPull(bytes, reader.Position, head, defaultPort, memory, out message);
        }
    }

    private static bool IsPacketMessage(SwimMessageType type) =>
        type is SwimMessageType.Ping or SwimMessageType.IndirectPing or SwimMessageType.Ack or SwimMessageType.Nack
            or SwimMessageType.Suspect or SwimMessageType.Alive or SwimMessageType.Dead;

    private static IndirectPing? IndirectPing(in SwimFields fields, ushort defaultPort)
    {
        ushort port = fields.Port == 0 ? defaultPort : fields.Port;
        return WireAddress.TryRead(fields.Target, port, out IPEndPoint? target)
            ? new IndirectPing(
                fields.SequenceNumber, target!, fields.NodeText, fields.WantsNack, fields.Source,
                fields.SourceNodeText)
            : null;
    }

    private static Alive? Alive(in SwimFields fields, ushort defaultPort)
    {
        ushort port = fields.Port == 0 ? defaultPort : fields.Port;
        return fields.Meta.Length <= WireLimits.MetaBytesMax
            && WireAddress.TryRead(fields.Address, port, out IPEndPoint? address)
            ? new Alive(
                fields.Incarnation, fields.NodeText, address!, fields.Meta.ToArray(), fields.ProtocolVersions)
            : null;
    }

    private static WireError ReadPushPull(
        ReadOnlySpan<byte> bytes, int start, in SwimFields head, ushort defaultPort, long memory,
        out SwimMessage? message)
    {
        message = null;
        if (head.Nodes > WireLimits.StreamNodesMax || head.UserStateBytes > WireLimits.StreamBytesMax)
        {
            return WireError.TooLarge;
        }
        var reader = new MessagePackReader(bytes, start);
        var nodes = new List<PushNodeState>();
        memory -= head.UserStateBytes;
        for (uint i = 0; i < head.Nodes; i++)
        {
            if (!SwimFields.TryRead(ref reader, out SwimFields fields)
                || PushNodeState(fields, defaultPort) is not PushNodeState node)
            {
                return WireError.Malformed;
            }
            memory -= MemoryOf(fields);
            if (memory < 0)
            {
                return WireError.TooLarge;
            }
            nodes.Add(node);
        }
        if (head.UserStateBytes > (uint)reader.Remaining)
        {
            return WireError.Malformed;
        }
        byte[] state = bytes.Slice(reader.Position, (int)head.UserStateBytes).ToArray();
        message = new PushPull(head.Join, nodes, state);
        return WireError.None;
    }

    // What a member's record takes: itself, its end point and address with their headers, its place in a list that
    // may be half empty, its name in UTF-16 and its bytes.
    private static int MemoryOf(in SwimFields fields)
    {
        const int Objects = 224;
        return Objects + 2 * fields.Name.Length + fields.Meta.Length;
    }

    // A name and an address are asked for also because a record costs much more than an empty map's one byte.
    private static PushNodeState? PushNodeState(in SwimFields fields, ushort defaultPort)
    {
        ushort port = fields.Port == 0 ? defaultPort : fields.Port;
        return !fields.Name.IsEmpty && fields.State <= (uint)MemberState.Left
            && fields.Meta.Length <= WireLimits.MetaBytesMax
            && WireAddress.TryRead(fields.Address, port, out IPEndPoint? address)
            ? new PushNodeState(
                Encoding.UTF8.GetString(fields.Name), address!, fields.Meta.ToArray(), fields.Incarnation,
                (MemberState)fields.State, fields.ProtocolVersions)
            : null;
    }
}
