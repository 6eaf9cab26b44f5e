using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Microsoft.Extensions.Logging;

namespace Praetor.Agent.Logging;

/// <summary>One thing that was logged.</summary>
/// <param name="Time">When, in UTC.</param>
/// <param name="Level">How grave.</param>
/// <param name="Module">Who says it, such as <c>agent.http</c>.</param>
/// <param name="Text">The message.</param>
/// <param name="Error">What went wrong, if the message is about that.</param>
public sealed record LogLine(DateTimeOffset Time, LogLevel Level, string Module, string Text, string? Error = null)
{
    private static readonly JsonWriterOptions Relaxed = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>As people and scripts know it: <c>2026-11-21T12:00:00.000Z [INFO]  agent: text: key=value</c></summary>
    public string ToText()
    {
        var text = new StringBuilder(64 + Text.Length)
            .Append(Time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture))
            .Append(' ')
            .Append(LogLevels.Mark(Level))
            .Append(' ')
            .Append(Module)
            .Append(": ");
        AppendOneLine(text, Text);
        if (Error is not null)
        {
            AppendOneLine(text.Append(Text.Contains(": ") ? " error=\"" : ": error=\""), Error).Append('"');
        }

        return text.ToString();
    }

    /// <summary>One JSON object, with the names that Consul's has.</summary>
    public string ToJson()
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        using (var json = new Utf8JsonWriter(buffer, Relaxed))
        {
            json.WriteStartObject();
            json.WriteString("@level", LogLevels.Name(Level));
            json.WriteString("@message", Text);
            json.WriteString("@module", Module);
            json.WriteString(
                "@timestamp",
                Time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", CultureInfo.InvariantCulture));
            if (Error is not null)
            {
                json.WriteString("error", Error);
            }

            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    // A line is a line: what came from outside must not be able to begin another one.
    private static StringBuilder AppendOneLine(StringBuilder text, string value)
    {
        foreach (var c in value)
        {
            _ = c switch
            {
                '\n' => text.Append("\\n"),
                '\r' => text.Append("\\r"),
                _ when char.IsControl(c) && c != '\t' => text.Append('?'),
                _ => text.Append(c),
            };
        }

        return text;
    }
}

/// <summary>The levels by their names.</summary>
public static class LogLevels
{
    /// <summary>Reads trace, debug, info, warn or err (error), in any case; false for everything else.</summary>
    public static bool TryParse(string text, out LogLevel level)
    {
        level = text.ToLowerInvariant() switch
        {
            "trace" => LogLevel.Trace,
            "debug" => LogLevel.Debug,
            "info" => LogLevel.Information,
            "warn" or "warning" => LogLevel.Warning,
            "err" or "error" => LogLevel.Error,
            _ => LogLevel.None,
        };
        return level != LogLevel.None;
    }

    /// <summary>The name in JSON.</summary>
    public static string Name(LogLevel level) => level switch
    {
        LogLevel.Trace => "trace",
        LogLevel.Debug => "debug",
        LogLevel.Information => "info",
        LogLevel.Warning => "warn",
        _ => "error",
    };

    /// <summary>The mark in a line; all are equally wide.</summary>
    public static string Mark(LogLevel level) => level switch
    {
        LogLevel.Trace => "[TRACE]",
        LogLevel.Debug => "[DEBUG]",
        LogLevel.Information => "[INFO] ",
        LogLevel.Warning => "[WARN] ",
        _ => "[ERROR]",
    };
}
