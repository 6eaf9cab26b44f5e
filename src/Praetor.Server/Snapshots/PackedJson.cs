using System.Buffers;
using System.Text.Json;
using System.Text.Json.Nodes;
using Codecs.MessagePack;
using Codecs.Snapshots;
using Languages;

namespace Praetor.Server.Snapshots;

/// <summary>How free values are turned from MessagePack into JSON and back.</summary>
/// <param name="Durations">Members that hold a duration: whole nanoseconds in an archive, text in JSON.</param>
/// <param name="Free">Members below which all is as the user wrote it: nothing is left out, and every number has a
/// fraction, as Consul reads JSON.</param>
/// <param name="OmitsZero">Whether what says nothing is left out in JSON.</param>
internal sealed record PackedShape(IReadOnlySet<string> Durations, IReadOnlySet<string> Free, bool OmitsZero)
{
    /// <summary>Whatever the user wrote.</summary>
    public static readonly PackedShape AsWritten = new(new HashSet<string>(), new HashSet<string>(), OmitsZero: false);

    /// <summary>Whether numbers are those of free JSON.</summary>
    public bool IsFree => ReferenceEquals(this, AsWritten);

    /// <summary>The shape below a member.</summary>
    public PackedShape Below(string member) => Free.Contains(member) ? AsWritten : this;
}

/// <summary>Free values in an archive: settings, definitions, whole entries.</summary>
internal static class PackedJson
{
    // Deeper JSON is not read back.
    private const int DepthMax = 60;
    private const double WholeMax = 9_007_199_254_740_992;

    /// <summary>A value as JSON. Null: it is not there, nil or a map without members.</summary>
    /// <exception cref="SnapshotException">It cannot be JSON.</exception>
    public static JsonElement? Element(ReadOnlySpan<byte> value, PackedShape shape)
    {
        if (value.IsEmpty || (value.Length == 1 && new MessagePackReader(value).Peek() is MessagePackKind.Map))
        {
            return null;
        }

        var buffer = new ArrayBufferWriter<byte>(256);
        var reader = new MessagePackReader(value);
        using (var json = new Utf8JsonWriter(buffer))
        {
            WriteJson(ref reader, json, shape, member: "", DepthMax);
        }

        using var document = Parsed(buffer.WrittenMemory);
        var root = document.RootElement;
        return root.ValueKind == JsonValueKind.Null
            || (root.ValueKind == JsonValueKind.Object && !root.EnumerateObject().Any()) ? null : root.Clone();
    }

    /// <summary>A map as a JSON object that can be changed.</summary>
    /// <exception cref="SnapshotException">It cannot be JSON.</exception>
    public static JsonObject Object(ReadOnlySpan<byte> value, PackedShape shape) =>
        Element(value, shape) is { ValueKind: JsonValueKind.Object } element
            ? JsonNode.Parse(element.GetRawText())!.AsObject() : [];

    /// <summary>Writes JSON as Consul keeps it.</summary>
    public static void Write(ref MessagePackWriter writer, JsonElement value, PackedShape shape, string member = "")
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.Object:
                writer.WriteMapHeader(value.GetPropertyCount());
                foreach (var inner in value.EnumerateObject())
                {
                    writer.WriteString(inner.Name);
                    Write(ref writer, inner.Value, shape.Below(member), inner.Name);
                }

                break;
            case JsonValueKind.Array:
                writer.WriteArrayHeader(value.GetArrayLength());
                foreach (var inner in value.EnumerateArray())
                {
                    Write(ref writer, inner, shape.Below(member));
                }

