using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Logging;

namespace Praetor.Agent.Cluster;

/// <summary>Passes on what etcd logs, one JSON object a line, to our log.</summary>
/// <remarks>etcd's "info" tells its every step, so it is our "debug". What comes faster than anybody reads is counted
/// and left out.</remarks>
internal sealed partial class EtcdLog(TimeProvider time, ILogger log)
{
    /// <summary>How much of a line is kept.</summary>
    public const int LineBytesMax = 4096;

    /// <summary>How much of a line is logged.</summary>
    public const int TextMax = 512;

    // Warnings that begin alike are the same one.
    private const int SameChars = 40;
    private const int SaidMax = 64;
    private const int LinesAtOnceMax = 200;
    private const double LinesPerSecond = 20;

    // Warnings that a supervised etcd always gives, about what we do not use.
    private static readonly string[] Harmless =
        ["simple token is not cryptographically signed", "Running http and grpc server on single port"];

    private static readonly TimeSpan SaidAgainAfter = TimeSpan.FromMinutes(1);

    private readonly Dictionary<string, long> _said = new(StringComparer.Ordinal);
    private readonly Lock _gate = new();
    private double _allowed = LinesAtOnceMax;
    private long _last = time.GetTimestamp();
    private long _leftOut;
    private volatile string _lastProblem = "";

    /// <summary>The last line that told of something bad; empty when none did.</summary>
    public string LastProblem => _lastProblem;

    /// <summary>Forgets the last problem, for a new start.</summary>
    public void Restart() => _lastProblem = "";

    /// <summary>Reads lines until the stream ends.</summary>
    public async Task PumpAsync(Stream from, CancellationToken stop)
    {
        var line = new byte[LineBytesMax];
        var buffer = new byte[LineBytesMax];
        var length = 0;
        try
        {
            while (await from.ReadAsync(buffer, stop) is > 0 and var read)
            {
                length = Take(buffer.AsSpan(0, read), line, length);
            }
        }
        catch (Exception end) when (end is IOException or OperationCanceledException or ObjectDisposedException)
        {
            // It was killed; what it wrote before has been passed on.
        }
    }

    /// <summary>Passes one line on.</summary>
    public void Write(ReadOnlySpan<byte> line)
    {
        var (level, text) = Read(line);
        if (text.Length == 0)
        {
            return;
        }

        if (level >= LogLevel.Error)
        {
            _lastProblem = text;
        }

        if (level == LogLevel.Warning && WasSaid(text))
        {
            level = LogLevel.Debug;
        }

        if (log.IsEnabled(level) && MayWrite())
        {
            log.Log(level, "{Message}", text);
        }
    }

    // While a member is away etcd tells of it some ten times a second.
    private bool WasSaid(string text)
    {
        var beginning = text.Length > SameChars ? text[..SameChars] : text;
        lock (_gate)
        {
            var now = time.GetTimestamp();
            if (_said.TryGetValue(beginning, out var at) && time.GetElapsedTime(at, now) < SaidAgainAfter)
            {
                return true;
            }

            if (_said.Count >= SaidMax)
            {
                _said.Clear();
            }

            _said[beginning] = now;
            return false;
        }
    }

    /// <summary>The level and text of a line; what is no JSON is a warning, as it is when a program dies.</summary>
    internal static (LogLevel Level, string Text) Read(ReadOnlySpan<byte> line)
    {
        var text = new StringBuilder();
        var level = LogLevel.Warning;
        try
        {
            var json = new Utf8JsonReader(line);
            if (!json.Read() || json.TokenType != JsonTokenType.StartObject)
            {
                return (level, Shortened(Encoding.UTF8.GetString(line)));
            }

            while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
            {
                var name = json.GetString()!;
                json.Read();
                level = name == "level" ? LevelOf(json.GetString()) : level;
                Append(text, name, ref json);
            }
        }
        catch (Exception malformed) when (malformed is JsonException or InvalidOperationException)
        {
            // Cut off, or no JSON: what was understood of it, else all of it.
            return (level, Shortened(text.Length > 0 ? text.ToString() : Encoding.UTF8.GetString(line)));
        }

        var told = Shortened(text.ToString());
        return (Harmless.Any(told.StartsWith) ? LogLevel.Debug : level, told);
    }

    // The message first, then what belongs to it, but neither time nor place: our log has its own.
    private static void Append(StringBuilder text, string name, ref Utf8JsonReader json)
    {
        if (json.TokenType is JsonTokenType.StartArray or JsonTokenType.StartObject)
        {
            json.Skip();
            return;
        }

        var value = json.HasValueSequence ? "" : Encoding.UTF8.GetString(json.ValueSpan);
        if (name == "msg")
        {
            text.Insert(0, json.GetString());
        }
        else if (name is not ("level" or "ts" or "caller" or "stacktrace") && value.Length > 0)
        {
            text.Append(' ').Append(name.Replace(' ', '_')).Append('=').Append(value);
        }
    }

    private static LogLevel LevelOf(string? zap) => zap switch
    {
        "debug" => LogLevel.Trace,
        "info" => LogLevel.Debug,
        "warn" => LogLevel.Warning,
        _ => LogLevel.Error,
    };

    private static string Shortened(string text)
    {
        var line = text.Trim().ReplaceLineEndings(" ");
        return line.Length <= TextMax ? line : line[..TextMax] + "…";
    }

    private int Take(ReadOnlySpan<byte> bytes, byte[] line, int length)
    {
        while (bytes.IndexOf((byte)'\n') is >= 0 and var end)
        {
            length = Keep(bytes[..end], line, length);
            Write(line.AsSpan(0, length));
            length = 0;
            bytes = bytes[(end + 1)..];
        }

        return Keep(bytes, line, length);
    }

    // The rest of a line that is too long is lost.
    private static int Keep(ReadOnlySpan<byte> bytes, byte[] line, int length)
    {
        var kept = Math.Min(bytes.Length, line.Length - length);
        bytes[..kept].CopyTo(line.AsSpan(length));
        return length + kept;
    }

    private bool MayWrite()
    {
        long leftOut;
        lock (_gate)
        {
            var now = time.GetTimestamp();
            var earned = time.GetElapsedTime(_last, now).TotalSeconds * LinesPerSecond;
            (_allowed, _last) = (Math.Min(LinesAtOnceMax, _allowed + earned), now);
            if (_allowed < 1)
            {
                _leftOut++;
                return false;
            }

            _allowed--;
            (leftOut, _leftOut) = (_leftOut, 0);
        }

        if (leftOut > 0)
        {
            Log.LeftOut(log, leftOut);
        }

        return true;
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Warning, "lines of etcd were left out, it logs too much: {Count}")]
        public static partial void LeftOut(ILogger log, long count);
    }
}
