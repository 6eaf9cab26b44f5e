using System.ComponentModel;
using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;

namespace Praetor.CommandLine;

/// <summary>A program that is given text to read and writes to our own outputs.</summary>
internal sealed partial class ChildProcess
{
    private const string UsualShell = "/bin/sh";
    private const int NoSuchFile = 2;
    private const int NotPermitted = 13;

    private Process? _running;

    /// <summary>The words that have the user's shell run a command line.</summary>
    public static IReadOnlyList<string> ByShell(Shell shell, string command) =>
        [shell.Environment("SHELL") is { Length: > 0 } named ? named : UsualShell, "-c", command];

    /// <summary>Runs a program to its end.</summary>
    /// <param name="words">The program and its arguments.</param>
    /// <param name="input">What it may read. Null: what we read ourselves.</param>
    /// <param name="environment">What stands in its environment beside ours.</param>
    /// <param name="stop">Stops waiting for it.</param>
    /// <returns>The exit code.</returns>
    /// <exception cref="CommandException">It could not be started.</exception>
    public async Task<int> RunAsync(
        IReadOnlyList<string> words, string? input, IReadOnlyDictionary<string, string> environment,
        CancellationToken stop)
    {
        using var process = Start(words, environment, givesInput: input is not null);
        Volatile.Write(ref _running, process);
        try
        {
            await (input is null ? Task.CompletedTask : FeedAsync(process, input, stop));
            await process.WaitForExitAsync(stop);
            return process.ExitCode;
        }
        finally
        {
            Volatile.Write(ref _running, null);
        }
    }

    /// <summary>The number of the program that runs. 0: none does.</summary>
    public int Id => Volatile.Read(ref _running)?.Id ?? 0;

    /// <summary>Passes a signal on to the program, if one runs.</summary>
    public void Signal(PosixSignal signal)
    {
        const int sigint = 2;
        const int sigterm = 15;
        if (Volatile.Read(ref _running) is { } process)
        {
            _ = Kill(process.Id, signal == PosixSignal.SIGINT ? sigint : sigterm);
        }
    }

    /// <summary>Ends the program, if one runs, and all that it started.</summary>
    public void Kill() => Volatile.Read(ref _running)?.Kill(entireProcessTree: true);

    private static Process Start(
        IReadOnlyList<string> words, IReadOnlyDictionary<string, string> environment, bool givesInput)
    {
        var info = new ProcessStartInfo(words[0]) { RedirectStandardInput = givesInput, UseShellExecute = false };
        foreach (var word in words.Skip(1))
        {
            info.ArgumentList.Add(word);
        }

        foreach (var (name, value) in environment)
        {
            info.Environment[name] = value;
        }

        try
        {
            return Process.Start(info)!;
        }
        catch (Win32Exception failure)
        {
            throw new CommandException(words[0].Contains('/', StringComparison.Ordinal)
                ? $"fork/exec {words[0]}: {WordsFor(failure)}"
                : $"exec: \"{words[0]}\": executable file not found in $PATH");
        }
    }

    private static string WordsFor(Win32Exception failure) => failure.NativeErrorCode switch
    {
        NoSuchFile => "no such file or directory",
        NotPermitted => "permission denied",
        _ => failure.Message,
    };

    // A program that does not read what it is given closes the pipe; that is its own affair.
    private static async Task FeedAsync(Process process, string input, CancellationToken stop)
    {
        try
        {
            await using var into = process.StandardInput.BaseStream;
            await into.WriteAsync(Encoding.UTF8.GetBytes(input), stop);
        }
        catch (IOException)
        {
            // It has ended, or does not read.
        }
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int process, int signal);
}
