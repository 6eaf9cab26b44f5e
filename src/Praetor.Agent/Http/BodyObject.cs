using System.Globalization;
using System.Text.Json;
using Languages;

namespace Praetor.Agent.Http;

/// <summary>
/// A JSON object of a request body: members are found regardless of case, as Go's decoder finds them; what nobody asked
/// for is unknown; the first thing wrong is kept and told at the end.
/// </summary>
internal sealed class BodyObject
{
    private static readonly JsonDocumentOptions Options = new() { MaxDepth = 64 };

    private readonly Dictionary<string, JsonElement> _members = new(StringComparer.OrdinalIgnoreCase);
    private readonly Dictionary<string, string> _spelling = new(StringComparer.OrdinalIgnoreCase);
    private readonly Problems _problems;

    private BodyObject(JsonElement element, Problems problems)
    {
        _problems = problems;
        foreach (var member in element.EnumerateObject())
        {
            _members[member.Name] = member.Value;
            _spelling[member.Name] = member.Name;
        }
    }

    /// <summary>Reads a body; null, when it is no JSON object.</summary>
    public static BodyObject? Parse(ReadOnlyMemory<byte> body, out string problem)
    {
        problem = "";
        try
        {
            using var document = JsonDocument.Parse(body.IsEmpty ? "null"u8.ToArray() : body, Options);
            if (document.RootElement.ValueKind == JsonValueKind.Object)
            {
                return new BodyObject(document.RootElement.Clone(), new Problems());
            }

            problem = body.IsEmpty ? "EOF" : $"json: cannot unmarshal {KindOf(document.RootElement)} into Go value";
            return null;
        }
        catch (JsonException e)
        {
            problem = JsonErrors.Of(body.Span, e);
            return null;
        }
    }

    /// <summary>An object that was read already.</summary>
    public static BodyObject Of(JsonElement element) => new(element, new Problems());

    /// <summary>Whether a member is there, be it null.</summary>
    public bool Has(string name) => _members.ContainsKey(name);

    /// <summary>What was wrong first. Null: nothing so far; call <see cref="Finish"/> before.</summary>
    public string? Problem => _problems.First;

    /// <summary>Notes what else is wrong.</summary>
    public void Refuse(string problem) => _problems.Note(problem);

    /// <summary>Notes members that nobody asked for as unknown.</summary>
    public void Finish()
    {
        foreach (var name in _spelling.Values)
        {
            _problems.Note($"json: unknown field \"{name}\"");
            return;
        }
    }

    public string Text(string name)
    {
        if (!Take(name, out var value))
        {
            return "";
        }

        return value.ValueKind == JsonValueKind.String ? value.GetString()! : Wrong(name, value, "string", "");
    }

    public bool Flag(string name) =>
        Take(name, out var value) && value.ValueKind switch
        {
            JsonValueKind.True => true,
            JsonValueKind.False => false,
            _ => Wrong(name, value, "bool", false),
        };

