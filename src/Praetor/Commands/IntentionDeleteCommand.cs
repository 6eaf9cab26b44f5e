using Praetor.CommandLine;

namespace Praetor.Commands;

internal sealed class IntentionDeleteCommand : Command
{
    private const string Doing = "Error reading the intention";
    private readonly HttpFlags _http;

    public IntentionDeleteCommand() => _http = new HttpFlags(Flags, HttpGroups.All);

    public override string Arguments => "[options] SOURCE DESTINATION | ID";

    public override Candidates Offer => Candidates.Services;

    public override string About => """
        Removes one intention, named by the two services or by its id. What it decided is then decided by
        the next one that fits, or by the default.

            $ praetor intention delete web db
        """;

    public override async Task<int> RunAsync(Shell shell, IReadOnlyList<string> arguments, CancellationToken stop)
    {
        IntentionLookup.RequireOneOrTwo(arguments);
        using var client = _http.Connect(shell);
        var deleted = arguments.Count == 1
            ? client.DeleteIntentionAsync(arguments[0], stop: stop)
            : DeleteAsync(client, arguments[0], arguments[1], stop);
        await deleted.OrFail(Doing);
        shell.Say("Intention deleted.");
        return 0;
    }

    private static async Task DeleteAsync(
        Client.PraetorClient client, string source, string destination, CancellationToken stop)
    {
        var found = await IntentionLookup.FindAsync(client, source, destination, stop)
            ?? throw IntentionLookup.NotFound(source, destination);
        await (string.IsNullOrEmpty(found.ID)
            ? client.DeleteIntentionAsync(found.SourceName, found.DestinationName, stop: stop)
            : client.DeleteIntentionAsync(found.ID, stop: stop));
    }
}