                break;
            case JsonValueKind.String:
                WriteText(ref writer, value.GetString()!, shape, member);
                break;
            case JsonValueKind.Number:
                WriteNumber(ref writer, value, shape);
                break;
            case JsonValueKind.True or JsonValueKind.False:
                writer.WriteBoolean(value.GetBoolean());
                break;
            default:
                writer.WriteNil();
                break;
        }
    }

    private static JsonDocument Parsed(ReadOnlyMemory<byte> json)
    {
        try
        {
            return JsonDocument.Parse(json, new JsonDocumentOptions { AllowDuplicateProperties = false });
        }
        catch (JsonException e)
        {
            throw new SnapshotException($"a value cannot be JSON: {e.Message}", e);
        }
    }

    private static void WriteText(ref MessagePackWriter writer, string text, PackedShape shape, string member)
    {
        if (shape.Durations.Contains(member) && GoDuration.TryParseNanoseconds(text, out var nanoseconds))
        {
            writer.WriteInt64(nanoseconds);
            return;
        }

        writer.WriteString(text);
    }

    private static void WriteNumber(ref MessagePackWriter writer, JsonElement value, PackedShape shape)
    {
        if (value.TryGetInt64(out var whole) && (!shape.IsFree || Math.Abs((double)whole) > WholeMax))
        {
            writer.WriteInt64(whole);
        }
        else
        {
            writer.WriteDouble(value.GetDouble());
        }
    }

    private static void WriteJson(
        ref MessagePackReader reader, Utf8JsonWriter json, PackedShape shape, string member, int depth)
    {
        if (depth == 0)
        {
            throw new SnapshotException($"a value is nested deeper than {DepthMax} levels");
        }

        switch (reader.Peek())
        {
            case MessagePackKind.Map when reader.TryReadMapHeader(out var count):
                WriteMembers(ref reader, json, shape.Below(member), count, depth);
                return;
            case MessagePackKind.Array when reader.TryReadArrayHeader(out var count):
                json.WriteStartArray();
                for (var i = 0; i < count; i++)
                {
                    WriteJson(ref reader, json, shape.Below(member), "", depth - 1);
                }

                json.WriteEndArray();
                return;
            case MessagePackKind.Raw when reader.TryReadRaw(out var raw):
                json.WriteStringValue(System.Text.Encoding.UTF8.GetString(raw));
                return;
            case MessagePackKind.Boolean when reader.TryReadBoolean(out var flag):
                json.WriteBooleanValue(flag);
                return;
            case MessagePackKind.Integer:
                WriteInteger(ref reader, json, shape.Durations.Contains(member));
                return;
            case MessagePackKind.Float when reader.TryReadDouble(out var number):
                WriteFloat(json, number);
                return;
            case MessagePackKind.Nil when reader.TrySkip():
                json.WriteNullValue();
                return;
            default:
                throw new SnapshotException("a value is of a type that has no counterpart in JSON");
        }
    }

    private static void WriteMembers(
        ref MessagePackReader reader, Utf8JsonWriter json, PackedShape shape, int count, int depth)
    {
        json.WriteStartObject();
        for (var i = 0; i < count; i++)
        {
            if (!reader.TryReadString(out var name))
            {
                throw new SnapshotException("the name of a member is no text");
            }

            if (shape.OmitsZero && reader.IsZero())
            {
                reader.TrySkip();
                continue;
            }

            json.WritePropertyName(name);
            WriteJson(ref reader, json, shape, name, depth - 1);
        }

        json.WriteEndObject();
    }

    private static void WriteInteger(ref MessagePackReader reader, Utf8JsonWriter json, bool isDuration)
    {
        var start = reader.Position;
        if (reader.TryReadInt64(out var whole))
        {
            if (isDuration)
            {
                json.WriteStringValue(GoDuration.FormatNanoseconds(whole));
            }
            else
            {
                json.WriteNumberValue(whole);
            }

            return;
        }

        reader.Return(start);
        reader.TryReadUInt64(out var large);
        json.WriteNumberValue(large);
    }

    // Go shows whole numbers without a fraction.
    private static void WriteFloat(Utf8JsonWriter json, double number)
    {
        if (!double.IsFinite(number))
        {
            throw new SnapshotException("a number is not finite");
        }

        if (Math.Abs(number) <= WholeMax && Math.Truncate(number).Equals(number))
        {
            json.WriteNumberValue((long)number);
        }
        else
        {
            json.WriteNumberValue(number);
        }
    }
}
