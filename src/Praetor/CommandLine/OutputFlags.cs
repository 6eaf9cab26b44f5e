using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Praetor.CommandLine;

/// <summary>The flag that chooses between tables for people and JSON for programs.</summary>
internal sealed class OutputFlags
{
    private const string Json = "json";
    private const string Table = "table";

    private readonly Flag<string> _format;
    private readonly Flag<string> _short;

    public OutputFlags(FlagSet flags)
    {
        const string help = "How to print: table or json. Default table.";
        _format = flags.Add(Choice("format", help));
        _short = flags.Add(Choice("o", "The same as -format."));
    }

    /// <summary>Whether JSON is wanted.</summary>
    public bool IsJson => _format.Value == Json || _short.Value == Json;

    /// <summary>Prints a value as JSON, its names as in the API.</summary>
    public static void Print<T>(Shell shell, T value, JsonTypeInfo<T> type) =>
        shell.Say(GoJson.Indent(JsonSerializer.SerializeToElement(value, type), "    "));

    private static Flag<string> Choice(string name, string help) =>
        new(name, "format", help, Table, Read) { Choices = [Json, Table] };

    private static string? Read(string text, ref string value)
    {
        value = text;
        return text is Json or Table ? null : $"must be {Table} or {Json}";
    }
}
