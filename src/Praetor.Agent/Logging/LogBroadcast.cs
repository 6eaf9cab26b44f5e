using System.Threading.Channels;
using Microsoft.Extensions.Logging;

namespace Praetor.Agent.Logging;

/// <summary>Passes log lines on to those who watch (<c>monitor</c>); each has its own level and bound.</summary>
public sealed class LogBroadcast
{
    /// <summary>How many lines may wait for one watcher; when it is slower, the oldest go, and are counted.</summary>
    public const int LinesPerWatcherMax = 512;

    private readonly Lock _gate = new();
    private LogWatcher[] _watchers = [];

    /// <summary>The lowest level that anybody watches; <see cref="LogLevel.None"/>: nobody does.</summary>
    public LogLevel Lowest
    {
        get
        {
            var watchers = Volatile.Read(ref _watchers);
            return watchers.Length == 0 ? LogLevel.None : watchers.Min(static w => w.Level);
        }
    }

    /// <summary>Begins to watch; disposing ends it.</summary>
    public LogWatcher Watch(LogLevel level)
    {
        var watcher = new LogWatcher(level, Leave);
        lock (_gate)
        {
            Volatile.Write(ref _watchers, [.. _watchers, watcher]);
        }

        return watcher;
    }

    internal void Send(LogLine line)
    {
        foreach (var watcher in Volatile.Read(ref _watchers))
        {
            watcher.Take(line);
        }
    }

    private void Leave(LogWatcher watcher)
    {
        lock (_gate)
        {
            Volatile.Write(ref _watchers, [.. _watchers.Where(w => !ReferenceEquals(w, watcher))]);
        }
    }
}

/// <summary>One who watches the log.</summary>
public sealed class LogWatcher : IDisposable
{
    private readonly Action<LogWatcher> _leave;
    private readonly Channel<LogLine> _lines;
    private long _dropped;

    internal LogWatcher(LogLevel level, Action<LogWatcher> leave)
    {
        Level = level;
        _leave = leave;
        _lines = Channel.CreateBounded<LogLine>(
            new BoundedChannelOptions(LogBroadcast.LinesPerWatcherMax)
            {
                FullMode = BoundedChannelFullMode.DropOldest, SingleReader = true,
            },
            _ => Interlocked.Increment(ref _dropped));
    }

    public LogLevel Level { get; }

    /// <summary>The lines, as they come.</summary>
    public ChannelReader<LogLine> Lines => _lines.Reader;

    /// <summary>How many lines were dropped since the last question.</summary>
    public long TakeDropped() => Interlocked.Exchange(ref _dropped, 0);

    public void Dispose()
    {
        _leave(this);
        _lines.Writer.TryComplete();
    }

    internal void Take(LogLine line)
    {
        if (line.Level >= Level)
        {
            _lines.Writer.TryWrite(line);
        }
    }
}
