using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Languages;

namespace Praetor.CommandLine;

/// <summary>Failures of files in the words of Go, which scripts and people know from Consul.</summary>
internal static class GoErrors
{
    private const string AnyMap = "map[string]interface {}";

    public static string Open(string path, Exception failure) => $"open {path}: {Reason(failure)}";

    public static string Reason(Exception failure) => failure switch
    {
        FileNotFoundException or DirectoryNotFoundException => "no such file or directory",
        UnauthorizedAccessException => "permission denied",
        _ => failure.Message,
    };

    /// <summary>What is wrong with a JSON text that was to become a value.</summary>
    /// <param name="text">The text.</param>
    /// <param name="failure">What .NET says of it.</param>
    /// <param name="wanted">What it was to become.</param>
    /// <param name="goType">What that is called in Consul: <c>api.Intention</c>, <c>[]*impexp.Entry</c>.</param>
    public static string Json(ReadOnlySpan<byte> text, JsonException failure, JsonTypeInfo wanted, string goType)
    {
        var parsed = ConfigParser.ParseJsonValue(text, "");
        if (parsed.Error is { } unreadable)
        {
            return unreadable.What;
        }

        var (value, names) = Follow(parsed.Value!, failure.Path ?? "$");
        var isItem = wanted.ElementType is not null && value != parsed.Value;
        var record = isItem ? goType.TrimStart('[', ']', '*') : goType;
        if (names.Count == 0)
        {
            return $"json: cannot unmarshal {KindOf(value, "")} into Go value of type {record}";
        }

        var fields = wanted.ElementType is { } item ? wanted.Options.GetTypeInfo(item) : wanted;
        var type = names.Count > 1 ? "string" : GoTypeOf(fields, names[0]);
        var field = $"{record[(record.LastIndexOf('.') + 1)..]}.{names[0]}";
        return $"json: cannot unmarshal {KindOf(value, type)} into Go struct field {field} of type {type}";
    }

    // A path of .NET's: $[0].key
    private static (ConfigNode Value, List<string> Names) Follow(ConfigNode root, string path)
    {
        var (value, names) = (root, new List<string>());
        foreach (var step in path.Split('.', '[').Skip(1))
        {
            var index = step.EndsWith(']') && int.TryParse(step[..^1], CultureInfo.InvariantCulture, out var number)
                ? number : -1;
            if (index >= 0 && index < value.Items.Count)
            {
                value = value.Items[index];
            }
            else if (value.Members.LastOrDefault(member => member.Name == step) is { } member)
            {
                value = member.Value;
                names.Add(step);
            }
        }

        return (value, names);
    }

    private static string KindOf(ConfigNode value, string type) => value.Kind switch
    {
        ConfigKind.List => "array",
        ConfigKind.Number when type.Contains("int", StringComparison.Ordinal)
            && type != AnyMap => $"number {value.Text}",
        _ => value.Kind.ToString().ToLowerInvariant(),
    };

    private static string GoTypeOf(JsonTypeInfo record, string name)
    {
        var field = record.Properties.FirstOrDefault(
            property => property.Name.Equals(name, StringComparison.OrdinalIgnoreCase));
        return field?.PropertyType switch
        {
            null => AnyMap,
            var type when type == typeof(string) => "string",
            var type when type == typeof(ulong) => "uint64",
            var type when type == typeof(int) || type == typeof(int?) => "int",
            var type when type == typeof(bool) || type == typeof(bool?) => "bool",
            var type when type.IsAssignableTo(typeof(IEnumerable<KeyValuePair<string, string>>)) =>
                "map[string]string",
            _ => AnyMap,
        };
    }
}
