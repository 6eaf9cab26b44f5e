using System.Globalization;
using Languages;
using Praetor.Client;
using Praetor.Client.Watches;
using Praetor.CommandLine;

namespace Praetor.Commands;

internal sealed class WatchCommand : Command
{
    private const string Yes = "true";

    // Consul has these for its agents only; so has this program when it stands in for Consul's.
    private static readonly string[] NotForConsul = ["connect_roots", "connect_leaf"];

    private static readonly string[] Types =
    [
        "key", "keyprefix", "services", "nodes", "service", "checks", "event", "connect_roots", "connect_leaf",
        "agent_service",
    ];

    private readonly HttpFlags _http;
    private readonly Flag<string> _type;
    private readonly Flag<string> _passingOnly;
    private readonly Flag<List<string>> _tag;
    private readonly Flag<bool> _shell;
    private readonly Flag<string>[] _parameters;

    public WatchCommand()
    {
        _http = new HttpFlags(Flags, HttpGroups.Server);
        _type = Flags.Add(new Flag<string>(
            "type", "string", $"What to watch: {string.Join(", ", Types)}.", "", ReadText) { Choices = Types });
        _passingOnly = Flags.String(
            "passingonly", "Type service: instances only whose checks all pass.", value: "[true|false]");
        _tag = Flags.Strings("tag", "Type service: instances that have this tag. May be repeated.");
        _shell = Flags.Bool(
            "shell", "Have a shell run the command, that of SHELL if it is set. Default true.", initial: true);
        _parameters =
        [
            Flags.String("key", "Type key: the key.", offer: Candidates.Keys),
            Flags.String("prefix", "Type keyprefix: how the keys begin.", offer: Candidates.Keys),
            Flags.String(
                "service", "Types service, connect_leaf and agent_service: which. Type checks: those of it.",
                offer: Candidates.Services),
            Flags.String("state", "Type checks: those with this status."),
            Flags.String("name", "Type event: events of this name."),
            Flags.String("filter", "Types services, nodes, service and checks: what fits this expression."),
        ];
    }

    public override string Arguments => "[options] [COMMAND ...]";

    public override bool TakesCommandLine => true;

    public override string About => """
        Prints something of the cluster as JSON. With a command, runs it now and after each change: it reads
        the JSON from its standard input, and CONSUL_INDEX tells the index. It ends when the command fails.

            $ praetor watch -type=nodes
            $ praetor watch -type=key -key=config/web ./reload.sh
            $ praetor watch -type=service -service=web -passingonly=true 'jq length'
        """;

    public override async Task<int> RunAsync(Shell shell, IReadOnlyList<string> arguments, CancellationToken stop)
    {
        var query = Query(shell);
        var child = new ChildProcess();
        using var signals = new ProcessSignals(child.Signal);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(stop, signals.Stop);
        using var client = _http.Connect(shell);
        var watch = new Watch(client, query, new WatchOptions
        {
            Time = shell.Time,
            OnFailure = (failure, pause) => shell.Error.WriteLine(
                $"[ERROR] watch: Watch errored: type={query.Type} error=\"{failure.Message}\" "
                + $"retry={GoDuration.Format(pause)}"),
        });
        try
        {
            await client.AgentSelfAsync(both.Token).OrFail("Error querying Consul agent");
            await foreach (var news in watch.RunAsync(both.Token))
            {
                if (arguments.Count == 0)
                {
                    shell.Say(GoJson.Indent(news.Data, "    "));
                    return 0;
                }

                await TellAsync(shell, child, arguments, news, both.Token);
            }
        }
        catch (OperationCanceledException) when (both.IsCancellationRequested)
        {
            return 0;
        }

        return 0;
    }

    private static string? ReadText(string text, ref string value)
    {
        value = text;
        return null;
    }

    private async Task TellAsync(
        Shell shell, ChildProcess child, IReadOnlyList<string> arguments, WatchNews news, CancellationToken stop)
    {
        var words = _shell.Value ? ChildProcess.ByShell(shell, string.Join(' ', arguments)) : arguments;
        var environment = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["CONSUL_INDEX"] = news.Index.ToString(CultureInfo.InvariantCulture),
        };
        int code;
        try
        {
            code = await child.RunAsync(words, GoJson.Compact(news.Data) + "\n", environment, stop);
        }
        catch (CommandException failure)
        {
            throw new CommandException($"Error starting handler: {failure.Message}");
        }

        if (code != 0)
        {
            throw new CommandException($"Error executing handler: exit status {code}");
        }
    }

    private WatchQuery Query(Shell shell)
    {
        if (_type.Value.Length == 0)
        {
            throw new CommandException("Watch type must be specified") { ShowHelp = true };
        }

        var parameters = new Dictionary<string, IReadOnlyList<string>>(StringComparer.Ordinal)
        {
            ["type"] = [_type.Value],
        };
        foreach (var flag in _parameters.Where(static f => f.Value.Length > 0))
        {
            parameters[NameOf(shell, flag)] = [flag.Value];
        }

        if (_tag.Value.Count > 0)
        {
            parameters["tag"] = _tag.Value;
        }

        if (_http.Stale)
        {
            parameters["stale"] = [Yes];
        }

        if (_passingOnly.Value.Length > 0)
        {
            parameters["passingonly"] = FlagSet.TryReadBool(_passingOnly.Value, out var passing)
                ? [passing ? Yes : "false"]
                : throw new CommandException("Failed to parse passingonly flag: strconv.ParseBool: "
                    + $"parsing \"{_passingOnly.Value}\": invalid syntax");
        }

        if (shell.IsConsul && NotForConsul.Contains(_type.Value, StringComparer.Ordinal))
        {
            throw new CommandException($"Type {_type.Value} is not supported in the CLI tool");
        }

        return WatchQuery.Parse(parameters, out var problem) ?? throw new CommandException(problem);
    }

    // Consul's command has no flag for the id of an instance; here -service is it.
    private string NameOf(Shell shell, Flag<string> flag) =>
        flag.Name == "service" && _type.Value == "agent_service" && !shell.IsConsul ? "service_id" : flag.Name;
}
