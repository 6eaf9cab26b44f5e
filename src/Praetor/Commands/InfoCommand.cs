using Praetor.CommandLine;

namespace Praetor.Commands;

internal sealed class InfoCommand : Command
{
    private readonly HttpFlags _http;
    private readonly OutputFlags _output;

    public InfoCommand()
    {
        _http = new HttpFlags(Flags, HttpGroups.Client);
        _output = new OutputFlags(Flags);
    }

    public override string About => """
        Prints figures of the agent by section: what it runs, how its server side stands, what it costs.

            $ praetor info
        """;

    public override async Task<int> RunAsync(Shell shell, IReadOnlyList<string> arguments, CancellationToken stop)
    {
        using var client = _http.Connect(shell);
        var self = await client.AgentSelfAsync(stop).OrFail("Error querying agent");
        var sections = self.Stats ?? [];
        if (_output.IsJson)
        {
            OutputFlags.Print(shell, sections, OutputJson.Default.DictionaryStringDictionaryStringString);
            return 0;
        }

        foreach (var (section, figures) in sections.OrderBy(pair => pair.Key, StringComparer.Ordinal))
        {
            shell.Say($"{section}:");
            foreach (var (name, value) in figures.OrderBy(pair => pair.Key, StringComparer.Ordinal))
            {
                shell.Say($"\t{name} = {value}");
            }
        }

        return 0;
    }
}
