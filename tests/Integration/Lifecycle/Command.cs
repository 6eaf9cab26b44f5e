using System.Diagnostics;
using System.Runtime.InteropServices;
using Support;

namespace Integration.Lifecycle;

/// <summary>Our executable, started with a command line and read to its end.</summary>
internal sealed partial class Command : IDisposable
{
    private static readonly TimeSpan EndLimit = TimeSpan.FromSeconds(20);

    private readonly Process _process;
    private readonly Task<string> _output;
    private readonly Task<string> _errors;

    private Command(Process process)
    {
        _process = process;
        _output = process.StandardOutput.ReadToEndAsync();
        _errors = process.StandardError.ReadToEndAsync();
    }

    public static Command Start(params string[] arguments)
    {
        var start = new ProcessStartInfo(new AgentOptions().Executable, arguments)
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        return new Command(Process.Start(start)!);
    }

    /// <summary>Sends a signal to a process.</summary>
    public static void Signal(int process, int signal)
    {
        if (SendSignal(process, signal) != 0)
        {
            throw new InvalidOperationException($"signal {signal} did not reach process {process}");
        }
    }

    /// <summary>Waits for its end; gives its exit code, and what it wrote to its two outputs.</summary>
    public async Task<(int Code, string Output, string Errors)> EndAsync()
    {
        using var limit = new CancellationTokenSource(EndLimit, TimeProvider.System);
        await _process.WaitForExitAsync(limit.Token);
        return (_process.ExitCode, await _output, await _errors);
    }

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
        }

        _process.Dispose();
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int SendSignal(int process, int signal);
}
