using System.Globalization;
using Praetor.CommandLine;

namespace Praetor.Commands;

internal sealed class IntentionListCommand : Command
{
    private readonly HttpFlags _http;
    private readonly OutputFlags _output;

    public IntentionListCommand()
    {
        _http = new HttpFlags(Flags, HttpGroups.All);
        _output = new OutputFlags(Flags);
    }

    public override string About => """
        Lists all intentions, those that decide first in front.

            $ praetor intention list
        """;

    public override async Task<int> RunAsync(Shell shell, IReadOnlyList<string> arguments, CancellationToken stop)
    {
        using var client = _http.Connect(shell);
        var answer = await client.IntentionsAsync(_http.Query, stop).OrFail("Failed to retrieve the intentions list");
        var found = answer.Value ?? [];
        if (_output.IsJson)
        {
            OutputFlags.Print(shell, found, OutputJson.Default.IntentionArray);
            return 0;
        }

        if (found.Length == 0)
        {
            shell.Error.WriteLine("There are no intentions.");
            return 0;
        }

        var table = new Columns("ID", "Source", "Action", "Destination", "Precedence");
        foreach (var each in found)
        {
            table.Add(
                each.ID ?? "",
                each.Source,
                each.Action ?? "",
                each.Destination,
                each.Precedence.ToString(CultureInfo.InvariantCulture));
        }

        shell.Say(table);
        return 0;
    }
}
