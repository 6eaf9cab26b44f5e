using System.Diagnostics.CodeAnalysis;
using Codecs.MessagePack;
using Gossip.Wire;

namespace Gossip.Serf.Wire;

/// <summary>Whom a query is meant for; all of its filters must let a member through.</summary>
public abstract record QueryFilter
{
    private const byte NodesType = 0;
    private const byte TagType = 1;
    private const int TextsMax = 4096;

    private QueryFilter()
    {
    }

    /// <summary>Members with one of these names.</summary>
    public sealed record Nodes(IReadOnlyList<string> Names) : QueryFilter;

    /// <summary>
    /// Members with a tag that a regular expression (in Go's syntax, anchored nowhere) finds itself in. The
    /// expression comes from the network: match it only by an engine whose time is linear.
    /// </summary>
    public sealed record Tag(string Name, string Expression) : QueryFilter;

    /// <exception cref="InvalidOperationException">It is larger than a packet.</exception>
    public byte[] Encode()
    {
        var buffer = new byte[WireLimits.DatagramBytesMax];
        var writer = new MessagePackWriter(buffer);
        if (this is Nodes nodes)
        {
            writer.WriteByte(NodesType);
            writer.WriteArrayHeader(nodes.Names.Count);
            foreach (string name in nodes.Names)
            {
                writer.WriteString(name);
            }
        }
        else if (this is Tag tag)
        {
            writer.WriteByte(TagType);
            writer.WriteMapHeader(2);
            writer.WriteRaw("Expr"u8);
            writer.WriteString(tag.Expression);
            writer.WriteRaw("Tag"u8);
            writer.WriteString(tag.Name);
        }
        return writer.Overflowed
            ? throw new InvalidOperationException("The filters of a query must fit a packet; name fewer members.")
            : buffer[..writer.Length];
    }

    /// <returns>False: it is broken or of an unknown kind, and lets nobody through.</returns>
    public static bool TryDecode(ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out QueryFilter? filter)
    {
        filter = null;
        var reader = new MessagePackReader(bytes, start: 1);
        return !bytes.IsEmpty && bytes[0] switch
        {
            NodesType => TryReadNodes(ref reader, out filter),
            TagType => TryReadTag(ref reader, out filter),
            _ => false,
        };
    }

    private static bool TryReadNodes(ref MessagePackReader reader, [NotNullWhen(true)] out QueryFilter? filter)
    {
        filter = null;
        if (!reader.TryReadArrayHeader(out int count) || count > TextsMax)
        {
            return false;
        }
        var names = new string[count];
        for (int i = 0; i < count; i++)
        {
            if (!reader.TryReadString(out names[i]))
            {
                return false;
            }
        }
        filter = new Nodes(names);
        return true;
    }

    private static bool TryReadTag(ref MessagePackReader reader, [NotNullWhen(true)] out QueryFilter? filter)
    {
        filter = null;
        string name = "";
        string expression = "";
        if (!reader.TryReadMapHeader(out int fields))
        {
            return false;
        }
        while (fields-- > 0)
        {
            bool isRead = reader.TryReadRaw(out ReadOnlySpan<byte> field)
                && (field.SequenceEqual("Tag"u8) ? reader.TryReadString(out name)
                    : field.SequenceEqual("Expr"u8) ? reader.TryReadString(out expression)
                    : reader.TrySkip());
            if (!isRead)
            {
                return false;
            }
        }
        filter = new Tag(name, expression);
        return true;
    }
}
