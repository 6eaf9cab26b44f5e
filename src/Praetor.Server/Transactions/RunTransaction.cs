using Praetor.Server.State;

namespace Praetor.Server.Transactions;

/// <summary>Does all steps, or, when one fails, none.</summary>
public sealed class RunTransaction(IReadOnlyList<Operation> operations) : Command<TransactionResult>
{
    /// <summary>The status of a transaction that was rolled back.</summary>
    public const int RolledBackStatus = 409;

    /// <inheritdoc/>
    protected override Outcome<TransactionResult> Apply(WriteTransaction tx)
    {
        var result = Run(tx, operations, (operation, results) => operation.IsRead
            ? operation.Read(tx, results)
            : operation.Write(tx, results));
        return result.Errors.Count == 0
            ? result
            : new Outcome<TransactionResult>(result, new Refusal(RolledBackStatus, "rolled back"));
    }

    /// <summary>Answers a transaction that only reads from a view.</summary>
    public static TransactionResult Read(ReadView view, IReadOnlyList<Operation> operations) =>
        Run(view, operations, (operation, results) => operation.Read(view, results));

    // What is wrong beforehand is told alone: nothing else was tried then.
    private static TransactionResult Run(
        ReadView view, IReadOnlyList<Operation> operations, Func<Operation, List<OperationResult>, string?> run)
    {
        var results = new List<OperationResult>();
        var errors = Each(operations, operation => operation.Problem(view));
        if (errors.Count == 0)
        {
            errors = Each(operations, operation => run(operation, results));
        }

        return new TransactionResult(results, errors);
    }

    private static List<OperationError> Each(IReadOnlyList<Operation> operations, Func<Operation, string?> run)
    {
        var errors = new List<OperationError>();
        for (var i = 0; i < operations.Count; i++)
        {
            if (run(operations[i]) is { } error)
            {
                errors.Add(new OperationError(i, error));
            }
        }

        return errors;
    }
}
