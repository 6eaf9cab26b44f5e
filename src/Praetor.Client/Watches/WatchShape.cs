using System.Text.Json;

namespace Praetor.Client.Watches;

/// <summary>What a value looks like in the output of a watch: which members, in which order, and what stands where
/// nothing is.</summary>
/// <remarks>
/// Handlers of watches read what Consul's client writes, and that is not the agent's answer as it came: members have
/// the client's order, those that it does not know are gone, and those that are missing are there with their zero. So a
/// handler sees the same whichever agent was asked.
/// </remarks>
internal sealed class WatchShape
{
    private enum Kind
    {
        Text,
        Duration,
        Number,
        Flag,
        Any,
        List,
        Map,
        Object,
        Pointer,
    }

    public static readonly WatchShape Text = new(Kind.Text);

    /// <summary>A text whose zero is a time.</summary>
    public static readonly WatchShape Duration = new(Kind.Duration);

    public static readonly WatchShape Number = new(Kind.Number);
    public static readonly WatchShape Flag = new(Kind.Flag);

    /// <summary>As it comes, with the members of objects sorted; null where nothing is.</summary>
    public static readonly WatchShape Any = new(Kind.Any);

    private readonly Kind _kind;
    private readonly WatchShape? _item;
    private readonly Member[] _members;

    private WatchShape(Kind kind, WatchShape? item = null, Member[]? members = null) =>
        (_kind, _item, _members) = (kind, item, members ?? []);

    /// <summary>A member of an object.</summary>
    /// <param name="Name">Its name.</param>
    /// <param name="Shape">What it looks like.</param>
    /// <param name="UnlessEmpty">Whether it is left out when it is zero, empty or null.</param>
    public sealed record Member(string Name, WatchShape Shape, bool UnlessEmpty = false);

    public static WatchShape ListOf(WatchShape item) => new(Kind.List, item);

    /// <summary>Names with values, sorted by name.</summary>
    public static WatchShape MapOf(WatchShape item) => new(Kind.Map, item);

    /// <summary>An object that is always there, if need be with zeros only.</summary>
    public static WatchShape Object(params Member[] members) => new(Kind.Object, null, members);

    /// <summary>The same where null may stand for it.</summary>
    public WatchShape OrNull() => new(Kind.Pointer, null, _members);

    /// <summary>Writes a value in this shape.</summary>
    /// <exception cref="JsonException">The value is of another kind altogether.</exception>
    public void Write(Utf8JsonWriter json, JsonElement value)
    {
        var isNothing = IsNothing(value);
        switch (_kind)
        {
            case Kind.Text:
                json.WriteStringValue(isNothing ? "" : Demand(value, JsonValueKind.String).GetString());
                break;
            case Kind.Duration:
                json.WriteStringValue(IsEmpty(value) ? "0s" : Demand(value, JsonValueKind.String).GetString());
                break;
            case Kind.Number:
                json.WriteRawValue(isNothing ? "0" : Demand(value, JsonValueKind.Number).GetRawText());
                break;
            case Kind.Flag:
                json.WriteBooleanValue(!isNothing && value.ValueKind == JsonValueKind.True);
                break;
            case Kind.Object:
                WriteMembers(json, value);
                break;
            default:
                WriteOrNull(json, value, isNothing);
                break;
        }
    }

    private void WriteOrNull(Utf8JsonWriter json, JsonElement value, bool isNothing)
    {
        if (isNothing)
        {
            json.WriteNullValue();
            return;
        }

        switch (_kind)
        {
            case Kind.List:
                WriteList(json, Demand(value, JsonValueKind.Array));
                break;
            case Kind.Map:
                WriteSorted(json, Demand(value, JsonValueKind.Object), _item!);
                break;
            case Kind.Pointer:
                WriteMembers(json, value);
                break;
            default:
                WriteAny(json, value);
                break;
        }
    }

    private void WriteList(Utf8JsonWriter json, JsonElement value)
    {
        json.WriteStartArray();
        foreach (var item in value.EnumerateArray())
        {
            _item!.Write(json, item);
        }

        json.WriteEndArray();
    }

    private static void WriteSorted(Utf8JsonWriter json, JsonElement value, WatchShape item)
    {
        json.WriteStartObject();
        foreach (var member in value.EnumerateObject().OrderBy(static m => m.Name, StringComparer.Ordinal))
        {
            json.WritePropertyName(member.Name);
            item.Write(json, member.Value);
        }

        json.WriteEndObject();
    }

    private static void WriteAny(Utf8JsonWriter json, JsonElement value)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.Object:
                WriteSorted(json, value, Any);
                break;
            case JsonValueKind.Array:
                ListOf(Any).WriteList(json, value);
                break;
            default:
                value.WriteTo(json);
                break;
        }
    }

    private void WriteMembers(Utf8JsonWriter json, JsonElement value)
    {
        var isNothing = IsNothing(value);
        if (!isNothing)
        {
            Demand(value, JsonValueKind.Object);
        }

        json.WriteStartObject();
        foreach (var (name, shape, unlessEmpty) in _members)
        {
            var member = isNothing ? default : Find(value, name);
            if (!unlessEmpty || !shape.IsEmpty(member))
            {
                json.WritePropertyName(name);
                shape.Write(json, member);
            }
        }

        json.WriteEndObject();
    }

    // What Go takes for empty: an object that is always there never is.
    private bool IsEmpty(JsonElement value) => _kind != Kind.Object && value.ValueKind switch
    {
        JsonValueKind.Undefined or JsonValueKind.Null or JsonValueKind.False => true,
        JsonValueKind.String => value.ValueEquals(""),
        JsonValueKind.Number => value.GetDouble() == 0,
        JsonValueKind.Array => value.GetArrayLength() == 0,
        JsonValueKind.Object => _kind != Kind.Pointer && !value.EnumerateObject().Any(),
        _ => false,
    };

    // Answers come in the members' own case; those of other agents may not.
    private static JsonElement Find(JsonElement value, string name)
    {
        if (value.TryGetProperty(name, out var found))
        {
            return found;
        }

        foreach (var member in value.EnumerateObject())
        {
            if (member.Name.Equals(name, StringComparison.OrdinalIgnoreCase))
            {
                return member.Value;
            }
        }

        return default;
    }

    private static bool IsNothing(JsonElement value) =>
        value.ValueKind is JsonValueKind.Undefined or JsonValueKind.Null;

    private static JsonElement Demand(JsonElement value, JsonValueKind kind) => value.ValueKind == kind
        ? value
        : throw new JsonException($"the answer has a {value.ValueKind} where a {kind} belongs");
}
