using System.Text.Json.Nodes;
using Praetor.Server.Model;

namespace Praetor.Server.ConfigEntries;

/// <summary>Turns what a client wrote into canonical members, by a table of fields; collects all that is
/// wrong.</summary>
/// <remarks>
/// Order and names come from the table, so equal entries are equal bytes. What is zero is left out: a field with its
/// zero value means "not set" for every client.
/// </remarks>
internal sealed class EntryDecoder
{
    // Members that the server owns: clients send back what they read.
    private static readonly HashSet<string> Owned =
        new(["createindex", "modifyindex", "hash"], StringComparer.Ordinal);

    private static readonly HashSet<string> Tenancy = new(["namespace", "partition"], StringComparer.Ordinal);

    /// <summary>Keys that are not of the kind.</summary>
    public List<string> Unknown { get; } = [];

    /// <summary>Values of a type that cannot be made to fit.</summary>
    public List<string> Mismatches { get; } = [];

    /// <summary>Decodes one object.</summary>
    /// <param name="given">What the client wrote.</param>
    /// <param name="members">The object's fields.</param>
    /// <param name="path">Where it stands, ending with a dot; empty at the top.</param>
    public JsonObject Decode(JsonObject given, IReadOnlyList<Field> members, string path)
    {
        var matched = Match(given, members, path);
        var body = new JsonObject();
        foreach (var field in members)
        {
            var value = matched.TryGetValue(field.Name, out var source)
                ? Value(source.Value, field, path + source.Key) : null;
            if (value is not null)
            {
                body[field.Name] = value;
            }
            else if (field.IsAlwaysWritten)
            {
                body[field.Name] = Zero(field);
            }
        }

        return body;
    }

    private Dictionary<string, (string Key, JsonNode? Value)> Match(
        JsonObject given, IReadOnlyList<Field> members, string path)
    {
        var matched = new Dictionary<string, (string, JsonNode?)>(StringComparer.Ordinal);
        foreach (var (key, value) in given.OrderBy(p => members.Any(m => m.Name == p.Key) ? 0 : 1))
        {
            var plain = key.Replace("_", "", StringComparison.Ordinal).ToLowerInvariant();
            var field = members.FirstOrDefault(m => m.Plain == plain);
            if (field is not null && matched.TryAdd(field.Name, (key, value)))
            {
                continue;
            }

            if (path.Length == 0 && Owned.Contains(plain))
            {
                continue;
            }

            AddUnknown(path + key, plain, value);
        }

        return matched;
    }

    private void AddUnknown(string key, string plain, JsonNode? value)
    {
        if (!Tenancy.Contains(plain))
        {
            Unknown.Add($"invalid config key \"{key}\"");
            return;
        }

        // The default tenant is where everything is; clients of today name it.
        var text = value is JsonValue v && v.TryGetValue<string>(out var name) ? name : "";
        if (value is not null && text is not ("" or "default"))
        {
            Unknown.Add($"invalid config key \"{key}\", {plain}s are a consul enterprise feature");
        }
    }

    private JsonNode? Value(JsonNode? given, Field field, string path)
    {
        if (given is null)
        {
            return null;
        }

        switch (field.Type)
        {
            case FieldType.Object:
                return WeakValue.Single(given) is JsonObject inner
                    ? NotEmpty(Decode(inner, field.Members!, path + "."), field)
                    : Mismatch(path, "map", given);
            case FieldType.ObjectList:
                return ObjectList(given, field, path);
            case FieldType.TextList:
                return TextList(given, path);
            case FieldType.TextMap:
                return TextMap(given, path);
            case FieldType.Free:
                return WeakValue.Single(given) is JsonObject free
                    ? JsonOrder.Sorted(free)
                    : Mismatch(path, "map", given);
            case FieldType.Ignored:
                return null;
            default:
                return Scalar(given, field, path);
        }
    }

    private JsonNode? Scalar(JsonNode given, Field field, string path)
    {
        if (WeakValue.TryScalar(given, field.Type, path, out var value, out var problem))
        {
            return value is null || (WeakValue.IsZero(value) && !field.IsNullable) ? null : value;
        }

        Mismatches.Add(problem);
        return null;
    }

    private JsonArray? ObjectList(JsonNode given, Field field, string path)
    {
        var list = new JsonArray();
        var items = given as JsonArray ?? (IEnumerable<JsonNode?>)[given];
        var i = 0;
        foreach (var item in items)
        {
            if (item is JsonObject inner)
            {
                list.Add((JsonNode)Decode(inner, field.Members!, $"{path}[{i}]."));
            }
            else
            {
                Mismatch($"{path}[{i}]", "map", item);
            }

            i++;
        }

        return list.Count > 0 ? list : null;
    }

    private JsonArray? TextList(JsonNode given, string path)
    {
        var list = new JsonArray();
        var i = 0;
        foreach (var item in given as JsonArray ?? (IEnumerable<JsonNode?>)[given])
        {
            if (item is null ||
                WeakValue.TryScalar(item, FieldType.Text, $"{path}[{i}]", out var text, out var problem))
            {
                list.Add((JsonNode?)(item is null ? "" : WeakValue.TextOf(item)));
            }
            else
            {
                Mismatches.Add(problem);
            }

            i++;
        }

        return list.Count > 0 ? list : null;
    }

    private JsonObject? TextMap(JsonNode given, string path)
    {
        if (WeakValue.Single(given) is not JsonObject map)
        {
            Mismatch(path, "map", given);
            return null;
        }

        var result = new JsonObject();
        foreach (var (key, value) in map.OrderBy(static m => m.Key, StringComparer.Ordinal))
        {
            if (value is null || WeakValue.TryScalar(value, FieldType.Text, $"{path}[{key}]", out _, out var problem))
            {
                result[key] = value is null ? "" : WeakValue.TextOf(value);
            }
            else
            {
                Mismatches.Add(problem);
            }
        }

        return result.Count > 0 ? result : null;
    }

    private JsonObject? Mismatch(string path, string wanted, JsonNode? given)
    {
        Mismatches.Add($"'{path}' expected a {wanted}, got '{WeakValue.GoKind(given)}'");
        return null;
    }

    private static JsonObject? NotEmpty(JsonObject value, Field field) =>
        value.Count > 0 || field.IsAlwaysWritten || field.IsNullable ? value : null;

    private static JsonNode? Zero(Field field) => field.Type switch
    {
        FieldType.Text or FieldType.Duration => JsonValue.Create(""),
        FieldType.Boolean => JsonValue.Create(false),
        FieldType.Integer or FieldType.Float => JsonValue.Create(0),
        FieldType.Object => new EntryDecoder().Decode([], field.Members!, ""),
        _ => null,
    };
}
