using System.Text.Json;
using System.Text.Json.Serialization;

namespace Praetor.Agent.RemoteExec;

/// <summary>What the event says: where the job is.</summary>
internal sealed record ExecCall
{
    public string Prefix { get; init; } = "";

    public string Session { get; init; } = "";

    /// <summary>Reads an event's payload; null: it is none that can be followed.</summary>
    public static ExecCall? Read(ReadOnlySpan<byte> payload)
    {
        try
        {
            var call = JsonSerializer.Deserialize(payload, ExecJson.Default.ExecCall);
            return call is { Prefix.Length: > 0 } && Guid.TryParse(call.Session, out _)
                ? call with { Prefix = call.Prefix.Trim('/') }
                : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>A key of the call.</summary>
    public string Key(string name) => $"{Prefix}/{Session}/{name}";
}

/// <summary>The job as whoever asks wrote it down.</summary>
internal sealed record ExecJob
{
    /// <summary>A command line for the shell.</summary>
    public string? Command { get; init; }

    /// <summary>A program and its arguments; comes before the others.</summary>
    public string[]? Args { get; init; }

    /// <summary>A script, to be run from a file.</summary>
    public byte[]? Script { get; init; }

    /// <summary>How long whoever asks waits for a sign of life, in nanoseconds.</summary>
    public long Wait { get; init; }

    /// <summary>Reads a job; null: it is none.</summary>
    public static ExecJob? Read(ReadOnlySpan<byte> text)
    {
        try
        {
            var job = JsonSerializer.Deserialize(text, ExecJson.Default.ExecJob);
            return job is { Command.Length: > 0 } or { Args.Length: > 0 } or { Script.Length: > 0 } ? job : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}

[JsonSourceGenerationOptions(PropertyNameCaseInsensitive = true)]
[JsonSerializable(typeof(ExecCall))]
[JsonSerializable(typeof(ExecJob))]
internal sealed partial class ExecJson : JsonSerializerContext;
