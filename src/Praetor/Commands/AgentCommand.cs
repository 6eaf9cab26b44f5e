using System.Runtime.InteropServices;
using Praetor.Agent.Config;
using Praetor.Agent.Runtime;
using Praetor.CommandLine;
using Praetor.Server.Storage;

namespace Praetor.Commands;

internal sealed class AgentCommand : Command
{
    // Of its parts each has a limit of 12 s, one more may hang.
    private static readonly TimeSpan StopLimit = TimeSpan.FromSeconds(30);

    public AgentCommand()
    {
        foreach (var (name, help) in Settings.SourceFlags)
        {
            _ = name == "dev" ? (Flag)Flags.Bool(name, help) : Flags.String(name, help, value: "value");
        }

        foreach (var (name, row) in Settings.ByFlag)
        {
            _ = row.Kind == SettingKind.Flag ? (Flag)Flags.Bool(name, HelpOf(row))
                : Flags.String(name, HelpOf(row), value: ValueOf(row.Kind), offer: Candidates.Files);
        }
    }

    /// <summary>The agent knows its flags itself: they are settings, of which its files have more.</summary>
    public override bool ReadsOwnLine => true;

    public override Candidates Offer => Candidates.Files;

    public override string About => """
        Runs the agent until it is interrupted or told to leave: as a server, as a client of servers
        elsewhere, or with -dev alone and in memory.

            $ praetor agent -dev
            $ praetor agent -server -bootstrap-expect=1 -data-dir=/var/lib/praetor
            $ praetor agent -retry-join=10.0.0.1 -data-dir=/var/lib/praetor -config-dir=/etc/praetor.d
        """;

    public override Task<int> RunAsync(Shell shell, IReadOnlyList<string> arguments, CancellationToken stop) =>
        StartAsync(shell, arguments, stop);

    private static string HelpOf(Setting row)
    {
        var fallback = row.Default is null or "" or "false" ? "" : $" Default: {row.Default}.";
        var instead = row.ReplacedBy is { Length: > 0 } successor ? $" Going out of use: set {successor}." : "";
        return $"{row.Help}{fallback}{instead}{(row.HasEffect ? "" : " Without effect yet.")}";
    }

    private static string ValueOf(SettingKind kind) => kind switch
    {
        SettingKind.Whole => "int",
        SettingKind.Duration => "duration",
        SettingKind.TextMap => "key:value",
        _ => "value",
    };

    /// <summary>The agent itself: reads its flags, runs until told to stop, and gives the exit code.</summary>
    private static async Task<int> StartAsync(Shell shell, IReadOnlyList<string> line, CancellationToken stop)
    {
        ConfigResult Load() => ConfigLoader.Load(line);
        var loaded = Load();
        if (loaded.Config is not { } config)
        {
            var what = shell.IsConsul ? GoConfigErrors.Of(loaded.Problems) : loaded.ProblemText;
            throw new CommandException($"==> {what}");
        }

        if (Unsupported(config) is { } unsupported)
        {
            throw new CommandException($"==> {unsupported}");
        }

        shell.Say("==> Starting Praetor agent...");
        AgentRuntime? agent = null;
        using var signals = new ProcessSignals(onReload: () => agent?.BeginReload(stop));
        try
        {
            var build = new AgentBuild(ProductVersion.Own, ProductVersion.Revision, ProductVersion.BuildDate)
            {
                Program = shell.Program,
            };
            agent = new AgentRuntime(config, Load, build, Console.Out, shell.Time) { Seen = loaded.Seen };
            foreach (var said in agent.Banner())
            {
                shell.Say(said);
            }

            shell.Say("");
            shell.Say("==> Log data will now stream in as it occurs:");
            shell.Say("");
            await shell.Out.FlushAsync(stop);
            using var pid = PidFile.Write(config.PidFile);
            await agent.StartAsync(loaded.Warnings, stop);
            return await UntilEndAsync(agent, config, signals);
        }
        catch (Exception e)
            when (e is IOException or FormatException or StorageFailedException or UnauthorizedAccessException)
        {
            throw new CommandException($"==> {e.Message}");
        }
        finally
        {
            if (agent is not null)
            {
                await StopAsync(agent);
            }
        }
    }

    // Whatever of it may hang, the process ends: what was acknowledged is on disk.
    private static async Task StopAsync(AgentRuntime agent)
    {
        var stopped = agent.DisposeAsync().AsTask();
        if (await Task.WhenAny(stopped, Task.Delay(StopLimit, TimeProvider.System)) != stopped)
        {
            await Console.Error.WriteLineAsync(
                $"==> the agent did not stop within {StopLimit.TotalSeconds} s, so its process ends now");
            Environment.Exit(1);
        }

        await stopped;
    }

    // Refused rather than half done: a lone agent that takes itself for one of several would lose what it is given.
    private static string? Unsupported(AgentConfig config) => config switch
    {
        { Acl.IsEnabled: true } => "this version has no ACLs: with acl.enabled it would let everybody do everything; "
            + "remove it, or keep the agent on loopback until they are there",
        _ => null,
    };

    // INT leaves unless told otherwise (servers stay by default), TERM stays unless told otherwise, as in Consul.
    private static async Task<int> UntilEndAsync(AgentRuntime agent, AgentConfig config, ProcessSignals signals)
    {
        var signalled = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var registration = signals.Stop.UnsafeRegister(
            static state => ((TaskCompletionSource)state!).TrySetResult(), signalled);
        if (await Task.WhenAny(agent.Ended, signalled.Task) == agent.Ended)
        {
            return await agent.Ended ? 0 : 1;
        }

        var leaves = signals.Ended == PosixSignal.SIGINT ? !config.SkipLeaveOnInterrupt : config.LeaveOnTerminate;
        if (leaves)
        {
            await agent.LeaveAsync();
        }

        return leaves ? 0 : 1;
    }
}
