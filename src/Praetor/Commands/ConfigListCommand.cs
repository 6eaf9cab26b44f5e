using Praetor.CommandLine;

namespace Praetor.Commands;

internal sealed class ConfigListCommand : Command
{
    private readonly HttpFlags _http;
    private readonly OutputFlags _output;
    private readonly Flag<string> _kind;
    private readonly Flag<string> _filter;

    public ConfigListCommand()
    {
        _http = new HttpFlags(Flags, HttpGroups.All);
        _output = new OutputFlags(Flags);
        _kind = Flags.String("kind", "Kind of the config entries.", offer: Candidates.ConfigKinds);
        _filter = Flags.String("filter", "Print only entries that fit this filter expression.");
    }

    public override string About => """
        Lists the names of the config entries of a kind.

            $ praetor config list -kind service-defaults
        """;

    public override async Task<int> RunAsync(Shell shell, IReadOnlyList<string> arguments, CancellationToken stop)
    {
        ConfigEntryFlags.RequireKind(_kind.Value);
        using var client = _http.Connect(shell);
        var answer = await client.ConfigEntriesAsync(_kind.Value, _http.Query with { Filter = _filter.Value }, stop)
            .OrFail($"Error listing config entries for kind \"{_kind.Value}\"");
        var names = (answer.Value ?? []).Select(entry => entry.Name).ToArray();
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
