using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Languages;
using Praetor.Server.ConfigEntries;
using Praetor.Server.State;

namespace Praetor.Server.Intentions;

/// <summary>Intentions as the older API and the exact one write and read them.</summary>
public static class IntentionJson
{
    /// <summary>Reads the body of a request. Precedence, times, hash and indexes are the server's and
    /// ignored.</summary>
    /// <param name="json">The body.</param>
    /// <param name="intention">The intention.</param>
    /// <param name="problem">What is wrong with the body.</param>
    public static bool TryRead(
        ReadOnlyMemory<byte> json, [NotNullWhen(true)] out Intention? intention, out string problem)
    {
        intention = null;
        if (!TryObject(json, out var body, out problem))
        {
            return false;
        }

        using (body)
        {
            var read = new Intention();
            foreach (var member in body.RootElement.EnumerateObject())
            {
                if (!TryMember(member, ref read, out problem))
                {
                    return false;
                }
            }

            intention = read;
            return true;
        }
    }

    /// <summary>Writes one intention: as 1.8.7 does, leaving out what today's server leaves out when empty.</summary>
    public static void Write(Utf8JsonWriter writer, Intention intention)
    {
        writer.WriteStartObject();
        WriteUnlessEmpty(writer, "ID", intention.Id);
        WriteUnlessEmpty(writer, "Description", intention.Description);
        writer.WriteString("SourceNS", intention.SourceNamespace);
        writer.WriteString("SourceName", intention.SourceName);
        WriteUnlessEmpty(writer, "SourcePeer", intention.SourcePeer);
        WriteUnlessEmpty(writer, "SourceSamenessGroup", intention.SourceSamenessGroup);
        writer.WriteString("DestinationNS", intention.DestinationNamespace);
        writer.WriteString("DestinationName", intention.DestinationName);
        writer.WriteString("SourceType", intention.SourceType);
        WriteUnlessEmpty(writer, "Action", intention.Action);
        if (intention.Permissions is { Count: > 0 } permissions)
        {
            writer.WritePropertyName("Permissions");
            permissions.WriteTo(writer);
        }

        if (intention.Meta.Count > 0)
        {
            writer.WriteStartObject("Meta");
            foreach (var (key, value) in intention.Meta.OrderBy(static p => p.Key, StringComparer.Ordinal))
            {
                writer.WriteString(key, value);
            }

            writer.WriteEndObject();
        }

        writer.WriteNumber("Precedence", intention.Precedence);
        writer.WriteString("CreatedAt", IntentionTime.Write(intention.CreatedAt));
        writer.WriteString("UpdatedAt", IntentionTime.Write(intention.UpdatedAt));
        if (intention.Id.Length > 0)
        {
            writer.WriteBase64String("Hash", Hash(intention));
        }

        writer.WriteNumber("CreateIndex", intention.CreateIndex);
        writer.WriteNumber("ModifyIndex", intention.ModifyIndex);
        writer.WriteEndObject();
    }

    /// <summary>Writes a list; an empty one is <c>[]</c>.</summary>
    public static void Write(Utf8JsonWriter writer, IReadOnlyList<Intention> intentions)
    {
        writer.WriteStartArray();
        foreach (var intention in intentions)
        {
            Write(writer, intention);
        }

        writer.WriteEndArray();
    }

    /// <summary>Writes the answer of match: for each name as it was given, its intentions; none is
    /// <c>null</c>.</summary>
    public static void WriteMatch(
        Utf8JsonWriter writer, IEnumerable<(string Name, IReadOnlyList<Intention> Matches)> matches)
    {
        writer.WriteStartObject();
        foreach (var (name, list) in matches.DistinctBy(static m => m.Name, StringComparer.Ordinal)
            .OrderBy(static m => m.Name, StringComparer.Ordinal))
        {
            writer.WritePropertyName(name);
            if (list.Count == 0)
            {
                writer.WriteNullValue();
            }
            else
            {
                Write(writer, list);
            }
        }

        writer.WriteEndObject();
    }

