using System.Text.Json;
using Praetor.Client;
using Praetor.CommandLine;
using Praetor.Commands.Exec;

namespace Praetor.Commands;

internal sealed class ExecCommand : Command
{
    private const string EventName = "_rexec";
    private const string SessionTtl = "15s";
    private static readonly TimeSpan RenewInterval = TimeSpan.FromSeconds(5);

    private readonly HttpFlags _http;
    private readonly EventFilterFlags _filters;
    private readonly Flag<string> _prefix;
    private readonly Flag<bool> _shell;
    private readonly Flag<TimeSpan> _wait;
    private readonly Flag<TimeSpan> _waitReplication;
    private readonly Flag<bool> _verbose;

    public ExecCommand()
    {
        _http = new HttpFlags(Flags, HttpGroups.Server);
        _filters = new EventFilterFlags(Flags);
        _prefix = Flags.String("prefix", "Where the keys stand that carry the job and its output.", initial: EventName);
        _shell = Flags.Bool("shell", "Have a shell run the command. Default true.", initial: true);
        _wait = Flags.Duration(
            "wait", "End when nobody has said anything for so long. Default 2s.", TimeSpan.FromSeconds(2));
        _waitReplication = Flags.Duration(
            "wait-repl", "How long all servers get to learn of the job before agents are told. Default 200ms.",
            TimeSpan.FromMilliseconds(200));
        _verbose = Flags.Bool("verbose", "Tell what happens.");
    }

    public override string Arguments => "[options] [-|COMMAND ...]";

    public override bool TakesCommandLine => true;

    public override string About => """
        Runs a command on all nodes, or on those that the filters match, and prints what they say. With -, the
        command is a script that is read from standard input. Agents take part only if their configuration says
        disable_remote_exec = false. Exit code 2: it failed somewhere.

            $ praetor exec uptime
            $ praetor exec -service='^web' -tag=canary 'systemctl restart web'
            $ praetor exec - < script.sh
        """;

    public override async Task<int> RunAsync(Shell shell, IReadOnlyList<string> arguments, CancellationToken stop)
    {
        var job = await JobAsync(shell, arguments, stop);
        _filters.Judge();
        using var signals = new ProcessSignals();
        using var both = CancellationTokenSource.CreateLinkedTokenSource(stop, signals.Stop);
        using var client = _http.Connect(shell);
        var self = await client.AgentSelfAsync(both.Token).OrFail("Error querying Consul agent");
        var session = await CreateSessionAsync(shell, client, self, both.Token);
        Tell(shell, $"Created remote execution session: {session}");
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(both.Token);
        var renewing = RenewAsync(shell, client, session, ended.Token);
        try
        {
            return await RunAsync(shell, client, session, job, both.Token);
        }
        catch (OperationCanceledException) when (both.IsCancellationRequested)
        {
            return 1;
        }
        finally
        {
            await ended.CancelAsync();
            await renewing;
            await CleanUpAsync(client, session);
        }
    }

    private async Task<int> RunAsync(
        Shell shell, PraetorClient client, string session, ExecJob job, CancellationToken stop)
    {
        var folder = $"{_prefix.Value.TrimEnd('/')}/{session}";
        var spec = JsonSerializer.SerializeToUtf8Bytes(job, ExecJson.Default.ExecJob);
        var isLocked = await client.PutKeyAsync($"{folder}/job", spec, new KvWrite { Acquire = session }, stop: stop)
            .OrFail("Failed to create job file");
        if (!isLocked)
        {
            throw new CommandException($"Failed to create job file: failed to acquire key {folder}/job");
        }

        Tell(shell, "Uploaded remote execution spec");
        await Task.Delay(_waitReplication.Value, shell.Time, stop);
        var call = new ExecCall(_prefix.Value, session);
        var wanted = _filters.Apply(new UserEvent
        {
            Name = EventName,
            Payload = JsonSerializer.SerializeToUtf8Bytes(call, ExecJson.Default.ExecCall),
        });
        var id = await client.FireEventAsync(wanted, stop).OrFail("Failed to fire event");
        Tell(shell, $"Fired remote execution event: {id}");
        return await new ExecResults(shell, client, folder, _wait.Value, _verbose.Value).FollowAsync(stop);
    }

