namespace Praetor.Client.Locks;

/// <summary>How a lock or a place of a semaphore is taken and kept.</summary>
public sealed record LockOptions
{
    /// <summary>The name of the session that holds it, for people. Default "Praetor lock".</summary>
    public string SessionName { get; init; } = "Praetor lock";

    /// <summary>How long the hold outlives its holder at least; the servers give twice of it. 10 s to 24 h. Default 15
    /// s.</summary>
    /// <remarks>The session is renewed after each half of it. A hold whose session could not be renewed for the whole
    /// of it counts as lost here, long before the servers give it to somebody else.</remarks>
    public TimeSpan SessionTtl { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>For how long nobody gets the lock when its holder was lost, so that what it still does can end. At most
    /// 60 s. Null: the agent's default, 15 s.</summary>
    public TimeSpan? LockDelay { get; init; }

    /// <summary>What is written to the key while it is held, for others to see. Default: nothing.</summary>
    public ReadOnlyMemory<byte> Value { get; init; }

    /// <summary>Give up when it was not had within this time. Null: wait for as long as it takes.</summary>
    public TimeSpan? GiveUpAfter { get; init; }

    /// <summary>How often a failing agent is asked again, before a hold counts as lost. Default 3.</summary>
    public int MonitorRetries { get; init; } = 3;

    /// <summary>The pause before it is asked again. Default 1 s.</summary>
    public TimeSpan MonitorRetryTime { get; init; } = TimeSpan.FromSeconds(1);
}

/// <summary>A key is not the lock or the semaphore that it was taken for.</summary>
public sealed class LockConflictException(string message) : Exception(message);

/// <summary>What came of cleaning up.</summary>
public enum LockCleanUp
{
    /// <summary>Nothing is left in the store.</summary>
    Done = 0,

    /// <summary>Somebody holds it, so it was left.</summary>
    InUse = 1,
}
