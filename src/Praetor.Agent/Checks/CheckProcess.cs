using System.ComponentModel;
using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Praetor.Agent.Checks;

/// <summary>How a process ended.</summary>
/// <param name="ExitCode">Null when it did not end by itself.</param>
/// <param name="StartError">Why it could not be started; null when it was.</param>
internal sealed record ProcessEnd(int? ExitCode, bool IsLate, string? StartError, OutputCapture Output);

/// <summary>A program to run.</summary>
/// <param name="Args">The program and its arguments.</param>
/// <param name="Timeout">It is killed after this time.</param>
/// <param name="Output">Takes what it writes, to either output; while it takes, the program waits.</param>
internal sealed record ProcessRun(
    IReadOnlyList<string> Args, TimeSpan Timeout, Func<ReadOnlyMemory<byte>, ValueTask> Output)
{
    private const string UsualShell = "/bin/sh";

    /// <summary>What it may read. Empty: nothing.</summary>
    public ReadOnlyMemory<byte> Input { get; init; }

    /// <summary>What stands in its environment beside the agent's own.</summary>
    public IReadOnlyDictionary<string, string> Environment { get; init; } =
        new Dictionary<string, string>(StringComparer.Ordinal);

    /// <summary>The arguments that have the user's shell run a command line.</summary>
    public static IReadOnlyList<string> ByShell(string command)
    {
        var shell = System.Environment.GetEnvironmentVariable("SHELL");
        return [string.IsNullOrEmpty(shell) ? UsualShell : shell, "-c", command];
    }
}

/// <summary>
/// Runs a program with its output captured, and kills it with all its children when its time is over.
/// </summary>
/// <remarks>
/// The runtime cannot put a child into a process group of its own, so the program is started through <c>setsid</c>,
/// which
/// makes a session and then becomes the program: the group then carries the child's process id. On a machine without
/// <c>setsid</c> the children found at that moment are killed one by one.
/// </remarks>
internal sealed partial class CheckProcess(TimeProvider time)
{
    private const int Sigkill = 9;
    private const int ReadBytes = 4096;
    private static readonly Lazy<string?> Setsid = new(static () => Find("setsid"));

    /// <summary>Runs a program that reads nothing, and keeps the end of its output.</summary>
    public Task<ProcessEnd> RunAsync(
        IReadOnlyList<string> args, TimeSpan timeout, int outputMax, CancellationToken stop)
    {
        var output = new OutputCapture(outputMax);
        return RunAsync(new ProcessRun(args, timeout, output.TakeAsync), output, stop);
    }

    /// <summary>Runs a program.</summary>
    /// <param name="run">Which, and how.</param>
    /// <param name="output">Comes back with the end; who streams the output keeps none here.</param>
    /// <param name="stop">Kills it.</param>
    public async Task<ProcessEnd> RunAsync(ProcessRun run, OutputCapture output, CancellationToken stop)
    {
        if (StartProblem(run.Args[0]) is { } problem)
        {
            return new ProcessEnd(null, false, problem, output);
        }

        using var process = new Process { StartInfo = StartInfo(run) };
        try
        {
            process.Start();
        }
        catch (Win32Exception error)
        {
            return new ProcessEnd(null, false, $"fork/exec {run.Args[0]}: {error.Message}", output);
        }

        using var limit = new RunLimit(run.Timeout, time, stop);
        var feeding = FeedAsync(process.StandardInput.BaseStream, run.Input, limit.Token);
        var pumps = Task.WhenAll(
            PumpAsync(process.StandardOutput.BaseStream, run.Output, limit.Token),
            PumpAsync(process.StandardError.BaseStream, run.Output, limit.Token));
        try
        {
            await process.WaitForExitAsync(limit.Token);
        }
        catch (OperationCanceledException)
        {
            await KillAsync(process);
            stop.ThrowIfCancellationRequested();
            return new ProcessEnd(null, true, null, output);
        }

        await RestOfOutputAsync(Task.WhenAll(pumps, feeding));
        return new ProcessEnd(process.ExitCode, false, null, output);
    }

    /// <summary>The file that a program's name stands for; null when there is none that may be executed.</summary>
    public static string? Find(string name)
    {
        var folders = Environment.GetEnvironmentVariable("PATH") ?? "";
        return folders.Split(':', StringSplitOptions.RemoveEmptyEntries)
            .Select(folder => Path.Combine(folder, name))
            .FirstOrDefault(IsExecutable);
    }

    private static string? StartProblem(string program)
    {
        if (!program.Contains('/'))
        {
            return Find(program) is null ? $"exec: \"{program}\": executable file not found in $PATH" : null;
        }

        if (!File.Exists(program) && !Directory.Exists(program))
        {
            return $"fork/exec {program}: no such file or directory";
        }

        return IsExecutable(program) ? null : $"fork/exec {program}: permission denied";
    }

    private static bool IsExecutable(string path)
    {
        const UnixFileMode Execute = UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;
        return !OperatingSystem.IsWindows() && File.Exists(path)
            && (File.GetUnixFileMode(path) & Execute) != UnixFileMode.None;
    }

    private static ProcessStartInfo StartInfo(ProcessRun run)
    {
        var args = run.Args;
        var info = new ProcessStartInfo(Setsid.Value ?? args[0])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        foreach (var arg in Setsid.Value is null ? args.Skip(1) : args)
        {
            info.ArgumentList.Add(arg);
        }

        foreach (var (name, value) in run.Environment)
        {
            info.Environment[name] = value;
        }

        return info;
    }

    // A program that does not read what it is given closes the pipe; that is its own affair.
    private static async Task FeedAsync(Stream into, ReadOnlyMemory<byte> input, CancellationToken stop)
    {
        try
        {
            await using (into)
            {
                await into.WriteAsync(input, stop);
            }
        }
        catch (Exception end) when (end is IOException or OperationCanceledException or ObjectDisposedException)
        {
            // It ended, or was killed, before it had read all.
        }
    }

    private static async Task PumpAsync(
        Stream from, Func<ReadOnlyMemory<byte>, ValueTask> into, CancellationToken stop)
    {
        var buffer = new byte[ReadBytes];
        try
        {
            while (await from.ReadAsync(buffer, stop) is > 0 and var read)
            {
                await into(buffer.AsMemory(0, read));
            }
        }
        catch (Exception end) when (end is IOException or OperationCanceledException or ObjectDisposedException)
        {
            // Killed or disposed: what was captured so far is the output.
        }
    }

    // A background child may hold the pipe for ever; the script itself has ended and its exit code decides.
    private async Task RestOfOutputAsync(Task pumps)
    {
        try
        {
            await pumps.WaitAsync(CheckLimits.OutputGrace, time);
        }
        catch (TimeoutException)
        {
            // Disposing the process closes the pipe on our side.
        }
    }

    private static async Task KillAsync(Process process)
    {
        try
        {
            if (Setsid.Value is null || Kill(-process.Id, Sigkill) != 0)
            {
                process.Kill(entireProcessTree: true);
            }

            await process.WaitForExitAsync(CancellationToken.None);
        }
        catch (InvalidOperationException)
        {
            // It ended by itself in this very moment.
        }
    }

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int Kill(int process, int signal);
}
