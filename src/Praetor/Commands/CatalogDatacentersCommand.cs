using Praetor.CommandLine;

namespace Praetor.Commands;

internal sealed class CatalogDatacentersCommand : Command
{
    private readonly HttpFlags _http;
    private readonly OutputFlags _output;

    public CatalogDatacentersCommand()
    {
        _http = new HttpFlags(Flags, HttpGroups.Server);
        _output = new OutputFlags(Flags);
    }

    public override string About => """
        Lists the datacenters known, nearest first.

            $ praetor catalog datacenters
        """;

    public override async Task<int> RunAsync(Shell shell, IReadOnlyList<string> arguments, CancellationToken stop)
    {
        RequireAtMost(0, arguments);
        using var client = _http.Connect(shell);
        var names = (await client.CatalogDatacentersAsync(stop).OrFail("Error listing datacenters")).Value ?? [];
        if (_output.IsJson)
        {
            OutputFlags.Print(shell, names, OutputJson.Default.StringArray);
            return 0;
        }

        foreach (var name in names)
        {
            shell.Say(name);
        }

        return 0;
    }
}
