namespace Support.Consistency;

/// <summary>What is done with one key.</summary>
public enum KvVerb
{
    /// <summary>Reads it.</summary>
    Get,

    /// <summary>Writes it.</summary>
    Put,

    /// <summary>Writes it if it is still as it was read, or still not there.</summary>
    Cas,

    /// <summary>Takes it away.</summary>
    Delete,

    /// <summary>Takes it away if it is still as it was read.</summary>
    DeleteCas,
}

/// <summary>A call on a key. Each value is written once in a history, so that it names a version.</summary>
/// <param name="Verb">What to do.</param>
/// <param name="Key">The key.</param>
/// <param name="Value">For those that write.</param>
/// <param name="Expected">For those with a condition: the version they were read with. Null: there was none.</param>
/// <param name="Index">The version's modify index, which is what is sent; 0: there was none.</param>
/// <param name="Mode">How it is read: empty or <c>consistent</c>.</param>
public sealed record KvInput(
    KvVerb Verb, string Key, string? Value = null, string? Expected = null, ulong Index = 0, string Mode = "");

/// <summary>What it answered.</summary>
/// <param name="IsDone">Whether a condition held; true for those without.</param>
/// <param name="Value">What was read. Null: nothing is there.</param>
/// <param name="Index">The modify index of what was read.</param>
public sealed record KvOutput(bool IsDone, string? Value = null, ulong Index = 0);

/// <summary>A version of a key, or none.</summary>
public readonly record struct KvState(string? Version);

/// <summary>One key.</summary>
public sealed class KvModel : IModel<KvState, KvInput, KvOutput>
{
    /// <inheritdoc/>
    public KvState Initial => default;

    /// <summary>Checks a history, each key alone.</summary>
    /// <returns>What is wrong. Null: nothing.</returns>
    public static string? ProblemOf(IReadOnlyList<Call<KvInput, KvOutput>> calls)
    {
        foreach (var key in calls.GroupBy(static c => c.Input.Key, StringComparer.Ordinal))
        {
            var verdict = Linearizability.Check(new KvModel(), key);
            if (verdict.IsLinearizable != true)
            {
                return $"key {key.Key}: {verdict.Problem}";
            }
        }

        return IndexProblemOf(calls);
    }

    /// <inheritdoc/>
    public bool Allows(KvState state, KvInput input, KvOutput? output, out KvState next)
    {
        var (holds, after) = input.Verb switch
        {
            KvVerb.Put => (true, new KvState(input.Value)),
            KvVerb.Cas => state.Version == input.Expected ? (true, new KvState(input.Value)) : (false, state),
            KvVerb.Delete => (true, default(KvState)),

            // Where nothing is, nothing has to be taken away, and that is well.
            KvVerb.DeleteCas when state.Version is null => (true, state),
            KvVerb.DeleteCas => state.Version == input.Expected ? (true, default(KvState)) : (false, state),
            _ => (true, state),
        };
        next = after;
        return output is null
            || (output.IsDone == holds && (input.Verb != KvVerb.Get || output.Value == state.Version));
    }

    // A version keeps its index, and no two versions have the same one.
    private static string? IndexProblemOf(IReadOnlyList<Call<KvInput, KvOutput>> calls)
    {
        var read = calls.Where(static c => c is { Input.Verb: KvVerb.Get, Output.Value: not null })
            .Select(static c => (Value: c.Output!.Value!, c.Output.Index)).Distinct().ToList();
        return read.Count == read.Select(static r => r.Value).Distinct(StringComparer.Ordinal).Count()
            && read.Count == read.Select(static r => r.Index).Distinct().Count()
            ? null : "a version was read with two indexes, or an index with two versions";
    }
}
