using Praetor.Server.State;

namespace Praetor.Server.Model;

/// <summary>Somebody who may hold keys, for as long as its node and its checks are well and it is renewed.</summary>
public sealed record SessionRecord : StoredRecord
{
    /// <summary>The behavior that frees the keys.</summary>
    public const string Release = "release";

    /// <summary>The behavior that deletes the keys.</summary>
    public const string Delete = "delete";

    /// <summary>The UUID, in lower case.</summary>
    public required string Id { get; init; }

    /// <summary>A name for people.</summary>
    public string Name { get; init; } = "";

    /// <summary>The node that it lives and dies with.</summary>
    public required string Node { get; init; }

    /// <summary>For how long nobody gets its keys when it was ended, in nanoseconds.</summary>
    public long LockDelay { get; init; }

    /// <summary>What becomes of its keys when it ends: release or delete.</summary>
    public string Behavior { get; init; } = Release;

    /// <summary>It ends unless it is renewed within this time, in Go's form as it was given. Empty or zero: it does
    /// not.</summary>
    public string Ttl { get; init; } = "";

    /// <summary>Checks of its node that it lives and dies with.</summary>
    public IReadOnlyList<string> NodeChecks { get; init; } = [];

    /// <summary>Checks of services on its node that it lives and dies with. Null: none were given.</summary>
    public IReadOnlyList<SessionServiceCheck>? ServiceChecks { get; init; }

    /// <summary>Checks given in the way of before Consul 1.7. Null: none.</summary>
    public IReadOnlyList<string>? Checks { get; init; }

    /// <summary>All checks that it lives and dies with.</summary>
    internal IEnumerable<string> CheckIds() =>
        (Checks ?? []).Concat(NodeChecks).Concat((ServiceChecks ?? []).Select(static c => c.Id));
}

/// <summary>A check of a service, as a session names it.</summary>
/// <param name="Id">The check's id.</param>
/// <param name="Namespace">Kept as it was given; there are none here.</param>
public sealed record SessionServiceCheck(string Id, string Namespace);

/// <summary>A key that nobody gets for a while, as the session that held it was ended.</summary>
public sealed record LockDelayRecord : StoredRecord
{
    /// <summary>The key, there or not.</summary>
    public required string Key { get; init; }

    /// <summary>For how long, from the session's end, in nanoseconds.</summary>
    public long Delay { get; init; }
}
