using System.Buffers.Binary;
using System.Text;

namespace Praetor.Agent.Events;

/// <summary>A user event as gossip carries it: a MessagePack map with short names.</summary>
/// <remarks>
/// Texts and bytes are written as the oldest form of MessagePack has them, as Consul's decoder knows no other; all
/// forms are read. What cannot be read gives null, never an exception.
/// </remarks>
internal static class UserEventCodec
{
    private const int DepthMax = 8;
    private const byte FixMap = 0x80;
    private const byte FixRaw = 0xa0;
    private const byte Raw16 = 0xda;
    private const byte Int32 = 0xd2;
    private const int FixRawMax = 31;
    private const int FixIntMax = 127;

    public static byte[] Encode(UserEvent from)
    {
        var fields = new List<(string Name, byte[] Text)>
        {
            ("ID", Encoding.UTF8.GetBytes(from.Id)),
            ("n", Encoding.UTF8.GetBytes(from.Name)),
        };
        AddUnlessEmpty(fields, "p", from.Payload.ToArray());
        AddUnlessEmpty(fields, "nf", Encoding.UTF8.GetBytes(from.NodeFilter));
        AddUnlessEmpty(fields, "sf", Encoding.UTF8.GetBytes(from.ServiceFilter));
        AddUnlessEmpty(fields, "tf", Encoding.UTF8.GetBytes(from.TagFilter));

        var bytes = new List<byte> { (byte)(FixMap | (fields.Count + 1)) };
        foreach (var (name, text) in fields)
        {
            AddRaw(bytes, Encoding.UTF8.GetBytes(name));
            AddRaw(bytes, text);
        }

        AddRaw(bytes, "v"u8);
        AddInt(bytes, from.Version);
        return [.. bytes];
    }

    public static UserEvent? Decode(ReadOnlySpan<byte> bytes, ulong lamportTime)
    {
        var reader = new PackReader(bytes);
        if (!reader.TryMap(out var count))
        {
            return null;
        }

        var read = new UserEvent { Name = "", LamportTime = lamportTime, Version = 0 };
        for (var i = 0; i < count; i++)
        {
            if (!reader.TryRaw(out var name) || !TryField(ref reader, Encoding.UTF8.GetString(name), ref read))
            {
                return null;
            }
        }

        return read.Name.Length > 0 ? read : null;
    }

    /// <summary>How long serf's message with an event becomes; it is bound by
    /// <see cref="UserEvents.FrameBytesMax"/>.</summary>
    /// <remarks>A type byte and a map of LTime, Name, Payload and CC. The clock is taken for small, as Consul's is
    /// while it is young; gossip looks again.</remarks>
    public static int FrameBytes(int nameBytes, int payloadBytes)
    {
        var names = RawBytes("LTime".Length) + RawBytes("Name".Length) + RawBytes("Payload".Length)
            + RawBytes("CC".Length);
        return 1 + 1 + names + 1 + 1 + RawBytes(nameBytes) + RawBytes(payloadBytes);
    }

    private static int RawBytes(int length) => (length > FixRawMax ? 3 : 1) + length;

    private static bool TryField(ref PackReader reader, string name, ref UserEvent into)
    {
        switch (name)
        {
            case "ID":
                return TryText(ref reader, out var id) && Set(ref into, into with { Id = id });
            case "n":
                return TryText(ref reader, out var text) && Set(ref into, into with { Name = text });
            case "p":
                return reader.TryRaw(out var payload) && Set(ref into, into with { Payload = payload.ToArray() });
            case "nf":
                return TryText(ref reader, out var node) && Set(ref into, into with { NodeFilter = node });
            case "sf":
                return TryText(ref reader, out var service) && Set(ref into, into with { ServiceFilter = service });
            case "tf":
                return TryText(ref reader, out var tag) && Set(ref into, into with { TagFilter = tag });
            case "v":
                return reader.TryWhole(out var version)
                    && Set(ref into, into with { Version = (int)Math.Clamp(version, 0, int.MaxValue) });
            default:
                return reader.TrySkip(DepthMax);
        }
    }

    private static bool Set(ref UserEvent target, UserEvent value)
    {
        target = value;
        return true;
    }

    private static bool TryText(ref PackReader reader, out string text)
    {
        var isRead = reader.TryRaw(out var bytes);
        text = isRead ? Encoding.UTF8.GetString(bytes) : "";
        return isRead;
    }

    private static void AddUnlessEmpty(List<(string Name, byte[] Text)> fields, string name, byte[] text)
    {
        if (text.Length > 0)
        {
            fields.Add((name, text));
        }
    }

    private static void AddRaw(List<byte> bytes, ReadOnlySpan<byte> text)
    {
        if (text.Length <= FixRawMax)
        {
            bytes.Add((byte)(FixRaw | text.Length));
        }
        else
        {
            // Gossip carries no event that would need more than two bytes of length.
            bytes.AddRange([Raw16, (byte)(text.Length >> 8), (byte)text.Length]);
        }

        bytes.AddRange(text);
    }

    private static void AddInt(List<byte> bytes, int value)
    {
        if (value is >= 0 and <= FixIntMax)
        {
            bytes.Add((byte)value);
            return;
        }

        Span<byte> number = stackalloc byte[5];
        number[0] = Int32;
        BinaryPrimitives.WriteInt32BigEndian(number[1..], value);
        bytes.AddRange(number);
    }
}
