using System.Text.Json;

namespace Codecs.Snapshots;

/// <summary>What an archive says of the state in it.</summary>
/// <param name="Id">Names it: term, index and time.</param>
/// <param name="Index">The index of the last change in it.</param>
/// <param name="Term">The term of that change.</param>
/// <param name="Size">How many bytes the state has.</param>
/// <param name="Version">The layout of this description; there is only 1.</param>
public sealed record SnapshotMeta(string Id, ulong Index, ulong Term, long Size, int Version = 1)
{
    /// <summary>The description of a state that was taken now.</summary>
    public static SnapshotMeta Of(ulong index, ulong term, long size, DateTimeOffset now) =>
        new($"{term}-{index}-{now.ToUnixTimeMilliseconds()}", index, term, size);

    /// <summary>As it stands in archives.</summary>
    internal byte[] ToJson()
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteNumber("Version", Version);
            json.WriteString("ID", Id);
            json.WriteNumber("Index", Index);
            json.WriteNumber("Term", Term);

            // Who takes the state over keeps its own servers.
            json.WriteNull("Peers");
            json.WriteStartObject("Configuration");
            json.WriteNull("Servers");
            json.WriteEndObject();
            json.WriteNumber("ConfigurationIndex", 0);
            json.WriteNumber("Size", Size);
            json.WriteEndObject();
        }

        buffer.WriteByte((byte)'\n');
        return buffer.ToArray();
    }

    /// <summary>Reads what stands in an archive. Null: it is no such description.</summary>
    internal static SnapshotMeta? Read(ReadOnlyMemory<byte> json)
    {
        try
        {
            using var document = JsonDocument.Parse(json);
            var root = document.RootElement;
            return root.ValueKind != JsonValueKind.Object ? null : new SnapshotMeta(
                root.GetProperty("ID").GetString() ?? "",
                root.GetProperty("Index").GetUInt64(),
                root.GetProperty("Term").GetUInt64(),
                root.GetProperty("Size").GetInt64(),
                root.GetProperty("Version").GetInt32());
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException
            or FormatException)
        {
            return null;
        }
    }
}
