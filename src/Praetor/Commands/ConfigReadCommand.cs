using Praetor.CommandLine;

namespace Praetor.Commands;

internal sealed class ConfigReadCommand : Command
{
    private const string Margin = "    ";
    private readonly HttpFlags _http;
    private readonly ConfigEntryFlags _entry;

    public ConfigReadCommand()
    {
        _http = new HttpFlags(Flags, HttpGroups.All);
        _entry = new ConfigEntryFlags(Flags);
    }

    public override string About => """
        Prints a config entry as JSON.

            $ praetor config read -kind service-defaults -name web
        """;

    public override async Task<int> RunAsync(Shell shell, IReadOnlyList<string> arguments, CancellationToken stop)
    {
        _entry.Require();
        using var client = _http.Connect(shell);
        var entry = await client.ConfigEntryAsync(_entry.Kind, _entry.Name, _http.Query, stop)
            .OrFail($"Error reading config entry {_entry.Kind}/{_entry.Name}");
        shell.Say(GoJson.Indent(entry, Margin));
        return 0;
    }
}