    public int Whole(string name, int otherwise = 0)
    {
        if (!Take(name, out var value))
        {
            return otherwise;
        }

        return value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var number)
            ? number
            : Wrong(name, value, "int", otherwise);
    }

    public ulong Unsigned(string name)
    {
        if (!Take(name, out var value))
        {
            return 0;
        }

        return value.ValueKind == JsonValueKind.Number && value.TryGetUInt64(out var number)
            ? number
            : Wrong(name, value, "uint64", 0UL);
    }

    /// <summary>A duration: Go's text, or nanoseconds. Zero when absent.</summary>
    public TimeSpan Duration(string name)
    {
        if (!Take(name, out var value))
        {
            return TimeSpan.Zero;
        }

        if (value.ValueKind == JsonValueKind.String)
        {
            var text = value.GetString()!;
            return text.Length == 0 || GoDuration.TryParse(text, out _)
                ? ParseOrZero(text)
                : Wrong(name, value, "time.Duration", TimeSpan.Zero);
        }

        return value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out var nanoseconds)
            ? TimeSpan.FromTicks(nanoseconds / 100)
            : Wrong(name, value, "time.Duration", TimeSpan.Zero);
    }

    public byte[] Base64(string name)
    {
        if (!Take(name, out var value))
        {
            return [];
        }

        return value.ValueKind == JsonValueKind.String && value.TryGetBytesFromBase64(out var bytes)
            ? bytes
            : Wrong(name, value, "[]uint8", Array.Empty<byte>());
    }

    /// <summary>A list of texts. Null when absent.</summary>
    public IReadOnlyList<string>? Texts(string name)
    {
        if (!Take(name, out var value))
        {
            return null;
        }

        if (value.ValueKind != JsonValueKind.Array)
        {
            return Wrong<IReadOnlyList<string>?>(name, value, "[]string", null);
        }

        var texts = new List<string>();
        foreach (var item in value.EnumerateArray())
        {
            texts.Add(item.ValueKind == JsonValueKind.String ? item.GetString()! : Wrong(name, item, "string", ""));
        }

        return texts;
    }

    /// <summary>A map of texts. Null when absent.</summary>
    public IReadOnlyDictionary<string, string>? TextMap(string name)
    {
        if (!Take(name, out var value))
        {
            return null;
        }

        if (value.ValueKind != JsonValueKind.Object)
        {
            return Wrong<IReadOnlyDictionary<string, string>?>(name, value, "map[string]string", null);
        }

        var map = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var member in value.EnumerateObject())
        {
            map[member.Name] = member.Value.ValueKind == JsonValueKind.String
                ? member.Value.GetString()!
                : Wrong(name, member.Value, "string", "");
        }

        return map;
    }

    /// <summary>A nested object. Null when absent.</summary>
    public BodyObject? Object(string name)
    {
        if (!Take(name, out var value))
        {
            return null;
        }

        return value.ValueKind == JsonValueKind.Object
            ? new BodyObject(value, _problems)
            : Wrong<BodyObject?>(name, value, "struct", null);
    }

    /// <summary>A list of nested objects; empty when absent.</summary>
    public IReadOnlyList<BodyObject> Objects(string name)
    {
        if (!Take(name, out var value))
        {
            return [];
        }

        if (value.ValueKind != JsonValueKind.Array)
        {
            return Wrong<IReadOnlyList<BodyObject>>(name, value, "slice", []);
        }

        var objects = new List<BodyObject>();
        foreach (var item in value.EnumerateArray())
        {
            if (item.ValueKind == JsonValueKind.Object)
            {
                objects.Add(new BodyObject(item, _problems));
            }
            else if (item.ValueKind != JsonValueKind.Null)
            {
                _ = Wrong(name, item, "struct", 0);
            }
        }

        return objects;
    }

    /// <summary>A nested map of objects, by name; empty when absent.</summary>
    public IReadOnlyDictionary<string, BodyObject> ObjectMap(string name)
    {
        var map = new Dictionary<string, BodyObject>(StringComparer.Ordinal);
        if (!Take(name, out var value))
        {
            return map;
        }

        if (value.ValueKind != JsonValueKind.Object)
        {
            return Wrong(name, value, "map", map);
        }

        foreach (var member in value.EnumerateObject().Where(m => m.Value.ValueKind == JsonValueKind.Object))
        {
            map[member.Name] = new BodyObject(member.Value, _problems);
        }

        return map;
    }

    /// <summary>Anything, as it came. Null when absent or null.</summary>
    public JsonElement? Raw(string name) => Take(name, out var value) ? value : null;

    private static TimeSpan ParseOrZero(string text) => GoDuration.TryParse(text, out var span) ? span : TimeSpan.Zero;

    /// <summary>The kind of a value, in the words of Go's decoder.</summary>
    public static string KindOf(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => "string",
        JsonValueKind.Number => "number",
        JsonValueKind.True or JsonValueKind.False => "bool",
        JsonValueKind.Array => "array",
        _ => "object",
    };

    // Null counts as absent, as in Go.
    private bool Take(string name, out JsonElement value)
    {
        _spelling.Remove(name);
        return _members.TryGetValue(name, out value) && value.ValueKind != JsonValueKind.Null;
    }

    private T Wrong<T>(string name, JsonElement value, string wanted, T otherwise)
    {
        _problems.Note(string.Create(
            CultureInfo.InvariantCulture,
            $"json: cannot unmarshal {KindOf(value)} into field {name} of type {wanted}"));
        return otherwise;
    }

    private sealed class Problems
    {
        public string? First { get; private set; }

        public void Note(string problem) => First ??= problem;
    }
}
