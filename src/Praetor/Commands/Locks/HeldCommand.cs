using System.Runtime.InteropServices;
using Praetor.CommandLine;

namespace Praetor.Commands.Locks;

/// <summary>Runs a program for as long as a lock is held, and sees to its end when the lock is lost.</summary>
internal sealed class HeldCommand(Shell shell, Action<string> tell)
{
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(5);

    // 128 and the number of SIGTERM.
    private const int Terminated = 143;

    private static readonly Dictionary<string, string> Held =
        new(StringComparer.Ordinal) { ["CONSUL_LOCK_HELD"] = "true" };

    private readonly ChildProcess _child = new();
    private bool _isTold;
    private bool _isKilled;

    /// <summary>Runs it to its end, or until it may not go on.</summary>
    /// <param name="words">The program and its arguments.</param>
    /// <param name="passesInput">Whether it reads what we could read.</param>
    /// <param name="lost">The lock is lost.</param>
    /// <param name="stop">We are to end.</param>
    /// <returns>Whether it ran to its end, and whether that was a good one.</returns>
    public async Task<(bool IsEnded, bool IsWell)> RunAsync(
        IReadOnlyList<string> words, bool passesInput, CancellationToken lost, CancellationToken stop)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(lost, stop);
        var running = RunAsync(words, passesInput);
        var isEnded = await EndsAsync(running, Timeout.InfiniteTimeSpan, either.Token);
        if (isEnded)
        {
            tell("Child terminated, releasing lock");
            return (true, await running);
        }

        tell(stop.IsCancellationRequested ? "Shutdown triggered, killing child" : "Lock lost, killing child");
        await KillAsync(running);
        return (false, true);
    }

    private async Task<bool> RunAsync(IReadOnlyList<string> words, bool passesInput)
    {
        try
        {
            var code = await _child.RunAsync(words, passesInput ? null : "", Held, CancellationToken.None);
            if (code != 0)
            {
                shell.Error.WriteLine($"Error running handler: {WordsFor(code)}");
            }

            return code == 0;
        }
        catch (CommandException failure)
        {
            shell.Error.WriteLine($"Error starting handler: {failure.Message}");
            return false;
        }
    }

    // .NET tells of a signal by a code that a program may give itself, so only what we sent is taken for one.
    private string WordsFor(int code) => _isKilled ? "signal: killed"
        : _isTold && code == Terminated ? "signal: terminated"
        : $"exit status {code}";

    private async Task KillAsync(Task<bool> running)
    {
        var id = _child.Id;
        tell($"Terminating child pid {id}");
        _isTold = true;
        _child.Signal(PosixSignal.SIGTERM);
        if (await EndsAsync(running, Grace, CancellationToken.None))
        {
            tell("Child terminated");
            return;
        }

        tell("Child did not exit after grace period of 5s");
        tell($"Killing child pid {id}");
        _isKilled = true;
        _child.Kill();
        await running;
    }

    private async Task<bool> EndsAsync(Task running, TimeSpan limit, CancellationToken stop)
    {
        using var over = CancellationTokenSource.CreateLinkedTokenSource(stop);
        await Task.WhenAny(running, Task.Delay(limit, shell.Time, over.Token));
        await over.CancelAsync();
        return running.IsCompleted;
    }
}
