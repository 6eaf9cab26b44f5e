using Praetor.CommandLine;

namespace Praetor.Commands;

internal sealed class IntentionMatchCommand : Command
{
    private readonly HttpFlags _http;
    private readonly OutputFlags _output;
    private readonly Flag<bool> _source;
    private readonly Flag<bool> _destination;

    public IntentionMatchCommand()
    {
        _http = new HttpFlags(Flags, HttpGroups.All);
        _output = new OutputFlags(Flags);
        _source = Flags.Bool("source", "The service is the one that connects.");
        _destination = Flags.Bool("destination", "The service is the one connected to. This is the default.");
    }

    public override string Arguments => "[options] SERVICE";

    public override Candidates Offer => Candidates.Services;

    public override string About => """
        Lists the intentions that can decide about a service, in the order in which they are looked at.

            $ praetor intention match db
            $ praetor intention match -source web
        """;

    public override async Task<int> RunAsync(Shell shell, IReadOnlyList<string> arguments, CancellationToken stop)
    {
        if (arguments.Count != 1)
        {
            throw new CommandException("Error: command requires exactly one argument: src or dst");
        }

        if (_source.Value && _destination.Value)
        {
            throw new CommandException("Error: only one of -source or -destination may be specified");
        }

        using var client = _http.Connect(shell);
        var answer = await client.MatchIntentionsAsync(_source.Value, arguments[0], stop: stop)
            .OrFail("Error matching the connection");
        var found = answer.Value ?? [];
        if (_output.IsJson)
        {
            OutputFlags.Print(shell, found, OutputJson.Default.IntentionArray);
            return 0;
        }

        foreach (var intention in found)
        {
            shell.Say(intention.ToString());
        }

        return 0;
    }
}
