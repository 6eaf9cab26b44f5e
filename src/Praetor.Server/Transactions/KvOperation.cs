using Praetor.Server.Model;

namespace Praetor.Server.Transactions;

/// <summary>One step of a transaction over keys.</summary>
/// <param name="Verb">What to do, in the API's words: set, cas, get …</param>
/// <param name="Key">The key, or the beginning of all.</param>
/// <param name="Value">For verbs that put.</param>
/// <param name="Flags">For verbs that put.</param>
/// <param name="Index">For verbs with a condition.</param>
public sealed record KvOperation(string Verb, string Key, byte[] Value, ulong Flags, ulong Index)
{
    /// <summary>For verbs that lock.</summary>
    public string Session { get; init; } = "";
}

/// <summary>What a step gave: a key and whether its value is shown.</summary>
/// <param name="Record">The key.</param>
/// <param name="ShowsValue">Reads show values, writes do not.</param>
public sealed record KvResult(KvRecord Record, bool ShowsValue);

/// <summary>Why a step failed.</summary>
/// <param name="OperationIndex">Its place in the request, from 0.</param>
/// <param name="What">The reason.</param>
public sealed record OperationError(int OperationIndex, string What);

/// <summary>What a transaction gave: results, or the errors for which it was rolled back.</summary>
public sealed record TransactionResult(IReadOnlyList<KvResult> Results, IReadOnlyList<OperationError> Errors);
