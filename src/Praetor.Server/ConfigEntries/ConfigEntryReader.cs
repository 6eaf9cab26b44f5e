using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Nodes;
using Languages;
using Praetor.Server.State;

namespace Praetor.Server.ConfigEntries;

/// <summary>Reads an entry from the body of a request, as leniently as Consul does and with its texts.</summary>
public static class ConfigEntryReader
{
    /// <summary>What stands before all that is wrong with a body; an entry that is acceptable but wrong has its own
    /// words.</summary>
    /// <remarks>Clients look for it; today's server writes it without 1.8.7's "Bad request: " in front.</remarks>
    public const string Failed = "Request decoding failed: ";

    private const int ProblemsShown = 64;

    /// <summary>Reads and checks an entry.</summary>
    /// <param name="json">The body: names in CamelCase or snake_case, any case, values of nearly the right
    /// type.</param>
    /// <param name="entry">The entry in canonical form.</param>
    /// <param name="refusal">Why it was refused.</param>
    public static bool TryRead(
        ReadOnlyMemory<byte> json, [NotNullWhen(true)] out ConfigEntry? entry,
        [NotNullWhen(false)] out Refusal? refusal)
    {
        entry = null;
        JsonNode? root;
        try
        {
            root = json.Span.Trim(" \t\r\n"u8).IsEmpty ? null : JsonNode.Parse(json.Span);
            if (root is null && json.Span.Trim(" \t\r\n"u8).IsEmpty)
            {
                refusal = Refusal.BadRequest(Failed + "EOF");
                return false;
            }

            return TryRead(root, out entry, out refusal);
        }
        catch (JsonException e)
        {
            refusal = Refusal.BadRequest(Failed + JsonErrors.Of(json.Span, e));
            return false;
        }
        catch (ArgumentException e)
        {
            // The same key twice in one object, found only when it is looked at.
            refusal = Refusal.BadRequest(Failed + e.Message);
            return false;
        }
    }

    /// <summary>Reads and checks an entry that was already parsed, such as one from the agent's
    /// configuration.</summary>
    public static bool TryRead(
        JsonNode? root, [NotNullWhen(true)] out ConfigEntry? entry, [NotNullWhen(false)] out Refusal? refusal)
    {
        entry = null;
        if (root is not JsonObject given)
        {
            refusal = Refusal.BadRequest(Failed + $"'' expected a map, got '{WeakValue.GoKind(root)}'");
            return false;
        }

        if (!TryKind(given, out var kind, out var problem))
        {
            refusal = Refusal.BadRequest(Failed + problem);
            return false;
        }

        var decoder = new EntryDecoder();
        var body = decoder.Decode(given, kind.AllMembers, "");
        var text = decoder.Unknown.Count > 0 ? ProblemText.List([.. decoder.Unknown.Take(ProblemsShown)])
            : decoder.Mismatches.Count > 0 ? GoDecoding(decoder.Mismatches)
            : null;
        if (text is not null)
        {
            refusal = Refusal.BadRequest(Failed + text);
            return false;
        }

        return TryFinish(kind, body, out entry, out refusal);
    }

    private static bool TryFinish(
        ConfigKind kind, JsonObject body, [NotNullWhen(true)] out ConfigEntry? entry, out Refusal? refusal)
    {
        entry = null;
        refusal = null;
        var name = kind.FixedName ?? ConfigEntry.Text(body, "Name");
        body["Kind"] = kind.Name;
        body["Name"] = name;
        if (name.Length == 0)
        {
            refusal = Refusal.Failed(kind.NameMissing);
            return false;
        }

        kind.Normalize(body);
        if (kind.Problems(body).FirstOrDefault() is { } problem)
        {
            refusal = Refusal.Failed(problem);
            return false;
        }

        entry = new ConfigEntry(kind.Name, name, body);
        return true;
    }

    private static bool TryKind(JsonObject given, [NotNullWhen(true)] out ConfigKind? kind, out string problem)
    {
        kind = null;
        problem = "Payload does not contain a kind/Kind key at the top level";
        if (!given.TryGetPropertyValue("Kind", out var value) && !given.TryGetPropertyValue("kind", out value))
        {
            value = given.FirstOrDefault(static p => p.Key.Equals("kind", StringComparison.OrdinalIgnoreCase)).Value;
            if (value is null)
            {
                return false;
            }
        }

        if (value is not JsonValue text || !text.TryGetValue<string>(out var name))
        {
            problem = "Kind value in payload is not a string";
            return false;
        }

        problem = ConfigKinds.Unknown(name);
        return ConfigKinds.TryFind(name, out kind);
    }

    private static string GoDecoding(List<string> problems) =>
        $"{problems.Count} error(s) decoding:\n\n* " + string.Join("\n* ", problems.Take(ProblemsShown));
}
