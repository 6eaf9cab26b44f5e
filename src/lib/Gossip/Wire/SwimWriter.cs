using System.Net;
using Codecs.MessagePack;
using static Gossip.Wire.FieldWriter;

namespace Gossip.Wire;

/// <summary>
/// Turns records into their bytes, type byte first. Fields go in the order of their names, as Consul and serf write
/// them; readers take any order.
/// </summary>
internal static class SwimWriter
{
    /// <summary>Writes what goes in packets; false when it does not fit.</summary>
    /// <param name="length">Bytes written.</param>
    /// <exception cref="ArgumentException">The message goes over streams only.</exception>
    public static bool TryWritePacketMessage(SwimMessage message, Span<byte> destination, out int length)
    {
        var writer = new MessagePackWriter(destination);
        switch (message)
        {
            case UserMessage user:
                writer.WriteByte((byte)SwimMessageType.User);
                writer.WriteBytes(user.Payload.Span);
                break;
            case Ping ping:
                Write(ref writer, ping);
                break;
            case IndirectPing ping:
                Write(ref writer, ping);
                break;
            case Ack ack:
                Begin(ref writer, (byte)SwimMessageType.Ack, fields: 2);
                WriteBytes(ref writer, "Payload"u8, ack.Payload.Span);
                WriteNumber(ref writer, "SeqNo"u8, ack.SequenceNumber);
                break;
            case Nack nack:
                Begin(ref writer, (byte)SwimMessageType.Nack, fields: 1);
                WriteNumber(ref writer, "SeqNo"u8, nack.SequenceNumber);
                break;
            case Suspect suspect:
                WriteClaim(ref writer, SwimMessageType.Suspect, suspect.Incarnation, suspect.Node, suspect.From);
                break;
            case Dead dead:
                WriteClaim(ref writer, SwimMessageType.Dead, dead.Incarnation, dead.Node, dead.From);
                break;
            case Alive alive:
                Write(ref writer, alive);
                break;
            default:
                throw new ArgumentException($"A {message.GetType().Name} goes over streams only.", nameof(message));
        }
        length = writer.Length;
        return !writer.Overflowed;
    }

    /// <summary>Writes what goes over streams; false when it does not fit.</summary>
    /// <param name="length">Bytes written.</param>
    /// <exception cref="ArgumentException">The message goes in packets only.</exception>
    public static bool TryWriteStreamMessage(SwimMessage message, Span<byte> destination, out int length)
    {
        if (message is Ping or Ack)
        {
            return TryWritePacketMessage(message, destination, out length);
        }
        var writer = new MessagePackWriter(destination);
        switch (message)
        {
            case UserMessage user:
                Begin(ref writer, (byte)SwimMessageType.User, fields: 1);
                WriteNumber(ref writer, "UserMsgLen"u8, (uint)user.Payload.Length);
                writer.WriteBytes(user.Payload.Span);
                break;
            case ErrorResponse error:
                Begin(ref writer, (byte)SwimMessageType.Error, fields: 1);
                WriteText(ref writer, "Error"u8, error.Error);
                break;
            case PushPull state:
                Write(ref writer, state);
                break;
            default:
                throw new ArgumentException($"A {message.GetType().Name} goes in packets only.", nameof(message));
        }
        length = writer.Length;
        return !writer.Overflowed;
    }

    private static void Write(ref MessagePackWriter writer, Ping ping)
    {
        int fields = 2 + (ping.Source is null ? 0 : 2) + (ping.SourceNode.Length == 0 ? 0 : 1);
        Begin(ref writer, (byte)SwimMessageType.Ping, fields);
        WriteText(ref writer, "Node"u8, ping.Node);
        WriteNumber(ref writer, "SeqNo"u8, ping.SequenceNumber);
        WriteSource(ref writer, ping.Source, ping.SourceNode);
    }

    private static void Write(ref MessagePackWriter writer, IndirectPing ping)
    {
        int fields = 5 + (ping.Source is null ? 0 : 2) + (ping.SourceNode.Length == 0 ? 0 : 1);
        Begin(ref writer, (byte)SwimMessageType.IndirectPing, fields);
        WriteFlag(ref writer, "Nack"u8, ping.WantsNack);
        WriteText(ref writer, "Node"u8, ping.Node);
        WriteNumber(ref writer, "Port"u8, (uint)ping.Target.Port);
        WriteNumber(ref writer, "SeqNo"u8, ping.SequenceNumber);
        WriteSource(ref writer, ping.Source, ping.SourceNode);
        WriteAddress(ref writer, "Target"u8, ping.Target.Address);
    }

    private static void Write(ref MessagePackWriter writer, Alive alive)
    {
        Begin(ref writer, (byte)SwimMessageType.Alive, fields: 6);
        WriteAddress(ref writer, "Addr"u8, alive.Address.Address);
        WriteNumber(ref writer, "Incarnation"u8, alive.Incarnation);
        WriteBytes(ref writer, "Meta"u8, alive.Meta.Span);
        WriteText(ref writer, "Node"u8, alive.Node);
        WriteNumber(ref writer, "Port"u8, (uint)alive.Address.Port);
        WriteVersions(ref writer, alive.Versions);
    }

    private static void Write(ref MessagePackWriter writer, PushPull state)
    {
        Begin(ref writer, (byte)SwimMessageType.PushPull, fields: 3);
        WriteFlag(ref writer, "Join"u8, state.Join);
        WriteNumber(ref writer, "Nodes"u8, (uint)state.Nodes.Count);
        WriteNumber(ref writer, "UserStateLen"u8, (uint)state.UserState.Length);
        foreach (PushNodeState node in state.Nodes)
        {
            writer.WriteMapHeader(7);
            WriteAddress(ref writer, "Addr"u8, node.Address.Address);
            WriteNumber(ref writer, "Incarnation"u8, node.Incarnation);
            WriteBytes(ref writer, "Meta"u8, node.Meta.Span);
            WriteText(ref writer, "Name"u8, node.Name);
            WriteNumber(ref writer, "Port"u8, (uint)node.Address.Port);
            WriteNumber(ref writer, "State"u8, (uint)node.State);
            WriteVersions(ref writer, node.Versions);
        }
        writer.WriteBytes(state.UserState.Span);
    }

    private static void WriteClaim(
        ref MessagePackWriter writer, SwimMessageType type, uint incarnation, string node, string from)
    {
        Begin(ref writer, (byte)type, fields: 3);
        WriteText(ref writer, "From"u8, from);
        WriteNumber(ref writer, "Incarnation"u8, incarnation);
        WriteText(ref writer, "Node"u8, node);
    }

    private static void WriteSource(ref MessagePackWriter writer, IPEndPoint? source, string node)
    {
        if (source is not null)
        {
            WriteAddress(ref writer, "SourceAddr"u8, source.Address);
        }
        if (node.Length > 0)
        {
            WriteText(ref writer, "SourceNode"u8, node);
        }
        if (source is not null)
        {
            WriteNumber(ref writer, "SourcePort"u8, (uint)source.Port);
        }
    }

    private static void WriteVersions(ref MessagePackWriter writer, ProtocolVersions versions)
    {
        writer.WriteRaw("Vsn"u8);
        writer.WriteRaw([
            versions.ProtocolMin, versions.ProtocolMax, versions.ProtocolCurrent,
            versions.DelegateMin, versions.DelegateMax, versions.DelegateCurrent,
        ]);
    }
}
