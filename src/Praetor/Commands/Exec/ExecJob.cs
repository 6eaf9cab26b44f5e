using System.Text.Json.Serialization;

namespace Praetor.Commands.Exec;

/// <summary>What agents are to run; as Consul writes it.</summary>
internal sealed record ExecJob
{
    public string Command { get; init; } = "";

    public IReadOnlyList<string>? Args { get; init; }

    public byte[]? Script { get; init; }

    /// <summary>How long we wait for a sign of life, in nanoseconds.</summary>
    public long Wait { get; init; }
}

/// <summary>What the event tells: where the job is.</summary>
internal sealed record ExecCall(string Prefix, string Session);

[JsonSerializable(typeof(ExecJob))]
[JsonSerializable(typeof(ExecCall))]
internal sealed partial class ExecJson : JsonSerializerContext;
