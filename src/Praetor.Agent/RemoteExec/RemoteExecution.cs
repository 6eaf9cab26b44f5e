using System.Globalization;
using System.Text;
using Microsoft.Extensions.Logging;
using Praetor.Agent.Checks;
using Praetor.Client;
using UserEvent = Praetor.Agent.Events.UserEvent;

namespace Praetor.Agent.RemoteExec;

/// <summary>Where remote execution reads jobs and writes what came of them: the keys of the cluster.</summary>
internal interface IExecStore
{
    /// <summary>A key's value. Null: there is none.</summary>
    Task<byte[]?> ReadAsync(string key, bool stale, CancellationToken stop);

    /// <summary>Writes a key under a session's lock. False: the session has ended.</summary>
    Task<bool> WriteAsync(string key, ReadOnlyMemory<byte> value, string session, CancellationToken stop);
}

/// <summary>Runs commands that <c>exec</c> asks for by an event; off unless <c>disable_remote_exec</c> is
/// false.</summary>
/// <remarks>
/// The event only says where the job is. The job and all answers are keys locked by the asker's session: when that
/// ends, nothing can be written any more, the keys go, and the command is killed. Whoever may fire the event and write
/// those keys runs commands with the agent's rights, hence the switch.
/// </remarks>
internal sealed partial class RemoteExecution : IAsyncDisposable
{
    private readonly IExecStore _store;
    private readonly string _node;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly CheckProcess _processes;
    private readonly CancellationTokenSource _stop = new();
    private readonly Lock _gate = new();
    private readonly List<Task> _runs = [];

    public RemoteExecution(IExecStore store, string node, TimeProvider time, ILogger log)
    {
        (_store, _node, _time, _log) = (store, node, time, log);
        _processes = new CheckProcess(time);
    }

    /// <summary>Begins what an event asks for, unless too much runs already.</summary>
    public void Begin(UserEvent asked)
    {
        lock (_gate)
        {
            _runs.RemoveAll(static r => r.IsCompleted);
            if (_runs.Count >= ExecLimits.RunsAtOnce || _stop.IsCancellationRequested)
            {
                Log.TooMany(_log, asked.Id, ExecLimits.RunsAtOnce);
                return;
            }

            _runs.Add(Task.Run(() => SupervisedAsync(asked)));
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        List<Task> runs;
        lock (_gate)
        {
            runs = [.. _runs];
        }

        await Task.WhenAll(runs);
        _stop.Dispose();
    }

    private async Task SupervisedAsync(UserEvent asked)
    {
        try
        {
            await HandleAsync(asked, _stop.Token);
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            Log.Stopped(_log, asked.Id);
        }
        catch (Exception failure) when (failure is ApiException or HttpRequestException or TimeoutException
            or IOException or System.Text.Json.JsonException)
        {
            Log.Failed(_log, asked.Id, failure.Message);
        }
    }

    private async Task HandleAsync(UserEvent asked, CancellationToken stop)
    {
        Log.Asked(_log, asked.Id);
        if (ExecCall.Read(asked.Payload.Span) is not { } call)
        {
            Log.Failed(_log, asked.Id, "the event does not say where its job is");
            return;
        }

        // Any server may answer, as all agents ask at once; only when it has nothing yet the leader is asked.
        var text = await _store.ReadAsync(call.Key("job"), stale: true, stop)
            ?? await _store.ReadAsync(call.Key("job"), stale: false, stop);
        if (text is null || ExecJob.Read(text) is not { } job)
        {
            Log.Failed(_log, asked.Id, "its job is missing or cannot be read");
            return;
        }

        if (!await WriteAsync(call, "ack", default, stop))
        {
            Log.Failed(_log, asked.Id, "its session has ended");
            return;
        }

        var code = await RunAsync(call, job, stop);
        await WriteAsync(call, "exit", Encoding.ASCII.GetBytes(code.ToString(CultureInfo.InvariantCulture)), stop);
    }

    private async Task<int> RunAsync(ExecCall call, ExecJob job, CancellationToken stop)
    {
        if (job.Args is { Length: > 0 } args)
        {
            return await RunAsync(call, job, args, stop);
        }

        if (job.Script is not { Length: > 0 } script)
        {
            return await RunAsync(call, job, ProcessRun.ByShell(job.Command!), stop);
        }

        var path = Path.Combine(Path.GetTempPath(), $"rexec{Guid.NewGuid():N}");
        try
        {
            await WriteScriptAsync(path, script, stop);
            return await RunAsync(call, job, ProcessRun.ByShell(path), stop);
        }
        finally
        {
            File.Delete(path);
        }
    }

    private static async Task WriteScriptAsync(string path, byte[] script, CancellationToken stop)
    {
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
        }

        await using var file = new FileStream(path, options);
        await file.WriteAsync(script, stop);
    }

