using System.Collections.Immutable;

namespace Support.Consistency;

/// <summary>One step of a transaction over accounts.</summary>
/// <param name="Verb"><c>get</c>, <c>set</c>, <c>cas</c> or <c>check-index</c>.</param>
/// <param name="Account">The account's number.</param>
/// <param name="Value">For those that write.</param>
/// <param name="Expected">For those with a condition: the version that is to be there.</param>
/// <param name="Index">That version's modify index, which is what is sent.</param>
public sealed record TransferStep(
    string Verb, int Account, string? Value = null, string? Expected = null, ulong Index = 0);

/// <summary>A transaction, or a read of all accounts by one request.</summary>
/// <param name="Steps">What is done in it.</param>
/// <param name="IsList">Whether all accounts are read by one request that lists them.</param>
/// <param name="Mode">How that is read: empty or <c>consistent</c>.</param>
public sealed record TransferInput(ImmutableArray<TransferStep> Steps, bool IsList = false, string Mode = "")
{
    /// <inheritdoc/>
    public override string ToString() => string.Join("; ", Steps.Select(static s =>
        $"{s.Verb} {s.Account}{(s.Expected is null ? "" : $" if {s.Expected}")}"
        + (s.Value is null ? "" : $" := {s.Value}")));
}

/// <summary>What became of it.</summary>
/// <param name="IsDone">Whether it was done, or rolled back.</param>
/// <param name="Read">What each <c>get</c> read, in order.</param>
/// <param name="Indexes">The modify indexes of that.</param>
public sealed record TransferOutput(bool IsDone, ImmutableArray<string> Read, ImmutableArray<ulong> Indexes)
{
    /// <summary>It was rolled back.</summary>
    public static readonly TransferOutput RolledBack = new(false, [], []);

    /// <inheritdoc/>
    public override string ToString() => IsDone ? $"done {string.Join(',', Read)}" : "rolled back";
}

/// <summary>What stands on all accounts.</summary>
public sealed class Accounts(ImmutableArray<string> versions) : IEquatable<Accounts>
{
    /// <summary>The version of each.</summary>
    public ImmutableArray<string> Versions => versions;

    /// <inheritdoc/>
    public bool Equals(Accounts? other) =>
        other is not null && versions.AsSpan().SequenceEqual(other.Versions.AsSpan());

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as Accounts);

    /// <inheritdoc/>
    public override int GetHashCode() =>
        versions.Aggregate(0, static (hash, v) => HashCode.Combine(hash, StringComparer.Ordinal.GetHashCode(v)));

    /// <inheritdoc/>
    public override string ToString() => string.Join(',', versions);
}

/// <summary>Accounts that are written and read by transactions: all of one or nothing.</summary>
public sealed class TransferModel(IEnumerable<string> initial) : IModel<Accounts, TransferInput, TransferOutput>
{
    /// <inheritdoc/>
    public Accounts Initial { get; } = new([.. initial]);

    /// <inheritdoc/>
    public bool Allows(Accounts state, TransferInput input, TransferOutput? output, out Accounts next)
    {
        var versions = state.Versions;
        var read = new List<string>();
        var holds = true;
        foreach (var step in input.Steps)
        {
            holds &= step.Verb is not ("cas" or "check-index") || versions[step.Account] == step.Expected;
            if (step.Verb == "get")
            {
                read.Add(versions[step.Account]);
            }
            else if (step.Value is { } value)
            {
                versions = versions.SetItem(step.Account, value);
            }
        }

        next = holds ? new Accounts(versions) : state;
        return output is null || (output.IsDone == holds && (!holds || output.Read.SequenceEqual(read)));
    }
}
