namespace Praetor.Server.State;

/// <summary>Anything that the state holds and replicates. Records are immutable; a change puts a new one.</summary>
public abstract record StoredRecord
{
    /// <summary>The index at which a record with this key came to be.</summary>
    public ulong CreateIndex { get; init; }

    /// <summary>The index of the last change to it.</summary>
    public ulong ModifyIndex { get; init; }
}
