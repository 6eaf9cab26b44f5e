using Praetor.Server.Kv;
using Praetor.Server.Model;
using Praetor.Server.State;

namespace Praetor.Server.Transactions;

/// <summary>Does all steps, or, when one fails, none.</summary>
public sealed class RunTransaction(IReadOnlyList<KvOperation> operations) : Command<TransactionResult>
{
    /// <summary>The status of a transaction that was rolled back.</summary>
    public const int RolledBackStatus = 409;

    /// <inheritdoc/>
    protected override Outcome<TransactionResult> Apply(WriteTransaction tx) => Run(tx, operations);

    /// <summary>Answers a transaction that only reads from a view.</summary>
    public static TransactionResult Read(ReadView view, IReadOnlyList<KvOperation> operations)
    {
        var results = new List<KvResult>();
        var errors = new List<OperationError>();
        for (var i = 0; i < operations.Count; i++)
        {
            if ((KvSteps.Problem(operations[i]) ?? KvSteps.Read(view, operations[i], results)) is { } error)
            {
                errors.Add(new OperationError(i, error));
            }
        }

        return new TransactionResult(results, errors);
    }

    private static Outcome<TransactionResult> Run(WriteTransaction tx, IReadOnlyList<KvOperation> operations)
    {
        var results = new List<KvResult>();
        var errors = new List<OperationError>();
        for (var i = 0; i < operations.Count; i++)
        {
            var operation = operations[i];
            var error = KvSteps.Problem(operation) ?? (KvSteps.IsRead(operation.Verb)
                ? KvSteps.Read(tx, operation, results)
                : KvSteps.Write(tx, operation, results));
            if (error is not null)
            {
                errors.Add(new OperationError(i, error));
            }
        }

        var result = new TransactionResult(results, errors);
        return errors.Count == 0
            ? result
            : new Outcome<TransactionResult>(result, new Refusal(RolledBackStatus, "rolled back"));
    }
}

/// <summary>The single verbs.</summary>
public static class KvSteps
{
    /// <summary>Whether a verb changes nothing.</summary>
    public static bool IsRead(string verb) =>
        verb is "get" or "get-or-empty" or "get-tree" or "check-index" or "check-not-exists" or "check-session";

    /// <summary>What is wrong with a step whatever the state. Null: nothing.</summary>
    internal static string? Problem(KvOperation operation) =>
        operation.Key.Length == 0 && operation.Verb is not "delete-tree" ? "Must provide key" : null;

    internal static string? Read(ReadView view, KvOperation operation, List<KvResult> results)
    {
        var key = operation.Key;
        if (operation.Verb == "get-tree")
        {
            results.AddRange(KvQueries.List(view, key).Select(static r => new KvResult(r, ShowsValue: true)));
            return null;
        }

        var record = KvQueries.Get(view, key);
        switch (operation.Verb)
        {
            case "get" when record is null:
                return $"key \"{key}\" doesn't exist";
            case "get-or-empty" when record is null:
                results.Add(new KvResult(new KvRecord { Key = key, Value = [] }, ShowsValue: true));
                return null;
            case "get" or "get-or-empty":
                results.Add(new KvResult(record!, ShowsValue: true));
                return null;
            case "check-not-exists":
                return record is null ? null : $"key \"{key}\" exists";
            case "check-index" when record is null:
                return $"key \"{key}\" doesn't exist";
            case "check-index" when record!.ModifyIndex != operation.Index:
                return $"failed index check for key \"{key}\", current modify index {record.ModifyIndex}"
                    + $" != {operation.Index}";
            case "check-index":
                results.Add(new KvResult(record!, ShowsValue: false));
                return null;
            default:
                return $"current session \"\" for key \"{key}\" is not the one that was named";
        }
    }

    internal static string? Write(WriteTransaction tx, KvOperation operation, List<KvResult> results)
    {
        var key = operation.Key;
        var old = tx.Peek(Tables.KvByKey, KeyBytes.Exact(key));
        switch (operation.Verb)
        {
            case "cas" when (old?.ModifyIndex ?? 0) != operation.Index:
                return $"failed to set key \"{key}\", index is stale";
            case "set" or "cas":
                results.Add(new KvResult(KvWrites.Set(tx, key, operation.Value, operation.Flags), ShowsValue: false));
                return null;
            case "delete-tree":
                KvWrites.DeleteTree(tx, key);
                return null;
            case "delete-cas" when old is null || old.ModifyIndex != operation.Index:
                return $"failed to delete key \"{key}\", index is stale";
            case "delete" or "delete-cas":
                if (old is not null)
                {
                    tx.Delete(Tables.Kv, old);
                }

                return null;
            case "lock" or "unlock":
                // There are no sessions yet, so none can hold a key.
                return operation.Session.Length == 0 ? "missing session" : $"invalid session \"{operation.Session}\"";
            default:
                return $"unknown KV verb \"{operation.Verb}\"";
        }
    }
}
