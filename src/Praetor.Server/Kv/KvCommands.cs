using Praetor.Server.Model;
using Praetor.Server.State;

namespace Praetor.Server.Kv;

/// <summary>Puts a key, when its conditions hold; answers whether it did.</summary>
/// <param name="Key">The key.</param>
/// <param name="Value">The value.</param>
/// <param name="Flags">The client's number.</param>
/// <param name="Cas">Put only when the key's modify index is this one, 0: only when there is no such key. Null:
/// always.</param>
public sealed class PutKey(string Key, byte[] Value, ulong Flags, ulong? Cas) : Command<bool>
{
    /// <inheritdoc/>
    protected override Outcome<bool> Apply(WriteTransaction tx)
    {
        var old = tx.Peek(Tables.KvByKey, KeyBytes.Exact(Key));
        if (Cas is { } cas && cas != (old?.ModifyIndex ?? 0))
        {
            return false;
        }

        KvWrites.Set(tx, Key, Value, Flags);
        return true;
    }
}

/// <summary>Deletes a key or all keys that begin alike; answers whether the condition held.</summary>
/// <param name="Key">The key, or the beginning of all.</param>
/// <param name="Recurse">Whether all keys that begin so are meant.</param>
/// <param name="Cas">Delete only when the key's modify index is this one. Null: always.</param>
public sealed class DeleteKey(string Key, bool Recurse, ulong? Cas) : Command<bool>
{
    /// <inheritdoc/>
    protected override Outcome<bool> Apply(WriteTransaction tx)
    {
        var key = KeyBytes.Exact(Key);
        if (Recurse)
        {
            KvWrites.DeleteTree(tx, Key);
            return true;
        }

        if (tx.Peek(Tables.KvByKey, key) is not { } old)
        {
            return true;
        }

        if (Cas is { } cas && cas != old.ModifyIndex)
        {
            return false;
        }

        tx.Delete(Tables.Kv, old);
        return true;
    }
}

/// <summary>What single commands and transactions do to keys alike.</summary>
internal static class KvWrites
{
    public static KvRecord Set(WriteTransaction tx, string key, byte[] value, ulong flags)
    {
        var old = tx.Peek(Tables.KvByKey, KeyBytes.Exact(key));
        var record = new KvRecord
        {
            Key = key,
            Value = value,
            Flags = flags,
            LockIndex = old?.LockIndex ?? 0,
            Session = old?.Session ?? "",
        };

        return Put(tx, old, record);
    }

    /// <summary>Puts a key in place of the old one; the same again is no change, and nobody is woken for it.</summary>
    public static KvRecord Put(WriteTransaction tx, KvRecord? old, KvRecord record) =>
        old is not null && old.Flags == record.Flags && old.Session == record.Session
            && old.LockIndex == record.LockIndex && old.Value.AsSpan().SequenceEqual(record.Value)
            ? old
            : tx.Put(Tables.Kv, record);

    public static void DeleteTree(WriteTransaction tx, string prefix)
    {
        foreach (var record in tx.PeekScan(Tables.KvByKey, KeyBytes.Exact(prefix)).ToList())
        {
            tx.Delete(Tables.Kv, record);
        }
    }
}
