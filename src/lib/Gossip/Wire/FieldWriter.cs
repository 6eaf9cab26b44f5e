using System.Net;
using Codecs.MessagePack;

namespace Gossip.Wire;

/// <summary>Writes a message's fields, each a name and its value, as memberlist and serf both do.</summary>
internal static class FieldWriter
{
    /// <summary>The type byte, and how many fields follow.</summary>
    public static void Begin(ref MessagePackWriter writer, byte type, int fields)
    {
        writer.WriteByte(type);
        writer.WriteMapHeader(fields);
    }

    public static void WriteNumber(ref MessagePackWriter writer, ReadOnlySpan<byte> name, ulong value)
    {
        writer.WriteRaw(name);
        writer.WriteUInt64(value);
    }

    public static void WriteText(ref MessagePackWriter writer, ReadOnlySpan<byte> name, string value)
    {
        writer.WriteRaw(name);
        writer.WriteString(value);
    }

    /// <summary>Bytes; nil when there are none.</summary>
    public static void WriteBytes(ref MessagePackWriter writer, ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        writer.WriteRaw(name);
        writer.WriteRawOrNil(value);
    }

    public static void WriteFlag(ref MessagePackWriter writer, ReadOnlySpan<byte> name, bool value)
    {
        writer.WriteRaw(name);
        writer.WriteBoolean(value);
    }

    public static void WriteAddress(ref MessagePackWriter writer, ReadOnlySpan<byte> name, IPAddress address)
    {
        writer.WriteRaw(name);
        WireAddress.Write(ref writer, address);
    }
}
