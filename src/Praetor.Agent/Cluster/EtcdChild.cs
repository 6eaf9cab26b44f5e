using System.Diagnostics;
using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging;
using Praetor.Server.Storage.Etcd;

namespace Praetor.Agent.Cluster;

/// <summary>What a supervised etcd is doing.</summary>
internal enum EtcdChildPhase
{
    /// <summary>It runs, but does not answer yet: it waits for other members, or reads its data.</summary>
    Starting,

    /// <summary>It has answered, so it has seen a leader.</summary>
    Ready,

    /// <summary>It ended, and will be started again.</summary>
    Waiting,

    /// <summary>It is over.</summary>
    Stopped,
}

/// <summary>How a supervised etcd is.</summary>
/// <param name="Phase">What it is doing.</param>
/// <param name="ProcessId">Of the process that runs; 0: none does.</param>
/// <param name="Ends">How often it has ended by itself.</param>
/// <param name="LastEnd">How it ended the last time, with the last bad thing it logged; empty when it never
/// did.</param>
internal sealed record EtcdChildStatus(EtcdChildPhase Phase, int ProcessId, int Ends, string LastEnd);

/// <summary>One member of etcd, run as a child: started, watched, started again with growing pauses, and never left
/// behind.</summary>
/// <remarks>It answers on a Unix socket that only this agent's user can reach, and listens on no port for
/// clients.</remarks>
internal sealed partial class EtcdChild : IAsyncDisposable
{
    private const int Sigterm = 15;

    private static readonly TimeSpan PauseMin = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan PauseMax = TimeSpan.FromSeconds(10);

    // Whoever makes room on a full disk wants to go on.
    private static readonly TimeSpan PauseMaxWithoutSpace = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan HealthyAfter = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan ProbePause = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan ProbeLimit = TimeSpan.FromSeconds(2);

    // How it is costs etcd no disk and no other member, so one that does not say it for so long stands still.
    private static readonly TimeSpan WatchPause = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan LogGrace = TimeSpan.FromSeconds(1);

    private readonly EtcdChildOptions _options;
    private readonly ProcessStartInfo _start;
    private readonly EtcdSocket _socket;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly EtcdLog _lines;
    private readonly HungWatch _hung;
    private readonly ForkingThread _thread = new("etcd starter");
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _supervising;
    private volatile EtcdChildStatus _status = new(EtcdChildPhase.Starting, 0, 0, "");
    private volatile TaskCompletionSource _changed = NewChange();

    private EtcdChild(
        EtcdChildOptions options, ProcessStartInfo start, EtcdSocket socket, TimeProvider time, ILogger log)
    {
        (_options, _start, _socket, _time, _log) = (options, start, socket, time, log);
        _lines = new EtcdLog(time, log);
        _hung = new HungWatch(time);
        ClientOptions = options.ClientOptions(socket.File);
        _supervising = Task.Run(SuperviseAsync);
    }

    /// <summary>Told of every change of <see cref="Status"/>, from the supervisor's task: do not block in it.</summary>
    public event Action<EtcdChildStatus>? Changed;

    /// <summary>How it is.</summary>
    public EtcdChildStatus Status => _status;

    /// <summary>The last bad thing that it logged since it was started; empty: nothing.</summary>
    public string LastProblem => _lines.LastProblem;

    /// <summary>How to call it.</summary>
    public EtcdClientOptions ClientOptions { get; }

