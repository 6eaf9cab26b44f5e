using System.Text;
using Codecs.MessagePack;

namespace Praetor.Agent.Events;

/// <summary>A user event as gossip carries it: a MessagePack map with short names.</summary>
/// <remarks>
/// Texts and bytes are written as the oldest form of MessagePack has them, as Consul's decoder knows no other; all
/// forms are read. What cannot be read gives null, never an exception.
/// </remarks>
internal static class UserEventCodec
{
    /// <summary>The longest text without a length of its own.</summary>
    private const int FixRawMax = 31;

    // The heads, the names, and a number of the longest form.
    private const int AroundBytes = 64;

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

        var bytes = new byte[AroundBytes + fields.Sum(static field => field.Text.Length)];
        var writer = new MessagePackWriter(bytes);
        writer.WriteMapHeader(fields.Count + 1);
        foreach (var (name, text) in fields)
        {
            writer.WriteString(name);
            writer.WriteRaw(text);
        }

        writer.WriteString("v");
        writer.WriteInt64(from.Version);
        return bytes[..writer.Length];
    }

    public static UserEvent? Decode(ReadOnlySpan<byte> bytes, ulong lamportTime)
    {
        var reader = new MessagePackReader(bytes);
        if (!reader.TryReadMapHeader(out var count))
        {
            return null;
        }

        var read = new UserEvent { Name = "", LamportTime = lamportTime, Version = 0 };
        for (var i = 0; i < count; i++)
        {
            if (!reader.TryReadString(out var name) || !TryField(ref reader, name, ref read))
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

    private static bool TryField(ref MessagePackReader reader, string name, ref UserEvent into)
    {
        switch (name)
        {
            case "ID":
                return reader.TryReadString(out var id) && Set(ref into, into with { Id = id });
            case "n":
                return reader.TryReadString(out var text) && Set(ref into, into with { Name = text });
            case "p":
                return reader.TryReadRaw(out var payload) && Set(ref into, into with { Payload = payload.ToArray() });
            case "nf":
                return reader.TryReadString(out var node) && Set(ref into, into with { NodeFilter = node });
            case "sf":
                return reader.TryReadString(out var service) && Set(ref into, into with { ServiceFilter = service });
            case "tf":
                return reader.TryReadString(out var tag) && Set(ref into, into with { TagFilter = tag });
            case "v":
                return reader.TryReadInt64(out var version)
                    && Set(ref into, into with { Version = (int)Math.Clamp(version, 0, int.MaxValue) });
            default:
                return reader.TrySkip();
        }
    }

    private static bool Set(ref UserEvent target, UserEvent value)
    {
        target = value;
        return true;
    }

    private static void AddUnlessEmpty(List<(string Name, byte[] Text)> fields, string name, byte[] text)
    {
        if (text.Length > 0)
        {
            fields.Add((name, text));
        }
    }
}
