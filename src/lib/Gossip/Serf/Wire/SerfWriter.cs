using System.Net;
using Codecs.MessagePack;
using Gossip.Wire;
using static Gossip.Wire.FieldWriter;

namespace Gossip.Serf.Wire;

/// <summary>Turns records into bytes; fields in the order of their names, as serf writes them.</summary>
internal static class SerfWriter
{
    private const long NanosecondsPerTick = 100;

    /// <returns>False: it does not fit.</returns>
    public static bool TryWrite(SerfMessage message, Span<byte> destination, out int length)
    {
        var writer = new MessagePackWriter(destination);
        switch (message)
        {
            case LeaveIntent leave:
                Begin(ref writer, (byte)SerfMessageType.Leave, fields: 3);
                WriteNumber(ref writer, "LTime"u8, leave.LTime);
                WriteText(ref writer, "Node"u8, leave.Node);
                WriteFlag(ref writer, "Prune"u8, leave.Prune);
                break;
            case JoinIntent join:
                Begin(ref writer, (byte)SerfMessageType.Join, fields: 2);
                WriteNumber(ref writer, "LTime"u8, join.LTime);
                WriteText(ref writer, "Node"u8, join.Node);
                break;
            case UserEvent happened:
                Begin(ref writer, (byte)SerfMessageType.UserEvent, fields: 4);
                WriteFlag(ref writer, "CC"u8, happened.CanCoalesce);
                WriteNumber(ref writer, "LTime"u8, happened.LTime);
                WriteText(ref writer, "Name"u8, happened.Name);
                WriteBytes(ref writer, "Payload"u8, happened.Payload.Span);
                break;
            case KeyRequest request:
                Begin(ref writer, (byte)SerfMessageType.KeyRequest, fields: 1);
                WriteBytes(ref writer, "Key"u8, request.Key.Span);
                break;
            default:
                WriteLonger(ref writer, message);
                break;
        }
        length = writer.Length;
        return !writer.Overflowed;
    }

    private static void WriteLonger(ref MessagePackWriter writer, SerfMessage message)
    {
        switch (message)
        {
            case SerfPushPull state:
                Write(ref writer, state);
                break;
            case Query query:
                Write(ref writer, query);
                break;
            case QueryResponse response:
                Begin(ref writer, (byte)SerfMessageType.QueryResponse, fields: 5);
                WriteNumber(ref writer, "Flags"u8, (uint)response.Flags);
                WriteText(ref writer, "From"u8, response.From);
                WriteNumber(ref writer, "ID"u8, response.Id);
                WriteNumber(ref writer, "LTime"u8, response.LTime);
                WriteBytes(ref writer, "Payload"u8, response.Payload.Span);
                break;
            case ConflictResponse response:
                Write(ref writer, response);
                break;
            case KeyResponse response:
                Write(ref writer, response);
                break;
            case Relay relay:
                Write(ref writer, relay);
                break;
            default:
                throw new ArgumentException($"{message.GetType().Name} has no form on the wire.", nameof(message));
        }
    }

    private static void Write(ref MessagePackWriter writer, SerfPushPull state)
    {
        Begin(ref writer, (byte)SerfMessageType.PushPull, fields: 6);
        WriteNumber(ref writer, "EventLTime"u8, state.EventLTime);
        writer.WriteRaw("Events"u8);
        writer.WriteArrayHeader(state.Events.Count);
        foreach (UserEventsAt moment in state.Events)
        {
            Write(ref writer, moment);
        }
        WriteNumber(ref writer, "LTime"u8, state.LTime);
        WriteTexts(ref writer, "LeftMembers"u8, state.LeftMembers);
        WriteNumber(ref writer, "QueryLTime"u8, state.QueryLTime);
        writer.WriteRaw("StatusLTimes"u8);
        writer.WriteMapHeader(state.StatusLTimes.Count);
        foreach (StatusLTime status in state.StatusLTimes)
        {
            writer.WriteString(status.Node);
            writer.WriteUInt64(status.LTime);
        }
    }

    private static void Write(ref MessagePackWriter writer, UserEventsAt moment)
    {
        writer.WriteMapHeader(2);
        writer.WriteRaw("Events"u8);
        writer.WriteArrayHeader(moment.Events.Count);
        foreach (RecentUserEvent happened in moment.Events)
        {
            writer.WriteMapHeader(2);
            WriteText(ref writer, "Name"u8, happened.Name);
            WriteBytes(ref writer, "Payload"u8, happened.Payload.Span);
        }
        WriteNumber(ref writer, "LTime"u8, moment.LTime);
    }

