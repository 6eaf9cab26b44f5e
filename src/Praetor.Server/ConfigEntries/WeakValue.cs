using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Languages;

namespace Praetor.Server.ConfigEntries;

/// <summary>Reads values that are nearly of the wanted type, as Go's weak decoding does.</summary>
internal static class WeakValue
{
    /// <summary>Files in HCL give a block as a list of one; taken for the block itself.</summary>
    public static JsonNode? Single(JsonNode? given) =>
        given is JsonArray { Count: 1 } list ? list[0] : given is JsonArray { Count: 0 } ? new JsonObject() : given;

    /// <summary>Reads a single value.</summary>
    /// <param name="given">What the client wrote.</param>
    /// <param name="type">What is wanted.</param>
    /// <param name="path">Where it stands, for the text.</param>
    /// <param name="value">The value in its canonical type. Null: nothing was set.</param>
    /// <param name="problem">Why it cannot be read, in the words of Go's decoder.</param>
    public static bool TryScalar(JsonNode given, FieldType type, string path, out JsonNode? value, out string problem)
    {
        value = null;
        problem = "";
        if (given is JsonArray { Count: <= 1 } list)
        {
            return list.Count == 0 || list[0] is null || TryScalar(list[0]!, type, path, out value, out problem);
        }

        if (given is not JsonValue)
        {
            problem =
                $"'{path}' expected type '{GoType(type)}', got unconvertible type '{GoKindOfUnconvertible(given)}'";
            return false;
        }

        var text = TextOf(given);
        value = type switch
        {
            FieldType.Boolean => ParseBoolean(given, text),
            FieldType.Integer => ParseInteger(given, text),
            FieldType.Float => ParseFloat(given, text),
            FieldType.Duration => ParseDuration(given, text),
            _ => JsonValue.Create(text),
        };
        problem = value is not null ? "" : type switch
        {
            FieldType.Boolean =>
                $"cannot parse '{path}' as bool: strconv.ParseBool: parsing \"{text}\": invalid syntax",
            FieldType.Integer => $"cannot parse '{path}' as int: strconv.ParseInt: parsing \"{text}\": invalid syntax",
            FieldType.Float =>
                $"cannot parse '{path}' as float: strconv.ParseFloat: parsing \"{text}\": invalid syntax",
            _ => $"error decoding '{path}': time: invalid duration \"{text}\"",
        };
        return value is not null;
    }

    /// <summary>Any single value as text: 5 is "5", true is "1".</summary>
    public static string TextOf(JsonNode value) => value.GetValueKind() switch
    {
        JsonValueKind.String => value.GetValue<string>(),
        JsonValueKind.True => "1",
        JsonValueKind.False => "0",
        _ => value.ToJsonString(),
    };

    /// <summary>Whether a canonical value means "not set".</summary>
    public static bool IsZero(JsonNode value) => value.GetValueKind() switch
    {
        JsonValueKind.String => value.GetValue<string>() is "" or "0s",
        JsonValueKind.Number => NumberOf(value) == 0,
        JsonValueKind.False => true,
        _ => false,
    };

    /// <summary>What Go calls the kind of a JSON value.</summary>
    public static string GoKind(JsonNode? node) => node?.GetValueKind() switch
    {
        JsonValueKind.Array => "slice",
        JsonValueKind.Object => "map",
        JsonValueKind.String => "string",
        JsonValueKind.Number => "float64",
        JsonValueKind.True or JsonValueKind.False => "bool",
        _ => "invalid",
    };

    // A JSON value remembers the type that it was made from and gives no other; its text serves all.
    private static double NumberOf(JsonNode value) =>
        double.Parse(value.ToJsonString(), NumberStyles.Float, CultureInfo.InvariantCulture);

    private static string GoKindOfUnconvertible(JsonNode node) =>
        node is JsonArray ? "[]interface {}" : "map[string]interface {}";

    private static string GoType(FieldType type) => type switch
    {
        FieldType.Boolean => "bool",
        FieldType.Integer => "int",
        FieldType.Float => "float64",
        FieldType.Duration => "time.Duration",
        _ => "string",
    };

    private static JsonNode? ParseBoolean(JsonNode given, string text) => given.GetValueKind() switch
    {
        JsonValueKind.True => JsonValue.Create(true),
        JsonValueKind.False => JsonValue.Create(false),
        JsonValueKind.Number => JsonValue.Create(NumberOf(given) != 0),
        _ => text switch
        {
            "1" or "t" or "T" or "TRUE" or "true" or "True" => JsonValue.Create(true),
            "" or "0" or "f" or "F" or "FALSE" or "false" or "False" => JsonValue.Create(false),
            _ => null,
        },
    };

    private static JsonNode? ParseInteger(JsonNode given, string text)
    {
        if (text.Length == 0)
        {
            return JsonValue.Create(0L);
        }

        if (long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var whole))
        {
            return JsonValue.Create(whole);
        }

        // Go's decoder cuts the fraction off a JSON number; text must be a whole number.
        return given.GetValueKind() == JsonValueKind.Number && NumberOf(given) is var number &&
            Math.Abs(number) < long.MaxValue ? JsonValue.Create((long)number) : null;
    }

    private static JsonNode? ParseFloat(JsonNode given, string text)
    {
        if (given.GetValueKind() == JsonValueKind.Number)
        {
            return given.DeepClone();
        }

        return text.Length == 0 ? JsonValue.Create(0)
            : double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) &&
                double.IsFinite(number) ? JsonValue.Create(number)
            : null;
    }

    private static JsonNode? ParseDuration(JsonNode given, string text)
    {
        if (given.GetValueKind() == JsonValueKind.Number)
        {
            return ParseInteger(given, text) is { } whole
                ? JsonValue.Create(GoDuration.FormatNanoseconds(whole.GetValue<long>()))
                : null;
        }

        return text.Length == 0 ? JsonValue.Create("")
            : GoDuration.TryParseNanoseconds(text, out var nanoseconds)
                ? JsonValue.Create(GoDuration.FormatNanoseconds(nanoseconds))
            : null;
    }
}
