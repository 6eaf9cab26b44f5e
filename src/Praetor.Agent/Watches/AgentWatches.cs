using Languages;
using Microsoft.Extensions.Logging;
using Praetor.Agent.Checks;
using Praetor.Client;
using Praetor.Client.Watches;

namespace Praetor.Agent.Watches;

/// <summary>Runs the watches of configuration files: each asks this agent's own API and tells its handler.</summary>
/// <remarks>
/// A watch asks again when its handler has ended, so news never queue: what changed while it ran comes as one. A reload
/// ends the watches that are gone, begins the new ones, and leaves the others alone.
/// </remarks>
internal sealed partial class AgentWatches : IAsyncDisposable
{
    private readonly string _address;
    private readonly TimeProvider _time;
    private readonly Random _random;
    private readonly ILogger _log;
    private readonly WatchHandlers _handlers;
    private readonly Dictionary<string, Running> _running = new(StringComparer.Ordinal);

    /// <param name="address">This agent's own HTTP API.</param>
    /// <param name="time">The clock.</param>
    /// <param name="random">Spreads pauses; the watches' own.</param>
    /// <param name="log">Where failures are told.</param>
    public AgentWatches(string address, TimeProvider time, Random random, ILogger log)
    {
        (_address, _time, _random, _log) = (address, time, random, log);
        _handlers = new WatchHandlers(time, log);
    }

    /// <summary>Reads the watches of a configuration.</summary>
    /// <param name="blocks">The watches as written.</param>
    /// <param name="scripts">Which scripts may run; those of handlers are those of files.</param>
    /// <param name="problem">Why they cannot be run. Null: they can.</param>
    public static IReadOnlyList<WatchDefinition> Read(
        IReadOnlyList<ConfigNode> blocks, ScriptChecks scripts, out string? problem)
    {
        problem = null;
        var read = new List<WatchDefinition>();
        foreach (var block in blocks)
        {
            if (WatchRules.Parse(block, out var wrong) is not { } watch)
            {
                problem ??= $"{block.At}: Failed to parse watch: {wrong}";
            }
            else if (watch.Handler is WatchHandler.Script && scripts == ScriptChecks.Off)
            {
                problem ??= $"{block.At}: {ScriptPermission.DisabledForFiles}";
            }
            else
            {
                read.Add(watch);
            }
        }

        return read;
    }

    /// <summary>Makes these the watches that run. Not for two callers at once.</summary>
    public async Task ApplyAsync(IReadOnlyList<WatchDefinition> wanted)
    {
        // The same written twice runs twice, as in Consul.
        var names = wanted.GroupBy(static w => w.Identity, StringComparer.Ordinal)
            .SelectMany(static same => same.Select(static (watch, i) => (Name: $"{i} {watch.Identity}", Watch: watch)))
            .ToDictionary(static pair => pair.Name, static pair => pair.Watch, StringComparer.Ordinal);
        var gone = _running.Where(r => !names.ContainsKey(r.Key)).ToList();
        foreach (var (name, _) in gone)
        {
            _running.Remove(name);
        }

        await Task.WhenAll(gone.Select(static g => g.Value.EndAsync()));
        foreach (var (name, watch) in names)
        {
            if (!_running.ContainsKey(name))
            {
                var stop = new CancellationTokenSource();
                _running.Add(name, new Running(stop, RunAsync(watch, new Random(_random.Next()), stop.Token)));
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        await ApplyAsync([]);
        _handlers.Dispose();
    }

    // A watch ends only when it is stopped.
    private async Task RunAsync(WatchDefinition definition, Random random, CancellationToken stop)
    {
        await Task.Yield();
        using var client = new PraetorClient(
            new ClientOptions
            {
                Address = _address,
                Datacenter = definition.Datacenter,
                Token = definition.Token.Length > 0 ? definition.Token : null,
            },
            _time);
        var options = new WatchOptions
        {
            Time = _time,
            Random = random,
            OnFailure = (failure, pause) =>
                Log.Failed(_log, definition.Query.Type, failure.Message, GoText.Duration(pause)),
        };
        while (!stop.IsCancellationRequested)
        {
            try
            {
                await FollowAsync(definition, new Watch(client, definition.Query, options), stop);
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
                return;
            }
            catch (Exception failure)
            {
                // supervisor: whatever broke one watch, it begins again, and the others go on.
                Log.Broke(_log, failure, definition.Query.Type);
                await Task.Delay(options.RetryMax, _time, stop)
                    .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private async Task FollowAsync(WatchDefinition definition, Watch watch, CancellationToken stop)
    {
        await foreach (var news in watch.RunAsync(stop))
        {
            var began = _time.GetTimestamp();
            await _handlers.TellAsync(definition, news, stop);
            var rest = WatchLimits.HandlerSpacing - _time.GetElapsedTime(began);
            if (rest > TimeSpan.Zero)
            {
                await Task.Delay(rest, _time, stop);
            }
        }
    }

    private sealed record Running(CancellationTokenSource Stop, Task Work)
    {
        public async Task EndAsync()
        {
            await Stop.CancelAsync();
            await Work;
            Stop.Dispose();
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Error, "Watch errored: type={Type} error={Error} retry={Pause}")]
        public static partial void Failed(ILogger log, string type, string error, string pause);

        [LoggerMessage(2, LogLevel.Error, "a watch broke and begins again: type={Type}")]
        public static partial void Broke(ILogger log, Exception failure, string type);
    }
}