    /// <summary>Checks the program and the folder, and starts it. It need not be ready yet.</summary>
    /// <exception cref="EtcdStartException">It cannot be run; the message says what to do.</exception>
    public static async Task<EtcdChild> StartAsync(
        EtcdChildOptions options, TimeProvider time, ILogger log, CancellationToken stop)
    {
        if (options.Problems().ToList() is { Count: > 0 } problems)
        {
            throw new EtcdStartException(string.Join("; ", problems));
        }

        var program = await EtcdProgram.FindAsync(options.Program, time, stop);
        if (program.Warning is { } warning)
        {
            Log.Old(log, warning);
        }

        var folder = EtcdFolder.Claim(options.Folder, options.NodeId, options.ClusterToken);
        var socket = new EtcdSocket(folder.Path);
        try
        {
            var start = EtcdCommand.StartInfo(program, options, folder, socket);
            return new EtcdChild(options, start, socket, time, log);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>Waits until it answers.</summary>
    /// <param name="limit">The longest time to wait.</param>
    /// <param name="stop">Ends the wait.</param>
    /// <exception cref="TimeoutException">It did not in time; the message says what it does instead.</exception>
    public async Task WaitReadyAsync(TimeSpan limit, CancellationToken stop)
    {
        using var late = new CancellationTokenSource(limit, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(late.Token, stop);
        while (true)
        {
            var changed = _changed;
            var status = _status;
            if (status.Phase == EtcdChildPhase.Ready)
            {
                return;
            }

            try
            {
                ObjectDisposedException.ThrowIf(status.Phase == EtcdChildPhase.Stopped, this);
                await changed.Task.WaitAsync(either.Token);
            }
            catch (OperationCanceledException ended) when (!stop.IsCancellationRequested)
            {
                throw new TimeoutException($"etcd is not ready after {limit.TotalSeconds:0.#} s: {Why(status)}", ended);
            }
        }
    }

    /// <summary>It is known to stand still and not taken for hung until what is given back is disposed, or the limit
    /// is over. One at a time.</summary>
    public IDisposable ExpectSilence(TimeSpan limit) => _hung.Expect(limit);

    /// <summary>Ends it: asks it to, so that a leader passes its office on, and kills it when it does not.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_stop.IsCancellationRequested)
        {
            return;
        }

        await _stop.CancelAsync();
        await _supervising;
        _thread.Dispose();
        _socket.Dispose();
        _stop.Dispose();
    }

    private static TaskCompletionSource NewChange() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private static TimeSpan PauseAfter(int failures, string end)
    {
        var most = end.Contains(EtcdTrouble.NoSpace, StringComparison.Ordinal) ? PauseMaxWithoutSpace : PauseMax;
        return TimeSpan.FromTicks(Math.Min(most.Ticks, PauseMin.Ticks << Math.Min(failures, 16)));
    }

    private string Why(EtcdChildStatus status) => status.LastEnd.Length > 0
        ? $"it ended {status.Ends} times, the last time with {status.LastEnd}"
        : "it runs and does not answer; does it reach enough of the other members?"
            + (_lines.LastProblem.Length > 0 ? $" It says: {_lines.LastProblem}" : "");

    private async Task SuperviseAsync()
    {
        var failures = 0;
        while (!_stop.IsCancellationRequested)
        {
            var start = _time.GetTimestamp();
            string end;
            try
            {
                end = await RunOnceAsync();
            }
            catch (Exception failure)
            {
                // supervisor: the program may just be replaced by a newer one; it is tried again.
                end = failure.Message;
            }

            if (_stop.IsCancellationRequested)
            {
                break;
            }

            failures = _time.GetElapsedTime(start) >= HealthyAfter ? 0 : failures;
            var pause = PauseAfter(failures++, end);
            Log.Ended(_log, end, pause.TotalSeconds);
            Become(new EtcdChildStatus(EtcdChildPhase.Waiting, 0, _status.Ends + 1, end));
            await Task.Delay(pause, _time, _stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        Become(_status with { Phase = EtcdChildPhase.Stopped, ProcessId = 0 });
    }

    /// <summary>From start to end; tells how it ended.</summary>
    private async Task<string> RunOnceAsync()
    {
        _lines.Restart();

        // One that was killed leaves it behind, and etcd 3.4 does not take it away.
        File.Delete(_socket.File);

        // Before it can do anything, so that who reads "waiting" knows that nobody does.
        Become(_status with { Phase = EtcdChildPhase.Starting, ProcessId = 0 });
        using var process = await _thread.RunAsync(() => Process.Start(_start)!);
        using var over = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
        process.StandardInput.Close();
        var pumps = Task.WhenAll(
            _lines.PumpAsync(process.StandardOutput.BaseStream, CancellationToken.None),
            _lines.PumpAsync(process.StandardError.BaseStream, CancellationToken.None));
        var probing = Task.CompletedTask;
        try
        {
            Become(_status with { Phase = EtcdChildPhase.Starting, ProcessId = process.Id });
            probing = WatchAsync(process, over.Token);
            await process.WaitForExitAsync(_stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        finally
        {
            await EndAsync(process);
            await over.CancelAsync();
        }

        await probing;
        await pumps.WaitAsync(LogGrace, _time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        var problem = _lines.LastProblem;
        return problem.Length > 0 ? $"code {process.ExitCode}: {problem}" : $"code {process.ExitCode}";
    }

    // Until it serves, and from then on whether it still does.
    private async Task WatchAsync(Process process, CancellationToken stop)
    {
        using var client = new EtcdClient(ClientOptions with { CallLimit = ProbeLimit }, _time);
        await ProbeAsync(client, process.Id, stop);
        _hung.Heard();
        while (!stop.IsCancellationRequested)
        {
            try
            {
                await Task.Delay(WatchPause, _time, stop);
                await client.StatusAsync(stop);
                _hung.Heard();
            }
            catch (OperationCanceledException)
            {
                return;
            }
            catch (EtcdUnknownException silence)
            {
                switch (_hung.Missed())
                {
                    case HungVerdict.Say:
                        Log.Silent(_log, silence.Message, HungWatch.HungAfter.TotalSeconds);
                        break;
                    case HungVerdict.Kill:
                        process.Kill();
                        return;
                }
            }
        }
    }

    // It serves once it has seen a leader; until then calls wait or fail.
    private async Task ProbeAsync(EtcdClient client, int processId, CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            try
            {
                var status = await client.StatusAsync(stop);
                Log.Ready(_log, status.Version, status.MemberId, processId);
                Become(_status with { Phase = EtcdChildPhase.Ready });
                return;
            }
            catch (Exception notYet) when (notYet is EtcdUnknownException or OperationCanceledException)
            {
                await Task.Delay(ProbePause, _time, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private async Task EndAsync(Process process)
    {
        if (process.HasExited)
        {
            return;
        }

        Kill(process.Id, Sigterm);
        using var late = new CancellationTokenSource(_options.StopLimit, _time);
        try
        {
            await process.WaitForExitAsync(late.Token);
        }
        catch (OperationCanceledException)
        {
            Log.Killed(_log, _options.StopLimit.TotalSeconds);
            process.Kill();
            await process.WaitForExitAsync(CancellationToken.None);
        }
    }

    // Only the supervisor's task, and the probe that it waits for, change the status.
    private void Become(EtcdChildStatus status)
    {
        _status = status;
        var before = _changed;
        _changed = NewChange();
        before.TrySetResult();
        Changed?.Invoke(status);
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int process, int signal);

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Warning, "{Warning}")]
        public static partial void Old(ILogger log, string warning);

        [LoggerMessage(2, LogLevel.Information, "etcd is ready: version={Version} member={Member:x} pid={ProcessId}")]
        public static partial void Ready(ILogger log, string version, ulong member, int processId);

        [LoggerMessage(3, LogLevel.Warning, "etcd ended with {End}; it is started again in {Seconds} s")]
        public static partial void Ended(ILogger log, string end, double seconds);

        [LoggerMessage(5, LogLevel.Warning,
            "etcd does not answer: {Why}; when it stands still for {Seconds} s it is killed and started again")]
        public static partial void Silent(ILogger log, string why, double seconds);

        [LoggerMessage(4, LogLevel.Warning, "etcd did not end within {Seconds} s and was killed")]
        public static partial void Killed(ILogger log, double seconds);
    }
}
