using System.Buffers;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Praetor.Agent.Http.Json;

/// <summary>Answers that hold certificates: their text stays as it is, so that people can copy it.</summary>
internal static class ConnectBodies
{
    private static readonly JsonWriterOptions Plain =
        new() { Encoder = GoJsonEncoder.Instance, SkipValidation = true };

    private static readonly JsonWriterOptions Indented = Plain with { Indented = true, IndentSize = 4 };

    /// <summary>A record as JSON.</summary>
    public static byte[] Of<T>(bool pretty, T value, JsonTypeInfo<T> type)
    {
        var buffer = new ArrayBufferWriter<byte>(4096);
        using (var json = new Utf8JsonWriter(buffer, pretty ? Indented : Plain))
        {
            JsonSerializer.Serialize(json, value, type);
        }

        if (pretty)
        {
            buffer.Write("\n"u8);
        }

        return buffer.WrittenSpan.ToArray();
    }
}
