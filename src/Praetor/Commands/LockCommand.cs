using Praetor.Client;
using Praetor.Client.Locks;
using Praetor.CommandLine;
using Praetor.Commands.Locks;

namespace Praetor.Commands;

internal sealed class LockCommand : Command
{
    private const int ChildFailed = 2;
    private const int RetriesDefault = 3;

    private readonly HttpFlags _http;
    private readonly Flag<int> _limit;
    private readonly Flag<string> _name;
    private readonly Flag<TimeSpan> _timeout;
    private readonly Flag<TimeSpan> _try;
    private readonly Flag<int> _retries;
    private readonly Flag<bool> _passInput;
    private readonly Flag<bool> _childCode;
    private readonly Flag<bool> _shell;
    private readonly Flag<bool> _verbose;

    public LockCommand()
    {
        _http = new HttpFlags(Flags, HttpGroups.Server);
        _limit = Flags.Int("n", "How many may hold it at a time; all must say the same. Default 1.", initial: 1);
        _name = Flags.String("name", "A name for the session that holds it. Default: one that tells the command.");
        _timeout = Flags.Duration("timeout", "Give up after this time. Default 0: never.", TimeSpan.Zero);
        _try = Flags.Duration("try", "The older name of -timeout.", TimeSpan.Zero);
        _retries = Flags.Int(
            "monitor-retry",
            "How often an agent that fails is asked again, a second each, before the lock counts as lost. Default 3.",
            initial: RetriesDefault);
        _passInput = Flags.Bool("pass-stdin", "Let the command read what this one could read.");
        _childCode = Flags.Bool("child-exit-code", "Exit with 2 when the command failed.");
        _shell = Flags.Bool(
            "shell", "Have a shell run the command, that of SHELL if it is set. Default true.", initial: true);
        _verbose = Flags.Bool("verbose", "Tell what happens.");
    }

    public override string Arguments => "[options] PREFIX COMMAND...";

    public override bool TakesCommandLine => true;

    public override Candidates Offer => Candidates.Keys;

    public override string About => """
        Waits for a lock and runs a command while it is held. When the lock is lost the command gets SIGTERM and,
        5 seconds later, SIGKILL. With -n so many may hold it at a time.

            $ praetor lock service/web/leader ./run-as-leader.sh
            $ praetor lock -n=3 jobs/index ./index-one.sh
            $ praetor lock -timeout=30s -child-exit-code deploy/web make deploy
        """;

    public override async Task<int> RunAsync(Shell shell, IReadOnlyList<string> arguments, CancellationToken stop)
    {
        Judge(arguments);
        var (prefix, command) = (arguments[0].StartsWith('/') ? arguments[0][1..] : arguments[0], arguments.Skip(1));
        using var signals = new ProcessSignals();
        using var both = CancellationTokenSource.CreateLinkedTokenSource(stop, signals.Stop);
        using var client = _http.Connect(shell);
        await client.AgentSelfAsync(both.Token).OrFail("Error querying Consul agent");
        var held = Make(shell, client, prefix, string.Join(' ', command));
        Tell(shell, "Attempting lock acquisition");
        var hold = await TakeAsync(held, both.Token);
        Tell(shell, "Starting handler");
        var words = _shell.Value ? ChildProcess.ByShell(shell, string.Join(' ', command)) : [.. command];
        var run = await new HeldCommand(shell, line => Tell(shell, line))
            .RunAsync(words, _passInput.Value, hold.Lost, both.Token);
        await GiveBackAsync(shell, held, hold);
        return run is { IsEnded: true, IsWell: false } && _childCode.Value ? ChildFailed : 0;
    }

    // As Go's paths are: no empty parts, no dots.
    private static string Clean(string prefix)
    {
        var parts = new List<string>();
        foreach (var part in prefix.Split('/').Where(static p => p is not ("" or ".")))
        {
            if (part == ".." && parts.Count > 0)
            {
                parts.RemoveAt(parts.Count - 1);
            }
            else
            {
                parts.Add(part);
            }
        }

        return string.Join('/', parts);
    }

    private void Judge(IReadOnlyList<string> arguments)
    {
        if (arguments.Count < 2)
        {
            throw new CommandException("Key prefix and child command must be specified");
        }

        if (_limit.Value <= 0)
        {
            throw new CommandException("Lock holder limit must be positive");
        }

        if (_timeout.Value < TimeSpan.Zero || _try.Value < TimeSpan.Zero)
        {
            throw new CommandException("Timeout must be positive");
        }

        if (_retries.Value < 0)
        {
            throw new CommandException("Number for 'monitor-retry' must be >= 0");
        }
    }

    private Lockable Make(Shell shell, PraetorClient client, string prefix, string command)
    {
        var timeout = _timeout.Value > TimeSpan.Zero ? _timeout.Value : _try.Value;
        var options = new LockOptions
        {
            SessionName = _name.Value.Length > 0 ? _name.Value : $"Consul lock for '{command}' at '{prefix}'",
            GiveUpAfter = timeout > TimeSpan.Zero ? timeout : null,
            MonitorRetries = _retries.Value,
        };
        if (_limit.Value == 1)
        {
            var key = Clean($"{prefix}/{KeySemaphore.LockName}");
            Tell(shell, $"Setting up lock at path: {key}");
            var one = new KeyLock(client, key, options, shell.Time);
            return new Lockable(one.AcquireAsync, one.CleanUpAsync, "lock");
        }

        Tell(shell, $"Setting up semaphore (limit {_limit.Value}) at prefix: {prefix}");
        if (prefix.Length == 0)
        {
            throw new CommandException("Lock setup failed: missing prefix");
        }

        var some = new KeySemaphore(client, Clean(prefix), _limit.Value, options, shell.Time);
        return new Lockable(some.AcquireAsync, some.CleanUpAsync, "semaphore");
    }

    private static async Task<LockHold> TakeAsync(Lockable held, CancellationToken stop)
    {
        try
        {
            return await held.AcquireAsync(stop)
                ?? throw new CommandException("Shutdown triggered or timeout during lock acquisition");
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            throw new CommandException("Shutdown triggered or timeout during lock acquisition");
        }
        catch (LockConflictException conflict)
        {
            throw new CommandException($"Lock acquisition failed: {conflict.Message}");
        }
        catch (Exception failure) when (AgentCalls.IsOfAgent(failure))
        {
            throw AgentCalls.Failed(failure, "Lock acquisition failed");
        }
    }

    private async Task GiveBackAsync(Shell shell, Lockable held, LockHold hold)
    {
        await hold.ReleaseAsync().OrFail($"Lock release failed: failed to release {held.Kind}");
        try
        {
            var outcome = await held.CleanUpAsync(CancellationToken.None);
            Tell(shell, outcome == LockCleanUp.Done ? "Cleanup succeeded" : "Cleanup aborted, lock in use");
        }
        catch (Exception failure) when (failure is LockConflictException || AgentCalls.IsOfAgent(failure))
        {
            throw AgentCalls.Failed(failure, "Lock cleanup failed");
        }
    }

    // The command writes to the same output, so what is told before it must be out.
    private void Tell(Shell shell, string line)
    {
        if (_verbose.Value)
        {
            shell.Say(line);
            shell.Out.Flush();
        }
    }

    private sealed record Lockable(
        Func<CancellationToken, Task<LockHold?>> AcquireAsync,
        Func<CancellationToken, Task<LockCleanUp>> CleanUpAsync,
        string Kind);
}
