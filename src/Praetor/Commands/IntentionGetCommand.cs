using System.Globalization;
using Praetor.Client;
using Praetor.CommandLine;

namespace Praetor.Commands;

internal sealed class IntentionGetCommand : Command
{
    private readonly HttpFlags _http;
    private readonly OutputFlags _output;

    public IntentionGetCommand()
    {
        _http = new HttpFlags(Flags, HttpGroups.All);
        _output = new OutputFlags(Flags);
    }

    public override string Arguments => "[options] SOURCE DESTINATION | ID";

    public override Candidates Offer => Candidates.Services;

    public override string About => """
        Prints one intention, named by the two services or by its id.

            $ praetor intention get web db
        """;

    public override async Task<int> RunAsync(Shell shell, IReadOnlyList<string> arguments, CancellationToken stop)
    {
        using var client = _http.Connect(shell);
        var found = await IntentionLookup.RequireAsync(client, arguments, stop);
        if (_output.IsJson)
        {
            OutputFlags.Print(shell, found, OutputJson.Default.Intention);
            return 0;
        }

        shell.Say(Describe(found));
        return 0;
    }

    private static Columns Describe(Intention found)
    {
        var table = new Columns("Source:", found.Source);
        table.Add("Destination:", found.Destination);
        table.Add("Action:", found.Action ?? "");
        AddUnlessEmpty(table, "ID:", found.ID);
        AddUnlessEmpty(table, "Description:", found.Description);
        foreach (var (key, value) in (found.Meta ?? []).OrderBy(pair => pair.Key, StringComparer.Ordinal))
        {
            table.Add($"Meta[{key}]:", value);
        }

        if (DateTimeOffset.TryParse(found.CreatedAt, CultureInfo.InvariantCulture, out var created))
        {
            var text = created.UtcDateTime.ToString("dddd, dd-MMM-yy HH:mm:ss 'UTC'", CultureInfo.InvariantCulture);
            table.Add("Created At:", text);
        }

        return table;
    }

    private static void AddUnlessEmpty(Columns table, string name, string? value)
    {
        if (!string.IsNullOrEmpty(value))
        {
            table.Add(name, value);
        }
    }
}
