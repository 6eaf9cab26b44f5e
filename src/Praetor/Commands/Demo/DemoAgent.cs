using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Praetor.Commands.Demo;

/// <summary>The demo's agent: the same executable as a child process, in memory, ended with the demo.</summary>
internal sealed partial class DemoAgent : IAsyncDisposable
{
    private const int SigInt = 2;
    private const int LogLinesKept = 40;
    private static readonly TimeSpan EndLimit = TimeSpan.FromSeconds(5);

    private readonly Process _process;
    private readonly TimeProvider _time;
    private readonly Queue<string> _log = new(LogLinesKept);

    private DemoAgent(Process process, TimeProvider time)
    {
        _process = process;
        _time = time;
        process.OutputDataReceived += (_, line) => Keep(line.Data);
        process.ErrorDataReceived += (_, line) => Keep(line.Data);
    }

    /// <summary>Whether it ended, which it should not do by itself.</summary>
    public bool HasEnded => _process.HasExited;

    /// <summary>The end of its log.</summary>
    public string Log
    {
        get
        {
            lock (_log)
            {
                return string.Join('\n', _log);
            }
        }
    }

    /// <summary>Starts the agent with the service files of a folder.</summary>
    public static DemoAgent Start(string executable, string folder, DemoPorts ports, TimeProvider time)
    {
        var start = new ProcessStartInfo(executable)
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = folder,
        };
        string[] arguments =
        [
            "agent", "-dev", "-node", "demo", "-bind", "127.0.0.1", "-config-dir", Path.Combine(folder, "services"),
            "-hcl", ports.ToHcl(),
        ];
        Array.ForEach(arguments, start.ArgumentList.Add);
        var process = new Process { StartInfo = start };
        var agent = new DemoAgent(process, time);
        process.Start();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return agent;
    }

    /// <summary>Ends it as Ctrl-C would, or by force when it does not listen.</summary>
    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _ = SendSignal(_process.Id, SigInt);
            using var limit = new CancellationTokenSource(EndLimit, _time);
            try
            {
                await _process.WaitForExitAsync(limit.Token);
            }
            catch (OperationCanceledException)
            {
                _process.Kill(entireProcessTree: true);
            }
        }

        _process.Dispose();
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int SendSignal(int process, int signal);

    private void Keep(string? line)
    {
        if (line is null)
        {
            return;
        }

        lock (_log)
        {
            if (_log.Count == LogLinesKept)
            {
                _log.Dequeue();
            }

            _log.Enqueue(line);
        }
    }
}
