using Codecs.MessagePack;

namespace Praetor.Server.Snapshots;

/// <summary>Writes the members of a record: the name and behind it the value.</summary>
internal static class Members
{
    public static void Text(this ref MessagePackWriter writer, ReadOnlySpan<byte> name, string value)
    {
        writer.WriteRaw(name);
        writer.WriteString(value);
    }

    public static void Number(this ref MessagePackWriter writer, ReadOnlySpan<byte> name, ulong value)
    {
        writer.WriteRaw(name);
        writer.WriteUInt64(value);
    }

    public static void Whole(this ref MessagePackWriter writer, ReadOnlySpan<byte> name, long value)
    {
        writer.WriteRaw(name);
        writer.WriteInt64(value);
    }

    public static void Flag(this ref MessagePackWriter writer, ReadOnlySpan<byte> name, bool value)
    {
        writer.WriteRaw(name);
        writer.WriteBoolean(value);
    }

    public static void Double(this ref MessagePackWriter writer, ReadOnlySpan<byte> name, double value)
    {
        writer.WriteRaw(name);
        writer.WriteDouble(value);
    }

    public static void Nil(this ref MessagePackWriter writer, ReadOnlySpan<byte> name)
    {
        writer.WriteRaw(name);
        writer.WriteNil();
    }

    public static void Texts(this ref MessagePackWriter writer, ReadOnlySpan<byte> name, IReadOnlyList<string>? values)
    {
        writer.WriteRaw(name);
        if (values is null)
        {
            writer.WriteNil();
            return;
        }

        writer.WriteArrayHeader(values.Count);
        foreach (var value in values)
        {
            writer.WriteString(value);
        }
    }

    public static void TextMap(
        this ref MessagePackWriter writer, ReadOnlySpan<byte> name, IReadOnlyDictionary<string, string>? values)
    {
        writer.WriteRaw(name);
        if (values is null)
        {
            writer.WriteNil();
            return;
        }

        writer.WriteMapHeader(values.Count);
        foreach (var (key, value) in values)
        {
            writer.WriteString(key);
            writer.WriteString(value);
        }
    }
}
