namespace Praetor.Agent.Membership;

/// <summary>Looks after the keys that gossip is encrypted with, on all members at once.</summary>
internal interface IKeyringOperations
{
    Task<IReadOnlyList<KeyringReply>> ListAsync(KeyringScope scope, CancellationToken stop);

    /// <summary>Gives every member another key; it is not used for sending yet.</summary>
    Task<IReadOnlyList<KeyringReply>> InstallAsync(string key, KeyringScope scope, CancellationToken stop);

    /// <summary>Makes every member send with a key that it has.</summary>
    Task<IReadOnlyList<KeyringReply>> UseAsync(string key, KeyringScope scope, CancellationToken stop);

    Task<IReadOnlyList<KeyringReply>> RemoveAsync(string key, KeyringScope scope, CancellationToken stop);
}

/// <summary>How far a keyring operation goes.</summary>
/// <param name="RelayFactor">Through how many other members each answer comes as well, 0 to
/// <see cref="RelayFactorMax"/>.</param>
/// <param name="IsLocalOnly">Only this datacenter is asked; for lists.</param>
internal sealed record KeyringScope(int RelayFactor, bool IsLocalOnly)
{
    public const int RelayFactorMax = 5;
}

/// <summary>What the members of one pool answered.</summary>
internal sealed record KeyringReply
{
    public required bool IsWan { get; init; }

    public required string Datacenter { get; init; }

    public string Segment { get; init; } = "";

    /// <summary>What went wrong, by member. Null: nothing.</summary>
    public IReadOnlyDictionary<string, string>? Messages { get; init; }

    /// <summary>How many members have each key (base64). A secret: never log it.</summary>
    public IReadOnlyDictionary<string, int> Keys { get; init; } = new Dictionary<string, int>(StringComparer.Ordinal);

    /// <summary>How many members send with each key.</summary>
    public IReadOnlyDictionary<string, int> PrimaryKeys { get; init; } =
        new Dictionary<string, int>(StringComparer.Ordinal);

    /// <summary>How many members were asked.</summary>
    public int Members { get; init; }

    /// <summary>What went wrong on the whole. Empty: nothing.</summary>
    public string Error { get; init; } = "";
}
