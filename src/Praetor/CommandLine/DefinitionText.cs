using System.Text.Json;
using Languages;

namespace Praetor.CommandLine;

/// <summary>Definitions that people write as HCL or JSON, as JSON.</summary>
internal static class DefinitionText
{
    /// <summary>Reads a text in either language; which one it is shows.</summary>
    /// <exception cref="CommandException">It is neither; the message says where and why.</exception>
    public static JsonElement Read(Shell shell, ReadOnlySpan<byte> text, string file, string doing) =>
        ToJson(Parse(shell, text, file, doing));

    /// <summary>The same, with the places of all values.</summary>
    /// <exception cref="CommandException">It is neither; the message says where and why.</exception>
    public static ConfigNode Parse(Shell shell, ReadOnlySpan<byte> text, string file, string doing)
    {
        var parsed = ConfigParser.Parse(text, file, ConfigFormat.Hcl);
        return parsed.Error is { } error
            ? throw new CommandException($"{doing}: {(shell.IsConsul ? GoConfigErrors.OfText(error) : error)}")
            : parsed.Value!;
    }

    /// <summary>A tree as JSON.</summary>
    public static JsonElement ToJson(ConfigNode root)
    {
        using var document = JsonDocument.Parse(root.ToJson());
        return document.RootElement.Clone();
    }

    /// <summary>A member by its name in any case. Null: there is none.</summary>
    public static JsonElement? Member(JsonElement element, string name)
    {
        if (element.ValueKind != JsonValueKind.Object)
        {
            return null;
        }

        foreach (var member in element.EnumerateObject())
        {
            if (member.Name.Equals(name, StringComparison.OrdinalIgnoreCase))
            {
                return member.Value;
            }
        }

        return null;
    }

    /// <summary>A member's text. Empty: there is none, or it is no text.</summary>
    public static string Text(JsonElement element, string name) =>
        Member(element, name) is { ValueKind: JsonValueKind.String } value ? value.GetString() ?? "" : "";
}
