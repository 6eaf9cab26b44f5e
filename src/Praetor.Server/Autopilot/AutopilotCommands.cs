using System.Text.Json;
using Praetor.Server.Model;
using Praetor.Server.State;

namespace Praetor.Server.Autopilot;

/// <summary>Sets how the leader looks after the servers; false: it was changed meanwhile.</summary>
/// <param name="configuration">What is to be.</param>
/// <param name="expected">The index of the last change that the caller knew. Null: whatever it is.</param>
public sealed class SetAutopilot(AutopilotConfiguration configuration, ulong? expected) : Command<bool>
{
    /// <inheritdoc/>
    protected override Outcome<bool> Apply(WriteTransaction tx)
    {
        var old = tx.Peek(Tables.DocumentsByName, KeyBytes.Folded(AutopilotConfiguration.Name));
        if (expected is { } index && (old?.ModifyIndex ?? 0) != index)
        {
            return false;
        }

        tx.Put(Tables.Documents, AutopilotQueries.Record(configuration));
        return true;
    }
}

/// <summary>Reads of how the leader looks after the servers.</summary>
public static class AutopilotQueries
{
    /// <summary>The configuration with the indexes of its making and last change. Null: it was never set.</summary>
    public static (AutopilotConfiguration Configuration, ulong CreateIndex, ulong ModifyIndex)? Of(ReadView view) =>
        view.Get(Tables.DocumentsByName, KeyBytes.Folded(AutopilotConfiguration.Name)) is { } record
            && JsonSerializer.Deserialize(record.Json, AutopilotJson.Default.AutopilotConfiguration) is { } read
            ? (read, record.CreateIndex, record.ModifyIndex) : null;

    internal static DocumentRecord Record(AutopilotConfiguration configuration) => new()
    {
        Name = AutopilotConfiguration.Name,
        Json = JsonSerializer.SerializeToUtf8Bytes(configuration, AutopilotJson.Default.AutopilotConfiguration),
    };
}
