namespace Praetor.Server.Storage;

/// <summary>Keeps nothing: the state lives and ends with the process (<c>-dev</c>).</summary>
public sealed class MemoryEngine : IStorageEngine
{
    /// <inheritdoc/>
    public string Name => "memory";

    /// <inheritdoc/>
    public ulong Load(Action<StoredRow> visit) => 0;

    /// <inheritdoc/>
    public void Commit(CommitBatch batch)
    {
        // The state store holds the records already.
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        // There is nothing to give back.
    }
}
