using System.Diagnostics.CodeAnalysis;
using System.Text;
using Codecs.MessagePack;
using Gossip.Wire;

namespace Gossip.Serf.Wire;

/// <summary>A member's tags as memberlist's Meta has them: a magic byte, then a map; before serf 0.5 only a
/// role.</summary>
public static class TagsCodec
{
    private const byte Magic = 255;

    // What 512 bytes can hold: a key, a value and their heads are three bytes at least.
    private const int TagsMax = 256;

    /// <summary>The tags' bytes; false when they are more than the 512 that a member may say about itself.</summary>
    public static bool TryEncode(IReadOnlyDictionary<string, string> tags, out byte[] meta)
    {
        Span<byte> buffer = stackalloc byte[WireLimits.MetaBytesMax];
        var writer = new MessagePackWriter(buffer);
        writer.WriteByte(Magic);
        WriteMap(ref writer, tags);
        meta = writer.Overflowed ? [] : buffer[..writer.Length].ToArray();
        return !writer.Overflowed;
    }

    /// <summary>The tags; bytes without the magic one are an old member's role.</summary>
    /// <returns>False: broken, or more than a member may say about itself.</returns>
    public static bool TryDecode(
        ReadOnlySpan<byte> meta, [NotNullWhen(true)] out IReadOnlyDictionary<string, string>? tags)
    {
        if (meta.Length > WireLimits.MetaBytesMax)
        {
            tags = null;
            return false;
        }
        if (meta.IsEmpty || meta[0] != Magic)
        {
            tags = new Dictionary<string, string>(StringComparer.Ordinal) { ["role"] = Encoding.UTF8.GetString(meta) };
            return true;
        }
        var reader = new MessagePackReader(meta, start: 1);
        return TryReadMap(ref reader, out tags);
    }

    internal static void WriteMap(ref MessagePackWriter writer, IReadOnlyDictionary<string, string> tags)
    {
        writer.WriteMapHeader(tags.Count);
        foreach ((string name, string value) in tags.OrderBy(tag => tag.Key, StringComparer.Ordinal))
        {
            writer.WriteString(name);
            writer.WriteString(value);
        }
    }

    internal static bool TryReadMap(
        ref MessagePackReader reader, [NotNullWhen(true)] out IReadOnlyDictionary<string, string>? tags)
    {
        tags = null;
        if (!reader.TryReadMapHeader(out int count) || count > TagsMax)
        {
            return false;
        }
        var read = new Dictionary<string, string>(count, StringComparer.Ordinal);
        while (count-- > 0)
        {
            if (!reader.TryReadString(out string name) || !reader.TryReadString(out string value))
            {
                return false;
            }
            read[name] = value;
        }
        tags = read;
        return true;
    }
}
