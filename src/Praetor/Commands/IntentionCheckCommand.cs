using Praetor.CommandLine;

namespace Praetor.Commands;

internal sealed class IntentionCheckCommand : Command
{
    private const int Denied = 1;
    private const int WrongUse = 2;
    private readonly HttpFlags _http;

    public IntentionCheckCommand() => _http = new HttpFlags(Flags, HttpGroups.All);

    public override string Arguments => "[options] SOURCE DESTINATION";

    public override Candidates Offer => Candidates.Services;

    public override string About => """
        Says whether a service may connect to another. Exit code 0: it may; 1: it may not; 2: the question
        could not be put.

            $ praetor intention check web db
        """;

    public override async Task<int> RunAsync(Shell shell, IReadOnlyList<string> arguments, CancellationToken stop)
    {
        if (arguments.Count != 2)
        {
            throw new CommandException("Error: command requires exactly two arguments: src and dst", WrongUse);
        }

        using var client = _http.Connect(shell);
        bool allowed;
        try
        {
            allowed = await client.CheckIntentionAsync(arguments[0], arguments[1], stop: stop);
        }
        catch (Exception failure) when (AgentCalls.IsOfAgent(failure))
        {
            throw new CommandException($"Error checking the connection: {failure.Message}", WrongUse);
        }

        shell.Say(allowed ? "Allowed" : "Denied");
        return allowed ? 0 : Denied;
    }
}
