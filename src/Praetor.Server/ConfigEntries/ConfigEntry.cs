using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Praetor.Server.ConfigEntries;

/// <summary>One configuration entry: what the user wrote, in canonical names and types.</summary>
/// <param name="Kind">service-defaults, proxy-defaults, service-intentions …</param>
/// <param name="Name">Its name.</param>
/// <param name="Body">All members, Kind and Name first; no indexes. Must not be changed: clone it to edit.</param>
public sealed record ConfigEntry(string Kind, string Name, JsonObject Body)
{
    private static readonly JsonWriterOptions WriterOptions = new()
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>The entry as it is stored.</summary>
    public byte[] ToStorage()
    {
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream, WriterOptions))
        {
            Body.WriteTo(writer);
        }

        return stream.ToArray();
    }

    /// <summary>Reads an entry that was stored.</summary>
    /// <exception cref="JsonException">The storage was damaged.</exception>
    public static ConfigEntry FromStorage(ReadOnlySpan<byte> json)
    {
        var body = JsonNode.Parse(json) as JsonObject ?? throw new JsonException("a stored config entry is no object");
        Unfold(body);
        return new ConfigEntry(Text(body, "Kind"), Text(body, "Name"), body);
    }

    /// <summary>Writes the entry as clients get it.</summary>
    public void WriteAnswer(Utf8JsonWriter writer, ulong createIndex, ulong modifyIndex)
    {
        writer.WriteStartObject();
        foreach (var (key, value) in Body)
        {
            writer.WritePropertyName(key);
            if (value is null)
            {
                writer.WriteNullValue();
            }
            else
            {
                value.WriteTo(writer);
            }
        }

        writer.WriteNumber("CreateIndex", createIndex);
        writer.WriteNumber("ModifyIndex", modifyIndex);
        writer.WriteEndObject();
    }

    // Parsed nodes unfold when they are first looked at, which is a write; entries are read by many threads.
    private static void Unfold(JsonNode? node)
    {
        foreach (var child in node switch
        {
            JsonObject map => map.Select(static p => p.Value),
            JsonArray list => list,
            _ => Enumerable.Empty<JsonNode?>(),
        })
        {
            Unfold(child);
        }
    }

    /// <summary>A member that is text. Empty: it is not there.</summary>
    internal static string Text(JsonObject? body, string key) =>
        body?[key] is JsonValue value && value.TryGetValue<string>(out var text) ? text : "";

    /// <summary>A member that is an object. Null: it is not there.</summary>
    internal static JsonObject? Object(JsonObject? body, string key) => body?[key] as JsonObject;

    /// <summary>The objects of a member that is a list.</summary>
    internal static IEnumerable<JsonObject> Items(JsonObject? body, string key) =>
        (body?[key] as JsonArray ?? []).OfType<JsonObject>();
}
