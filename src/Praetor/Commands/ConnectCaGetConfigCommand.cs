using System.Text.Json;
using Praetor.Client;
using Praetor.CommandLine;

namespace Praetor.Commands;

internal sealed class ConnectCaGetConfigCommand : Command
{
    private readonly HttpFlags _http;

    public ConnectCaGetConfigCommand() => _http = new HttpFlags(Flags, HttpGroups.Server);

    public override string About => """
        Prints how the mesh's certificate authority is set up, as JSON that "connect ca set-config" takes back.

            $ praetor connect ca get-config
        """;

    public override async Task<int> RunAsync(Shell shell, IReadOnlyList<string> arguments, CancellationToken stop)
    {
        using var client = _http.Connect(shell);
        var answer = await client.CaConfigurationAsync(_http.Query, stop).OrFail("Error querying CA configuration");
        var configuration = answer.Value ?? new CaConfiguration();
        var json = new GoJson("\t");
        json.WriteObject(
        [
            ("Provider", JsonSerializer.SerializeToElement(configuration.Provider ?? "", OutputJson.Default.String)),
            ("Config", Sorted(configuration.Config)),
            ("State",
                JsonSerializer.SerializeToElement(configuration.State, OutputJson.Default.DictionaryStringString)),
            ("CreateIndex", JsonSerializer.SerializeToElement(configuration.CreateIndex, OutputJson.Default.UInt64)),
            ("ModifyIndex", JsonSerializer.SerializeToElement(configuration.ModifyIndex, OutputJson.Default.UInt64)),
        ]);
        shell.Say(json.ToString());
        return 0;
    }

    private static JsonElement Sorted(JsonElement? config)
    {
        var members = new SortedDictionary<string, JsonElement>(StringComparer.Ordinal);
        if (config is { ValueKind: JsonValueKind.Object } given)
        {
            foreach (var member in given.EnumerateObject())
            {
                members[member.Name] = member.Value;
            }
        }

        return JsonSerializer.SerializeToElement(members, OutputJson.Default.SortedDictionaryStringJsonElement);
    }
}
