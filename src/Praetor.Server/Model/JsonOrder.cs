using System.Text.Json;
using System.Text.Json.Nodes;

namespace Praetor.Server.Model;

/// <summary>Free JSON with the keys of each object in order, as Go writes its maps.</summary>
/// <remarks>Equal contents are equal bytes then, whatever order they were written in.</remarks>
public static class JsonOrder
{
    /// <summary>A copy in order.</summary>
    public static JsonNode? Sorted(JsonNode? node) => node switch
    {
        JsonObject map => new JsonObject(
            map.OrderBy(static m => m.Key, StringComparer.Ordinal)
                .Select(static m => KeyValuePair.Create(m.Key, Sorted(m.Value)))),
        JsonArray list => new JsonArray([.. list.Select(Sorted)]),
        _ => node?.DeepClone(),
    };

    /// <summary>Writes in order.</summary>
    public static void WriteSorted(Utf8JsonWriter json, JsonElement value)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.Object:
                json.WriteStartObject();
                foreach (var member in value.EnumerateObject().OrderBy(static m => m.Name, StringComparer.Ordinal))
                {
                    json.WritePropertyName(member.Name);
                    WriteSorted(json, member.Value);
                }

                json.WriteEndObject();
                break;
            case JsonValueKind.Array:
                json.WriteStartArray();
                foreach (var item in value.EnumerateArray())
                {
                    WriteSorted(json, item);
                }

                json.WriteEndArray();
                break;
            default:
                value.WriteTo(json);
                break;
        }
    }
}