    internal static bool TryObject(
        ReadOnlyMemory<byte> json, [NotNullWhen(true)] out JsonDocument? body, out string problem)
    {
        body = null;
        problem = "EOF";
        if (json.Span.Trim(" \t\r\n"u8).IsEmpty)
        {
            return false;
        }

        try
        {
            body = JsonDocument.Parse(json);
        }
        catch (JsonException e)
        {
            problem = JsonErrors.Of(json.Span, e);
            return false;
        }

        if (body.RootElement.ValueKind == JsonValueKind.Object)
        {
            return true;
        }

        problem = $"json: cannot unmarshal {GoKind(body.RootElement)} into Go value";
        body.Dispose();
        body = null;
        return false;
    }

    private static bool TryMember(JsonProperty member, ref Intention i, out string problem)
    {
        problem = "";
        var value = member.Value;
        if (value.ValueKind == JsonValueKind.Null)
        {
            return true;
        }

        switch (member.Name.ToLowerInvariant())
        {
            case "precedence" or "createdat" or "updatedat" or "hash" or "createindex" or "modifyindex":
            case "defaultaddr" or "defaultport" or "sourcepartition" or "destinationpartition":
                return true;
            case "meta":
                return TryMeta(value, ref i, out problem);
            case "permissions":
                return TryPermissions(value, ref i, out problem);
            default:
                return TryText(member, ref i, out problem);
        }
    }

    private static bool TryText(JsonProperty member, ref Intention i, out string problem)
    {
        var isText = member.Value.ValueKind == JsonValueKind.String;
        var text = isText ? member.Value.GetString()! : "";
        Intention? next = member.Name.ToLowerInvariant() switch
        {
            "id" => i with { Id = text },
            "description" => i with { Description = text },
            "sourcens" => i with { SourceNamespace = text.Length > 0 ? text : Intention.DefaultNamespace },
            "sourcename" => i with { SourceName = text },
            "sourcepeer" => i with { SourcePeer = text },
            "sourcesamenessgroup" => i with { SourceSamenessGroup = text },
            "destinationns" => i with { DestinationNamespace = text.Length > 0 ? text : Intention.DefaultNamespace },
            "destinationname" => i with { DestinationName = text },
            "sourcetype" => i with { SourceType = text.Length > 0 ? text : "consul" },
            "action" => i with { Action = text },
            _ => null,
        };
        problem = next is null ? $"json: unknown field \"{member.Name}\""
            : !isText ? CannotUnmarshal(member.Value, member.Name, "string")
            : "";
        i = next ?? i;
        return problem.Length == 0;
    }

    private static bool TryMeta(JsonElement value, ref Intention i, out string problem)
    {
        problem = "";
        if (value.ValueKind != JsonValueKind.Object)
        {
            problem = CannotUnmarshal(value, "Meta", "map[string]string");
            return false;
        }

        var meta = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var pair in value.EnumerateObject())
        {
            if (pair.Value.ValueKind is not (JsonValueKind.String or JsonValueKind.Null))
            {
                problem = CannotUnmarshal(pair.Value, "Meta", "string");
                return false;
            }

            meta[pair.Name] = pair.Value.GetString() ?? "";
        }

        i = i with { Meta = meta };
        return true;
    }

    private static bool TryPermissions(JsonElement value, ref Intention i, out string problem)
    {
        problem = "";
        if (value.ValueKind != JsonValueKind.Array)
        {
            problem = CannotUnmarshal(value, "Permissions", "[]*IntentionPermission");
            return false;
        }

        i = i with { Permissions = JsonArray.Create(value.Clone()) };
        return true;
    }

    private static string CannotUnmarshal(JsonElement value, string field, string type) =>
        $"json: cannot unmarshal {GoKind(value)} into Go struct field .{field} of type {type}";

    private static string GoKind(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Number => "number",
        JsonValueKind.String => "string",
        JsonValueKind.Array => "array",
        JsonValueKind.Object => "object",
        _ => "bool",
    };

    private static void WriteUnlessEmpty(Utf8JsonWriter writer, string name, string value)
    {
        if (value.Length > 0)
        {
            writer.WriteString(name, value);
        }
    }

    // Clients only compare it; it must change with anything that the user wrote.
    private static byte[] Hash(Intention intention)
    {
        var text = new StringBuilder();
        foreach (var (key, value) in intention.ToSource())
        {
            text.Append(key).Append('=').Append(value?.ToJsonString()).Append('\n');
        }

        return SHA256.HashData(Encoding.UTF8.GetBytes(text.Append(intention.DestinationName).ToString()));
    }
}
