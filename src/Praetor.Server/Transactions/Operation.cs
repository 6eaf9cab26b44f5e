using Praetor.Server.State;

namespace Praetor.Server.Transactions;

/// <summary>One step of a transaction.</summary>
/// <param name="Verb">What to do, in the API's words: set, cas, get …</param>
public abstract record Operation(string Verb)
{
    /// <summary>What whoever read it found wrong with it. Null: nothing.</summary>
    public string? Wrong { get; init; }

    /// <summary>Whether it changes nothing.</summary>
    public abstract bool IsRead { get; }

    /// <summary>What is wrong with it before anything is done. Null: nothing.</summary>
    internal abstract string? Problem(ReadView view);

    /// <summary>Answers it, if it changes nothing.</summary>
    /// <returns>Why not. Null: it is answered.</returns>
    internal abstract string? Read(ReadView view, List<OperationResult> results);

    /// <summary>Does it.</summary>
    /// <returns>Why not. Null: it is done.</returns>
    internal abstract string? Write(WriteTransaction tx, List<OperationResult> results);
}

/// <summary>What a step gave.</summary>
/// <param name="Record">A key, a node, a service or a check.</param>
/// <param name="ShowsValue">Whether a key's value is shown: reads show it, writes do not.</param>
public sealed record OperationResult(StoredRecord Record, bool ShowsValue);

/// <summary>Why a step failed.</summary>
/// <param name="OperationIndex">Its place in the request, from 0.</param>
/// <param name="What">The reason.</param>
public sealed record OperationError(int OperationIndex, string What);

/// <summary>What a transaction gave: results, or the errors for which it was rolled back.</summary>
public sealed record TransactionResult(IReadOnlyList<OperationResult> Results, IReadOnlyList<OperationError> Errors);
