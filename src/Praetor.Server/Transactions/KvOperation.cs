using Praetor.Server.Kv;
using Praetor.Server.Model;
using Praetor.Server.Sessions;
using Praetor.Server.State;

namespace Praetor.Server.Transactions;

/// <summary>A step over keys.</summary>
/// <param name="Verb">What to do.</param>
/// <param name="Key">The key, or the beginning of all.</param>
public sealed record KvOperation(string Verb, string Key) : Operation(Verb)
{
    /// <summary>For verbs that put.</summary>
    public byte[] Value { get; init; } = [];

    /// <summary>For verbs that put.</summary>
    public ulong Flags { get; init; }

    /// <summary>For verbs with a condition.</summary>
    public ulong Index { get; init; }

    /// <summary>For verbs about locks.</summary>
    public string Session { get; init; } = "";

    /// <inheritdoc/>
    public override bool IsRead =>
        Verb is not ("set" or "cas" or "lock" or "unlock" or "delete" or "delete-tree" or "delete-cas");

    internal override string? Problem(ReadView view) => Wrong
        ?? (Key.Length == 0 && Verb != "delete-tree" ? "Must provide key"
            : Verb == "lock" && KvLocks.IsDelayed(view, Key) ? $"failed to lock key \"{Key}\" due to lock delay"
            : null);

    internal override string? Read(ReadView view, List<OperationResult> results)
    {
        if (Verb == "get-tree")
        {
            results.AddRange(KvQueries.List(view, Key).Select(static r => new OperationResult(r, ShowsValue: true)));
            return null;
        }

        var record = KvQueries.Get(view, Key);
        switch (Verb)
        {
            case "get" when record is null:
                return $"key \"{Key}\" doesn't exist";
            case "get" or "get-or-empty":
                record ??= new KvRecord { Key = Key, Value = [] };
                results.Add(new OperationResult(record, ShowsValue: true));
                return null;
            case "check-not-exists":
                return record is null ? null : $"key \"{Key}\" exists";
            case "check-index":
                return CheckIndex(record) ?? Show(record!, results);
            case "check-session":
                return CheckSession(record) ?? Show(record!, results);
            default:
                return $"unknown KV verb \"{Verb}\"";
        }
    }

    internal override string? Write(WriteTransaction tx, List<OperationResult> results)
    {
        var old = tx.Peek(Tables.KvByKey, KeyBytes.Exact(Key));
        switch (Verb)
        {
            case "cas" when (old?.ModifyIndex ?? 0) != Index:
                return $"failed to set key \"{Key}\", index is stale";
            case "set" or "cas":
                return Show(KvWrites.Set(tx, Key, Value, Flags), results);
            case "lock":
                return Answer(
                    KvLocks.Acquire(tx, Key, Value, Flags, Session),
                    $"failed to lock key \"{Key}\", lock is already held", results);
            case "unlock":
                return Answer(
                    KvLocks.Release(tx, Key, Value, Flags, Session),
                    $"failed to unlock key \"{Key}\", lock isn't held, or is held by another session", results);
            case "delete-tree":
                KvWrites.DeleteTree(tx, Key);
                return null;
            case "delete-cas" when old is not null && old.ModifyIndex != Index:
                return $"failed to delete key \"{Key}\", index is stale";
            default:
                if (old is not null)
                {
                    tx.Delete(Tables.Kv, old);
                }

                return null;
        }
    }

    private static string? Show(KvRecord record, List<OperationResult> results)
    {
        results.Add(new OperationResult(record, ShowsValue: false));
        return null;
    }

    private static string? Answer(Outcome<KvRecord?> outcome, string otherwise, List<OperationResult> results) =>
        outcome.Refusal is { } refusal ? refusal.Text
        : outcome.Value is { } record ? Show(record, results)
        : otherwise;

    private string? CheckIndex(KvRecord? record) =>
        record is null ? $"failed to check index, key \"{Key}\" doesn't exist"
        : record.ModifyIndex == Index ? null
        : $"failed index check for key \"{Key}\", current modify index {record.ModifyIndex} != {Index}";

    private string? CheckSession(KvRecord? record)
    {
        var wanted = SessionId.TryRead(Session, out var id, out _) ? id : Session;
        return record is null ? $"failed to check session, key \"{Key}\" doesn't exist"
            : record.Session == wanted ? null
            : $"failed session check for key \"{Key}\", current session \"{record.Session}\" != \"{Session}\"";
    }
}
