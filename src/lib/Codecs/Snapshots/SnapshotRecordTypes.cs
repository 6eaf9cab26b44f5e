namespace Codecs.Snapshots;

/// <summary>The numbers that stand before the records of a state, as Consul gave them out; they never change.</summary>
public static class SnapshotRecordTypes
{
    /// <summary>A node, or a service or a check on it.</summary>
    public const byte Register = 0;

    /// <summary>A key.</summary>
    public const byte Kv = 2;

    /// <summary>A session.</summary>
    public const byte Session = 3;

    /// <summary>A token of before Consul 1.4.</summary>
    public const byte LegacyAcl = 4;

    /// <summary>A key that was deleted.</summary>
    public const byte Tombstone = 5;

    /// <summary>Places in the network.</summary>
    public const byte Coordinates = 6;

    /// <summary>A prepared query.</summary>
    public const byte PreparedQuery = 7;

    /// <summary>How servers look after themselves.</summary>
    public const byte Autopilot = 9;

    /// <summary>Whether ACLs were set up, as before Consul 1.4.</summary>
    public const byte AclBootstrap = 11;

    /// <summary>An intention, as before Consul 1.9.</summary>
    public const byte Intention = 12;

    /// <summary>A root of the certificate authority.</summary>
    public const byte CaRoot = 13;

    /// <summary>The private side of the built-in certificate authority.</summary>
    public const byte CaProvider = 14;

    /// <summary>How the certificate authority is set up.</summary>
    public const byte CaConfig = 15;

    /// <summary>The index of a table's last change.</summary>
    public const byte Index = 16;

    /// <summary>An ACL token.</summary>
    public const byte AclToken = 17;

    /// <summary>An ACL policy.</summary>
    public const byte AclPolicy = 19;

    /// <summary>A configuration entry.</summary>
    public const byte ConfigEntry = 22;

    /// <summary>An ACL role.</summary>
    public const byte AclRole = 23;

    /// <summary>A rule that gives rights to those who log in.</summary>
    public const byte AclBindingRule = 25;

    /// <summary>A way to log in.</summary>
    public const byte AclAuthMethod = 27;

    /// <summary>Log entries that came in parts; only their beginning.</summary>
    public const byte Chunking = 29;

    /// <summary>What a datacenter tells others of its gateways.</summary>
    public const byte FederationState = 30;

    private static readonly string[] Names =
    [
        "Register", "Deregister", "KVS", "Session", "ACL", "Tombstone", "CoordinateBatchUpdate", "PreparedQuery", "Txn",
        "Autopilot", "Area", "ACLBootstrap", "Intention", "ConnectCA", "ConnectCAProviderState", "ConnectCAConfig",
        "Index", "ACLToken", "ACLTokenDelete", "ACLPolicy", "ACLPolicyDelete", "ConnectCALeaf", "ConfigEntry",
        "ACLRole", "ACLRoleDelete", "ACLBindingRule", "ACLBindingRuleDelete", "ACLAuthMethod", "ACLAuthMethodDelete",
        "ChunkingState", "FederationState", "SystemMetadata", "ServiceVirtualIP", "FreeVirtualIP", "KindServiceNames",
        "Peering", "PeeringDelete", "PeeringTerminateByID", "PeeringTrustBundle", "PeeringTrustBundleDelete",
        "PeeringSecret", "RaftLogVerifierCheckpoint", "Resource", "UpdateVirtualIP",
    ];

    /// <summary>What people call a type.</summary>
    public static string NameOf(byte type) => type < Names.Length ? Names[type] : $"Unknown({type})";
}
