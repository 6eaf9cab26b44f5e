using System.Text.Json;
using Languages;
using Praetor.Agent.Config;
using Praetor.CommandLine;

namespace Praetor.Commands;

/// <summary>Service definitions in files of people: <c>service { … }</c>, or several below <c>services</c>.</summary>
internal static class ServiceFiles
{
    private static readonly HashSet<string> Opaque =
        new(StringComparer.OrdinalIgnoreCase) { "config", "meta", "header" };

    private static readonly HashSet<string> Checks = new(StringComparer.OrdinalIgnoreCase) { "check", "checks" };
    private static readonly HashSet<string> Lists =
        new(StringComparer.OrdinalIgnoreCase) { "checks", "upstreams", "paths" };

    /// <summary>The definitions in the files, in order, as the API takes them.</summary>
    /// <exception cref="CommandException">Something is wrong with a file. All are judged before any is used, so
    /// that a mistake in the last leaves nothing half done.</exception>
    public static IReadOnlyList<JsonElement> Read(Shell shell, IReadOnlyList<string> paths)
    {
        var found = new List<JsonElement>();
        foreach (var path in paths)
        {
            foreach (var file in FilesAt(path))
            {
                var text = ValueSource.ReadFile(file, $"Error: config: Open failed on {file}", ". ");
                var tree = DefinitionText.Parse(shell, text, file, $"Error: failed to parse {file}");
                Judge(shell, tree, file);
                var root = DefinitionText.ToJson(tree);
                Collect(root, "services", found);
                Collect(root, "service", found);
            }
        }

        return found;
    }

    /// <summary>What the service is called.</summary>
    public static string NameOf(JsonElement service) => DefinitionText.Text(service, "name");

    /// <summary>The id that it is registered by: its own, else its name.</summary>
    public static string IdOf(JsonElement service) =>
        DefinitionText.Text(service, "id") is { Length: > 0 } id ? id : NameOf(service);

    // The files are those that an agent takes in its folder. Consul leaves the rules to the agent that is asked.
    private static void Judge(Shell shell, ConfigNode tree, string file)
    {
        var problems = DefinitionFiles.Undecodable(tree);
        if (problems.Count == 0 && !shell.IsConsul)
        {
            problems = DefinitionFiles.Unregistrable(tree);
        }

        if (problems.Count > 0)
        {
            throw new CommandException(shell.IsConsul
                ? $"Error: failed to parse {file}: {GoConfigErrors.OfFile(problems)}"
                : $"Error: {string.Join('\n', problems)}");
        }
    }

    private static IEnumerable<string> FilesAt(string path) =>
        Directory.Exists(path)
            ? Directory.EnumerateFiles(path)
                .Where(file => Path.GetExtension(file) is ".hcl" or ".json")
                .Order(StringComparer.Ordinal)
            : [path];

    private static void Collect(JsonElement root, string name, List<JsonElement> found)
    {
        if (DefinitionText.Member(root, name) is not { } value)
        {
            return;
        }

        var definitions = value.ValueKind == JsonValueKind.Array ? [.. value.EnumerateArray()] : new[] { value };
        foreach (var definition in definitions)
        {
            using var body = new MemoryStream();
            using (var writer = new Utf8JsonWriter(body))
            {
                WriteForApi(definition, parent: "service", writer);
            }

            using var document = JsonDocument.Parse(body.ToArray());
            found.Add(document.RootElement.Clone());
        }
    }

    // Files and API differ in two ways: a check's id is called CheckID by the API, and what HCL shows as one block is
    // a list of one. What stands below "config" and "meta" is the user's own and stays as it is.
    private static void WriteForApi(JsonElement element, string parent, Utf8JsonWriter writer)
    {
        if (element.ValueKind == JsonValueKind.Array)
        {
            writer.WriteStartArray();
            foreach (var item in element.EnumerateArray())
            {
                WriteForApi(item, parent, writer);
            }

            writer.WriteEndArray();
            return;
        }

        if (element.ValueKind != JsonValueKind.Object || Opaque.Contains(parent))
        {
            element.WriteTo(writer);
            return;
        }

        writer.WriteStartObject();
        foreach (var member in element.EnumerateObject())
        {
            var single = Lists.Contains(member.Name) && member.Value.ValueKind == JsonValueKind.Object;
            var isCheckId = Checks.Contains(parent) && member.Name.Equals("id", StringComparison.OrdinalIgnoreCase);
            writer.WritePropertyName(isCheckId ? "CheckID" : member.Name);
            if (single)
            {
                writer.WriteStartArray();
            }

            WriteForApi(member.Value, member.Name, writer);
            if (single)
            {
                writer.WriteEndArray();
            }
        }

        writer.WriteEndObject();
    }
}