    private async Task<int> RunAsync(ExecCall call, ExecJob job, IReadOnlyList<string> args, CancellationToken stop)
    {
        using var kill = CancellationTokenSource.CreateLinkedTokenSource(stop);
        var chunks = new OutputChunks(_time);
        var running = RunProcessAsync(new ProcessRun(args, ExecLimits.TimeMax, chunks.TakeAsync), chunks, kill.Token);
        var isPassedOn = await PassOnAsync(call, job, chunks, stop);
        if (!isPassedOn)
        {
            chunks.End();
            await kill.CancelAsync();
        }

        return await running is { ExitCode: { } code } && isPassedOn ? code : ExecLimits.NotRun;
    }

    private async Task<ProcessEnd?> RunProcessAsync(ProcessRun run, OutputChunks chunks, CancellationToken stop)
    {
        try
        {
            var end = await _processes.RunAsync(run, new OutputCapture(1), stop);
            if (end.StartError is { } problem)
            {
                await chunks.TakeAsync(Encoding.UTF8.GetBytes(problem + "\n"));
            }

            return end;
        }
        catch (OperationCanceledException)
        {
            return null;
        }
        finally
        {
            chunks.End();
        }
    }

    // False: nobody may or wants to know any more.
    private async Task<bool> PassOnAsync(ExecCall call, ExecJob job, OutputChunks chunks, CancellationToken stop)
    {
        var heartbeat = TimeSpan.FromTicks(job.Wait / TimeSpan.NanosecondsPerTick);
        heartbeat = heartbeat < ExecLimits.HeartbeatMin ? ExecLimits.HeartbeatMin : heartbeat;
        heartbeat = heartbeat > ExecLimits.TimeMax ? ExecLimits.TimeMax : heartbeat;
        var number = 0;
        await foreach (var chunk in chunks.ReadAsync(heartbeat).WithCancellation(stop))
        {
            var name = string.Create(CultureInfo.InvariantCulture, $"out/{number++:x5}");
            if (number > ExecLimits.ChunksMax || !await WriteAsync(call, name, chunk, stop))
            {
                return false;
            }
        }

        return true;
    }

    private Task<bool> WriteAsync(ExecCall call, string name, ReadOnlyMemory<byte> value, CancellationToken stop) =>
        _store.WriteAsync(call.Key($"{_node}/{name}"), value, call.Session, stop);

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Information, "remote exec asked for: event_id={Id}")]
        public static partial void Asked(ILogger log, string id);

        [LoggerMessage(2, LogLevel.Error, "remote exec failed: event_id={Id} error={Problem}")]
        public static partial void Failed(ILogger log, string id, string problem);

        [LoggerMessage(3, LogLevel.Warning, "remote exec refused, as many run already: event_id={Id} running={Count}")]
        public static partial void TooMany(ILogger log, string id, int count);

        [LoggerMessage(4, LogLevel.Information, "remote exec ended with the agent: event_id={Id}")]
        public static partial void Stopped(ILogger log, string id);
    }
}
