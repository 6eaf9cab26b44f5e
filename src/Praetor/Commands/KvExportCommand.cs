using System.Text.Json;
using System.Text.Json.Serialization;
using Praetor.CommandLine;

namespace Praetor.Commands;

/// <summary>A key as export writes and import reads it.</summary>
internal sealed record KvExportEntry(
    [property: JsonPropertyName("key")] string Key,
    [property: JsonPropertyName("flags")] ulong Flags,
    [property: JsonPropertyName("value")] string Value);

[JsonSourceGenerationOptions(PropertyNameCaseInsensitive = true)]
[JsonSerializable(typeof(KvExportEntry[]))]
internal sealed partial class KvExportJson : JsonSerializerContext;

internal sealed class KvExportCommand : Command
{
    private readonly HttpFlags _http;

    public KvExportCommand() => _http = new HttpFlags(Flags, HttpGroups.All);

    public override string Arguments => "[options] [PREFIX]";

    public override Candidates Offer => Candidates.Keys;

    public override string About => """
        Prints all keys that begin with a prefix as JSON, values in base64, for "kv import" to read.

            $ praetor kv export config/ > config.json
        """;

    public override async Task<int> RunAsync(Shell shell, IReadOnlyList<string> arguments, CancellationToken stop)
    {
        RequireAtMost(1, arguments);
        var named = arguments.Count == 0 ? "" : arguments[0];
        var prefix = named.StartsWith('/') ? named[1..] : named;
        using var client = _http.Connect(shell);
        var answer = await client.ListKvAsync(prefix, _http.Query, stop).OrFail("Error querying Consul agent");
        var entries = (answer.Value ?? [])
            .Select(pair => new KvExportEntry(pair.Key, pair.Flags, Convert.ToBase64String(pair.Value ?? [])))
            .ToArray();
        shell.Say(GoJson.Indent(
            JsonSerializer.SerializeToElement(entries, KvExportJson.Default.KvExportEntryArray), "\t"));
        return 0;
    }
}