    private static void Write(ref MessagePackWriter writer, Query query)
    {
        Begin(ref writer, (byte)SerfMessageType.Query, fields: 11);
        WriteAddress(ref writer, "Addr"u8, query.Source.Address);
        writer.WriteRaw("Filters"u8);
        if (query.Filters.Count == 0)
        {
            writer.WriteNil(); // as Go writes an absent slice
        }
        else
        {
            writer.WriteArrayHeader(query.Filters.Count);
        }
        foreach (ReadOnlyMemory<byte> filter in query.Filters)
        {
            writer.WriteRaw(filter.Span);
        }
        WriteNumber(ref writer, "Flags"u8, (uint)query.Flags);
        WriteNumber(ref writer, "ID"u8, query.Id);
        WriteNumber(ref writer, "LTime"u8, query.LTime);
        WriteText(ref writer, "Name"u8, query.Name);
        WriteBytes(ref writer, "Payload"u8, query.Payload.Span);
        WriteNumber(ref writer, "Port"u8, (uint)query.Source.Port);
        WriteNumber(ref writer, "RelayFactor"u8, query.RelayFactor);
        WriteText(ref writer, "SourceNode"u8, query.SourceNode);
        writer.WriteRaw("Timeout"u8);
        long ticksMax = long.MaxValue / NanosecondsPerTick;
        writer.WriteInt64(Math.Clamp(query.Timeout.Ticks, -ticksMax, ticksMax) * NanosecondsPerTick);
    }

    private static void Write(ref MessagePackWriter writer, ConflictResponse response)
    {
        writer.WriteByte((byte)SerfMessageType.ConflictResponse);
        if (response.Member is not SerfMemberInfo member)
        {
            writer.WriteNil();
            return;
        }
        writer.WriteMapHeader(11);
        WriteAddress(ref writer, "Addr"u8, member.Address.Address);
        WriteNumber(ref writer, "DelegateCur"u8, member.Versions.DelegateCurrent);
        WriteNumber(ref writer, "DelegateMax"u8, member.Versions.DelegateMax);
        WriteNumber(ref writer, "DelegateMin"u8, member.Versions.DelegateMin);
        WriteText(ref writer, "Name"u8, member.Name);
        WriteNumber(ref writer, "Port"u8, (uint)member.Address.Port);
        WriteNumber(ref writer, "ProtocolCur"u8, member.Versions.ProtocolCurrent);
        WriteNumber(ref writer, "ProtocolMax"u8, member.Versions.ProtocolMax);
        WriteNumber(ref writer, "ProtocolMin"u8, member.Versions.ProtocolMin);
        WriteNumber(ref writer, "Status"u8, member.Status);
        writer.WriteRaw("Tags"u8);
        TagsCodec.WriteMap(ref writer, member.Tags);
    }

    private static void Write(ref MessagePackWriter writer, KeyResponse response)
    {
        Begin(ref writer, (byte)SerfMessageType.KeyResponse, fields: 4);
        WriteTexts(ref writer, "Keys"u8, response.Keys);
        WriteText(ref writer, "Message"u8, response.Message);
        WriteText(ref writer, "PrimaryKey"u8, response.PrimaryKey);
        WriteFlag(ref writer, "Result"u8, response.Result);
    }

    private static void Write(ref MessagePackWriter writer, Relay relay)
    {
        Begin(ref writer, (byte)SerfMessageType.Relay, fields: 2);
        writer.WriteRaw("DestAddr"u8);
        writer.WriteMapHeader(3);
        WriteAddress(ref writer, "IP"u8, relay.Destination.Address);
        WriteNumber(ref writer, "Port"u8, (uint)relay.Destination.Port);
        WriteText(ref writer, "Zone"u8, "");
        WriteText(ref writer, "DestName"u8, relay.DestinationNode);
        writer.WriteBytes(relay.Message.Span);
    }

    private static void WriteTexts(ref MessagePackWriter writer, ReadOnlySpan<byte> name, IReadOnlyList<string> texts)
    {
        writer.WriteRaw(name);
        writer.WriteArrayHeader(texts.Count);
        foreach (string text in texts)
        {
            writer.WriteString(text);
        }
    }
}