    private async Task<ExecJob> JobAsync(Shell shell, IReadOnlyList<string> arguments, CancellationToken stop)
    {
        var line = string.Join(' ', arguments);
        var wait = (long)_wait.Value.TotalNanoseconds;
        if (line == "-")
        {
            if (!_shell.Value)
            {
                throw new CommandException("Cannot configure -shell=false when reading from stdin");
            }

            using var script = new MemoryStream();
            await shell.Input.CopyToAsync(script, stop);
            return Demand(script.Length > 0, new ExecJob { Script = script.ToArray(), Wait = wait });
        }

        return Demand(line.Length > 0, _shell.Value
            ? new ExecJob { Command = line, Wait = wait }
            : new ExecJob { Args = arguments, Wait = wait });
    }

    private static ExecJob Demand(bool isSomething, ExecJob job) => isSomething
        ? job
        : throw new CommandException("Must specify a command to execute") { ShowHelp = true };

    private async Task<string> CreateSessionAsync(
        Shell shell, PraetorClient client, AgentSelf self, CancellationToken stop)
    {
        var own = self.Config.GetProperty("Datacenter").GetString() ?? "";
        var asked = _http.Options(shell).Datacenter ?? own;
        var request = new SessionRequest { Name = "Remote Exec", Behavior = "delete", TTL = SessionTtl };
        try
        {
            if (asked != own)
            {
                Tell(shell, "Remote exec in foreign datacenter, using Session TTL");
                var node = await ServerOfAsync(client, stop);
                Tell(shell, $"Binding session to remote node {node}@{asked}");
                var from = $"{self.Config.GetProperty("NodeName").GetString()}@{own}";
                request = request with { Name = $"Remote Exec via {from}", Node = node, Checks = [] };
            }

            return await client.CreateSessionAsync(request, stop);
        }
        catch (Exception failure) when (AgentCalls.IsOfAgent(failure))
        {
            throw AgentCalls.Failed(failure, "Failed to create session");
        }
    }

    // Our own agent is not of that datacenter, so the session lives with a server there.
    private static async Task<string> ServerOfAsync(PraetorClient client, CancellationToken stop)
    {
        var servers = await client.HealthServiceAsync("consul", passingOnly: true, stop: stop)
            .OrFail("Failed to create session: Failed to find Consul server in remote datacenter");
        return servers.Value is [{ Node.Node: { Length: > 0 } node }, ..]
            ? node
            : throw new CommandException(
                "Failed to create session: Failed to find Consul server in remote datacenter");
    }

    private static async Task RenewAsync(Shell shell, PraetorClient client, string session, CancellationToken stop)
    {
        try
        {
            while (true)
            {
                await Task.Delay(RenewInterval, shell.Time, stop);
                await client.RenewSessionAsync(session, stop);
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // The command has ended.
        }
        catch (Exception failure) when (AgentCalls.IsOfAgent(failure))
        {
            shell.Error.WriteLine($"Session renew failed: {failure.Message}");
        }
    }

    // The session first: without it no agent can write a key any more that would be left behind.
    private async Task CleanUpAsync(PraetorClient client, string session)
    {
        try
        {
            await client.DestroySessionAsync(session, CancellationToken.None);
            await client.DeleteTreeAsync(
                $"{_prefix.Value.TrimEnd('/')}/{session}", stop: CancellationToken.None);
        }
        catch (Exception failure) when (AgentCalls.IsOfAgent(failure))
        {
            // The session's TTL does the rest.
        }
    }

    private void Tell(Shell shell, string line)
    {
        if (_verbose.Value)
        {
            shell.Say(line);
        }
    }
}
