using System.Threading.Channels;
using Microsoft.Extensions.Logging;

namespace Praetor.Agent.Logging;

/// <summary>How the agent logs.</summary>
public sealed record AgentLogOptions
{
    public LogLevel Level { get; init; } = LogLevel.Information;

    /// <summary>One JSON object a line.</summary>
    public bool Json { get; init; }

    /// <summary>A file beside the console. Null: none.</summary>
    public LogFileOptions? File { get; init; }

    /// <summary>The system's log, too. Null: not there.</summary>
    public SyslogOptions? Syslog { get; init; }
}

/// <summary>The agent's log: to the console, to a file, and to all who watch.</summary>
/// <remarks>
/// Who logs never waits for a terminal or a disk: lines go through a bounded queue to one thread. When that cannot
/// keep up, lines are dropped and their number is logged; a log that stops the agent would be worse.
/// </remarks>
public sealed class AgentLog : ILoggerProvider, ILoggerFactory
{
    /// <summary>How many lines may wait for the console and the file.</summary>
    public const int PendingLinesMax = 4096;

    private static readonly TimeSpan StopWait = TimeSpan.FromSeconds(2);

    private readonly TimeProvider _time;
    private readonly TextWriter _console;
    private readonly bool _json;
    private readonly LogFile? _file;
    private readonly Syslog? _syslog;
    private readonly Channel<LogLine> _lines;
    private readonly Thread _writer;
    private long _dropped;
    private volatile int _level;
    private bool _fileFailed;

    /// <param name="options">What is written where.</param>
    /// <param name="console">Usually standard output.</param>
    /// <param name="time">Stamps the lines.</param>
    public AgentLog(AgentLogOptions options, TextWriter console, TimeProvider time)
    {
        (_time, _console, _json, _level) = (time, console, options.Json, (int)options.Level);
        _file = options.File is { } file ? new LogFile(file, time) : null;
        _syslog = options.Syslog is { } system ? new Syslog(system, time) : null;
        _lines = Channel.CreateBounded<LogLine>(
            new BoundedChannelOptions(PendingLinesMax)
            {
                FullMode = BoundedChannelFullMode.DropWrite,
                SingleReader = true,

                // The thread is woken by who logs, not by way of the thread pool: what keeps that busy must be logged.
                AllowSynchronousContinuations = true,
            },
            _ => Interlocked.Increment(ref _dropped));
        _writer = new Thread(Run) { Name = "log writer", IsBackground = true };
        _writer.Start();
    }

    /// <summary>Those who watch; they get every line of their level, whatever <see cref="Level"/> is.</summary>
    public LogBroadcast Broadcast { get; } = new();

    /// <summary>The lowest level that is written; may be changed at any time.</summary>
    public LogLevel Level
    {
        get => (LogLevel)_level;
        set => _level = (int)value;
    }

    /// <summary>A logger; dots in the name are levels of a tree, as in <c>agent.http</c>.</summary>
    public ILogger CreateLogger(string categoryName) => new Logger(this, ModuleOf(categoryName));

    /// <summary>There is one provider.</summary>
    public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException("the agent has one log");

    /// <summary>Writes what is waiting.</summary>
    public void Dispose()
    {
        if (_lines.Writer.TryComplete())
        {
            _writer.Join(StopWait);
        }
    }

    internal bool IsEnabled(LogLevel level) => level != LogLevel.None && (level >= Level || level >= Broadcast.Lowest);

    internal void Write(LogLevel level, string module, string text, Exception? error)
    {
        var line = new LogLine(_time.GetUtcNow(), level, module, text, error is null ? null : Told(error));
        Broadcast.Send(line);
        if (level >= Level)
        {
            _lines.Writer.TryWrite(line);
        }
    }

    // Libraries log under the names of their classes.
    private static string ModuleOf(string category) =>
        category.StartsWith("Microsoft.", StringComparison.Ordinal) ? "agent.http" : category;

    private static string Told(Exception error) => error.InnerException is { } inner
        ? $"{error.Message}: {inner.Message}"
        : error.Message;

    private void Run()
    {
        var reader = _lines.Reader;
        while (reader.WaitToReadAsync().AsTask().GetAwaiter().GetResult())
        {
            while (reader.TryRead(out var line))
            {
                Put(line);
            }

            if (Interlocked.Exchange(ref _dropped, 0) is > 0 and var dropped)
            {
                var text = $"lines were dropped, the log is too slow: lines={dropped}";
                Put(new LogLine(_time.GetUtcNow(), LogLevel.Warning, "agent.log", text));
            }

            Show(static console => console.Flush());
            Guarded(static file => file.Flush());
        }

        _file?.Dispose();
        _syslog?.Dispose();
    }

    private void Put(LogLine line)
    {
        var text = _json ? line.ToJson() : line.ToText();
        Show(console => console.WriteLine(text));
        Guarded(file => file.Write(text));
        if (_syslog?.Write(line, text) is { } lost)
        {
            Complain("the system's log does not take lines, trying again", lost);
        }
    }

    // The console may be a file on a full disk, or closed: what cannot be shown is lost, and the agent goes on.
    private void Show(Action<TextWriter> show)
    {
        try
        {
            show(_console);
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            // There is nobody else to tell.
        }
    }

    // A full disk must not end the agent; the console says so, once.
    private void Guarded(Action<LogFile> write)
    {
        if (_file is null || _fileFailed)
        {
            return;
        }

        try
        {
            write(_file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            _fileFailed = true;
            Complain("the log file is given up", e.Message);
        }
    }

    private void Complain(string what, string why)
    {
        var line = new LogLine(_time.GetUtcNow(), LogLevel.Error, "agent.log", what, why);
        Show(console => console.WriteLine(_json ? line.ToJson() : line.ToText()));
    }

    private sealed class Logger(AgentLog log, string module) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => log.IsEnabled(logLevel);

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception,
            Func<TState, Exception?, string> formatter)
        {
            if (IsEnabled(logLevel))
            {
                log.Write(logLevel, module, formatter(state, exception), exception);
            }
        }
    }
}
