using Praetor.Server.Model;
using Praetor.Server.State;

namespace Praetor.Server.ConfigEntries;

/// <summary>Puts a configuration entry, when its condition holds; answers whether it did.</summary>
/// <param name="entry">The entry, read and checked.</param>
/// <param name="cas">Put only when the entry's modify index is this one, 0: only when there is none. Null:
/// always.</param>
public sealed class PutConfigEntry(ConfigEntry entry, ulong? cas) : Command<bool>
{
    /// <inheritdoc/>
    protected override Outcome<bool> Apply(WriteTransaction tx)
    {
        var old = ConfigWrites.Peek(tx, entry.Kind, entry.Name);
        if (cas is { } index && index != (old?.ModifyIndex ?? 0))
        {
            return false;
        }

        ConfigWrites.Put(tx, ConfigKinds.Adopt(entry, old is null ? null : ConfigEntry.FromStorage(old.Json)), old);
        return true;
    }
}

/// <summary>Deletes a configuration entry, when its condition holds; answers whether it did.</summary>
/// <param name="kind">The entry's kind.</param>
/// <param name="name">The entry's name.</param>
/// <param name="cas">Delete only when the entry's modify index is this one. Null: always; nothing happens when there
/// is none.</param>
public sealed class DeleteConfigEntry(string kind, string name, ulong? cas) : Command<bool>
{
    /// <inheritdoc/>
    protected override Outcome<bool> Apply(WriteTransaction tx)
    {
        var old = ConfigWrites.Peek(tx, kind, name);
        if (cas is { } index && index != old?.ModifyIndex)
        {
            return false;
        }

        if (old is not null)
        {
            tx.Delete(Tables.ConfigEntries, old);
        }

        return true;
    }
}

/// <summary>What all commands do to configuration entries alike.</summary>
internal static class ConfigWrites
{
    public static ConfigEntryRecord? Peek(WriteTransaction tx, string kind, string name) =>
        tx.Peek(Tables.ConfigByName, KeyBytes.Folded(kind, name));

    public static void Put(WriteTransaction tx, ConfigEntry entry, ConfigEntryRecord? old)
    {
        var json = entry.ToStorage();

        // The same again is no change: nobody is woken for it.
        if (old is null || !old.Json.AsSpan().SequenceEqual(json))
        {
            tx.Put(Tables.ConfigEntries, new ConfigEntryRecord { Kind = entry.Kind, Name = entry.Name, Json = json });
        }
    }
}
