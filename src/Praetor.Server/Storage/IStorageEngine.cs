using Praetor.Server.State;

namespace Praetor.Server.Storage;

/// <summary>A row as it stands in storage.</summary>
/// <param name="TableId">The table's number.</param>
/// <param name="CreateIndex">The record's create index.</param>
/// <param name="ModifyIndex">The record's modify index.</param>
/// <param name="Value">What the table's encoder wrote.</param>
public readonly record struct StoredRow(byte TableId, ulong CreateIndex, ulong ModifyIndex, byte[] Value);

/// <summary>Changes that become durable together.</summary>
/// <param name="LastIndex">The index of the last command in the batch.</param>
/// <param name="Changes">The records put and removed, in order.</param>
public sealed record CommitBatch(ulong LastIndex, IReadOnlyList<RecordChange> Changes)
{
    /// <summary>The state after the batch, when everything that was stored before goes in the same step in which its
    /// records come. Null: the changes are all there is to do.</summary>
    /// <remarks>An engine that cannot write a whole state in one go writes it aside in parts and makes the last part
    /// the one that counts.</remarks>
    public StateSnapshot? Whole { get; init; }
}

/// <summary>How large a command is for an engine.</summary>
/// <param name="Bytes">How much of a batch it takes; 0: the engine does not count.</param>
/// <param name="Refusal">Why it can never be kept. Null: it can.</param>
public readonly record struct CommandSize(long Bytes, string? Refusal);

/// <summary>Where the state survives. One writer calls it; the state store never shows what it has not
/// committed.</summary>
public interface IStorageEngine : IDisposable
{
    /// <summary>The engine's name, as the <c>-store</c> option spells it.</summary>
    string Name { get; }

    /// <summary>Reads all rows, once, before the first commit.</summary>
    /// <param name="visit">Called for each row.</param>
    /// <returns>The index of the last batch that was committed; 0: nothing ever was.</returns>
    /// <exception cref="StorageFailedException">The data cannot be read.</exception>
    ulong Load(Action<StoredRow> visit);

    /// <summary>Makes a batch durable. When it returns, a power loss no longer takes the batch away.</summary>
    /// <exception cref="StorageFullException">There is no room; nothing of the batch was kept; later ones may
    /// work.</exception>
    /// <exception cref="StorageFailedException">Nothing is known of the batch; the process must end.</exception>
    /// <exception cref="StorageNotLeaderException">Another server writes; whether it has the batch, the log tells.
    /// </exception>
    void Commit(CommitBatch batch);

    /// <summary>How many bytes, as <see cref="Measure"/> counts them, go into one batch, unless one command alone has
    /// more.</summary>
    long BatchBytesMax => long.MaxValue;

    /// <summary>Looks at what one command did before it goes into a batch.</summary>
    /// <param name="changes">The records put and removed.</param>
    /// <param name="replacesAll">Whether they are a whole state.</param>
    CommandSize Measure(IEnumerable<RecordChange> changes, bool replacesAll) => default;

    /// <summary>Makes sure that nobody else has committed since: before a command is answered that changed
    /// nothing.</summary>
    /// <exception cref="StorageNotLeaderException">It cannot be told.</exception>
    void Prove()
    {
        // Who is alone is always up to date.
    }
}

/// <summary>The disk has no room for a batch; nothing of it was kept.</summary>
public sealed class StorageFullException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>Durability cannot be promised any more; nothing may be acknowledged after this.</summary>
public sealed class StorageFailedException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>This server may not write now: another one leads, or none does.</summary>
public sealed class StorageNotLeaderException(string message) : Exception(message);
