using Praetor.CommandLine;
using Praetor.Commands.Demo;

namespace Praetor.Commands;

internal sealed class DemoCommand : Command
{
    private static readonly TimeSpan KeyInterval = TimeSpan.FromMilliseconds(100);
    private readonly Flag<int> _seconds;

    public DemoCommand() => _seconds = Flags.Int("seconds", "End after so many seconds. Default: when told to.");

    public override string About => """
        Shows the product on this machine: an agent in memory, two services that find each other, and an encrypted mesh
        between them. Everything listens on 127.0.0.1; nothing is left behind when it ends.

            $ praetor demo
        """;

    public override async Task<int> RunAsync(Shell shell, IReadOnlyList<string> arguments, CancellationToken stop)
    {
        RequireAtMost(0, arguments);
        var executable = System.Environment.ProcessPath
            ?? throw new CommandException("demo: cannot tell where this executable is");
        using var signals = new ProcessSignals(endsOnHangUp: true);
        using var end = CancellationTokenSource.CreateLinkedTokenSource(stop, signals.Stop);
        var isTerminal = !Console.IsOutputRedirected && !Console.IsInputRedirected;
        var keys = isTerminal ? WatchKeysAsync(shell.Time, end) : Task.CompletedTask;
        Func<int>? columns = isTerminal ? static () => Console.WindowWidth : null;
        var runner = new DemoRunner(executable, NameToType(shell, executable), shell.Out, columns, shell.Time);
        var code = await runner.RunAsync(_seconds.IsSet ? TimeSpan.FromSeconds(_seconds.Value) : null, end.Token);
        await end.CancelAsync();
        await keys;
        return code;
    }

    // By its name where the shell would find it, else by its path.
    private static string NameToType(Shell shell, string executable)
    {
        var folders = (shell.Environment("PATH") ?? "").Split(':', StringSplitOptions.RemoveEmptyEntries);
        return folders.Any(folder => File.Exists(Path.Combine(folder, shell.Program)))
            ? shell.Program
            : Path.GetRelativePath(Directory.GetCurrentDirectory(), executable);
    }

    private static async Task WatchKeysAsync(TimeProvider time, CancellationTokenSource end)
    {
        try
        {
            while (!end.IsCancellationRequested)
            {
                if (Console.KeyAvailable && Console.ReadKey(intercept: true).KeyChar is 'q' or 'Q')
                {
                    await end.CancelAsync();
                }

                await Task.Delay(KeyInterval, time, end.Token);
            }
        }
        catch (OperationCanceledException)
        {
            // The demo has ended: nobody waits for a key any more.
        }
    }
}
