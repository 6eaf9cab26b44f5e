using System.Text.Json;
using Support;

namespace Integration.Conformance;

/// <summary>One scenario of tests/conformance/recorded: exchanges with the real Consul, in order.</summary>
internal sealed record Recording(
    string Scenario, string About, IReadOnlyList<string> Config, IReadOnlyList<RecordedExchange> Exchanges)
{
    private static readonly JsonSerializerOptions Web = new(JsonSerializerDefaults.Web);

    /// <summary>The names of all scenarios.</summary>
    public static IEnumerable<string> Scenarios() =>
        Directory.GetFiles(Folder, "*.json")
            .Select(path => Path.GetFileNameWithoutExtension(path)!)
            .Order(StringComparer.Ordinal);

    /// <summary>Reads a scenario.</summary>
    public static Recording Load(string scenario)
    {
        using var file = File.OpenRead(Path.Combine(Folder, scenario + ".json"));
        return JsonSerializer.Deserialize<Recording>(file, Web)!;
    }

    private static string Folder => Repository.At("tests", "conformance", "recorded");
}

/// <summary>A request and what the real Consul answered, with what differs from run to run masked.</summary>
/// <param name="Name">Says in the scenario's words what is asked.</param>
/// <param name="Request">What is sent.</param>
/// <param name="Until">Ask again until the answer's body holds this. Null: ask once.</param>
/// <param name="Capture">Values of the answer to keep for later requests: name to path.</param>
/// <param name="Unordered">Whether the lists of the answer come in any order.</param>
/// <param name="Status">The status that was answered.</param>
/// <param name="Headers">The headers that are compared.</param>
/// <param name="Json">The body. Undefined: it is a text.</param>
/// <param name="Text">The body, when it is no JSON or its exact layout matters.</param>
internal sealed record RecordedExchange(
    string Name, RecordedRequest Request, string? Until, IReadOnlyDictionary<string, string>? Capture, bool Unordered,
    int Status, IReadOnlyDictionary<string, string> Headers, JsonElement Json, string? Text);

/// <summary>A request as it was sent; <c>{{name}}</c> stands for a captured value.</summary>
internal sealed record RecordedRequest(
    string Method, string Path, IReadOnlyDictionary<string, string>? Headers, string? Body, JsonElement? Repeat);
