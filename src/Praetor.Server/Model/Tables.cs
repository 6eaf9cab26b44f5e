using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Praetor.Server.State;

namespace Praetor.Server.Model;

/// <summary>All tables and the ways to find their records. Table ids and slots are append-only.</summary>
public static class Tables
{
    /// <summary>How many trees a snapshot has.</summary>
    public const int Slots = 20;

    /// <summary>Nodes by name.</summary>
    public static readonly TableIndex<NodeRecord> NodesByName = new(0, static n => KeyBytes.Folded(n.Name));

    /// <summary>Nodes by address, for reverse look-ups.</summary>
    public static readonly TableIndex<NodeRecord> NodesByAddress =
        new(1, static n => n.Address.Length == 0 ? null : KeyBytes.Folded(n.Address, n.Name));

    /// <summary>Nodes by UUID.</summary>
    public static readonly TableIndex<NodeRecord> NodesById =
        new(2, static n => n.Id.Length == 0 ? null : KeyBytes.Folded(n.Id));

    /// <summary>Instances by node and id.</summary>
    public static readonly TableIndex<ServiceRecord> ServicesByNode =
        new(3, static s => KeyBytes.Folded(s.Node, s.Id));

    /// <summary>Instances by service, node and id.</summary>
    public static readonly TableIndex<ServiceRecord> ServicesByName =
        new(4, static s => KeyBytes.Folded(s.Name, s.Node, s.Id));

    /// <summary>Instances that take mesh connections, by the service that these reach.</summary>
    public static readonly TableIndex<ServiceRecord> ServicesByConnect =
        new(5, static s => s.ConnectDestination is { } to ? KeyBytes.Folded(to, s.Node, s.Id) : null);

    /// <summary>Instances by their own address, for reverse look-ups.</summary>
    public static readonly TableIndex<ServiceRecord> ServicesByAddress =
        new(6, static s => s.Address.Length == 0 ? null : KeyBytes.Folded(s.Address, s.Node, s.Id));

    /// <summary>Checks by node and id.</summary>
    public static readonly TableIndex<CheckRecord> ChecksByNode = new(7, static c => KeyBytes.Folded(c.Node, c.Id));

    /// <summary>Checks by service, node and id; those of nodes stand under the empty name.</summary>
    public static readonly TableIndex<CheckRecord> ChecksByService =
        new(8, static c => KeyBytes.Folded(c.ServiceName, c.Node, c.Id));

    /// <summary>Checks by status, node and id.</summary>
    public static readonly TableIndex<CheckRecord> ChecksByStatus =
        new(9, static c => KeyBytes.Folded(c.Status, c.Node, c.Id));

    /// <summary>Keys.</summary>
    public static readonly TableIndex<KvRecord> KvByKey = new(10, static k => KeyBytes.Exact(k.Key));

    /// <summary>Configuration entries by kind and name.</summary>
    public static readonly TableIndex<ConfigEntryRecord> ConfigByName =
        new(11, static c => KeyBytes.Folded(c.Kind, c.Name));

    /// <summary>Documents by name.</summary>
    public static readonly TableIndex<DocumentRecord> DocumentsByName = new(12, static d => KeyBytes.Folded(d.Name));

    /// <summary>When a service last changed; keys by <see cref="ServiceTouches"/>.</summary>
    internal static readonly TableIndex<ServiceTouch> TouchByName = new(13, static _ => null);

    /// <summary>Coordinates by node and segment.</summary>
    public static readonly TableIndex<CoordinateRecord> CoordinatesByNode =
        new(14, static c => KeyBytes.Folded(c.Node, c.Segment));

    /// <summary>Sessions by id.</summary>
    public static readonly TableIndex<SessionRecord> SessionsById = new(15, static s => KeyBytes.Exact(s.Id));

    /// <summary>Sessions by node and id.</summary>
    public static readonly TableIndex<SessionRecord> SessionsByNode =
        new(16, static s => SessionIndexes.ByNode(s.Node, s.Id));

    /// <summary>Sessions by node, check and id.</summary>
    internal static readonly TableIndex<SessionRecord> SessionsByCheck = new(17, static _ => null);

    /// <summary>Keys by the session that holds them.</summary>
    internal static readonly TableIndex<KvRecord> KvByHolder = new(18, SessionIndexes.ByHolder);

    /// <summary>Lock delays by key.</summary>
    public static readonly TableIndex<LockDelayRecord> LockDelaysByKey = new(19, static d => KeyBytes.Exact(d.Key));

    /// <summary>Nodes.</summary>
    public static readonly Table<NodeRecord> Nodes = new()
    {
        Id = 1,
        Name = "nodes",
        Primary = NodesByName,
        Secondary = [NodesByAddress, NodesById],
        Encoder = static n => ToJson(n, StorageJson.Default.NodeRecord),
        Decoder = static bytes => FromJson(bytes, StorageJson.Default.NodeRecord),
        OnChange = ServiceTouches.NodeChanged,
    };

    /// <summary>Instances of services.</summary>
    public static readonly Table<ServiceRecord> Services = new()
    {
        Id = 2,
        Name = "services",
        Primary = ServicesByNode,
        Secondary = [ServicesByName, ServicesByConnect, ServicesByAddress],
        Encoder = static s => ToJson(s, StorageJson.Default.ServiceRecord),
        Decoder = static bytes => FromJson(bytes, StorageJson.Default.ServiceRecord),
        OnChange = ServiceTouches.ServiceChanged,
        OnFilled = ServiceTouches.TouchAll,
    };

    /// <summary>Checks.</summary>
    public static readonly Table<CheckRecord> Checks = new()
    {
        Id = 3,
        Name = "checks",
        Primary = ChecksByNode,
        Secondary = [ChecksByService, ChecksByStatus],
        Encoder = static c => ToJson(c, StorageJson.Default.CheckRecord),
        Decoder = static bytes => FromJson(bytes, StorageJson.Default.CheckRecord),
        OnChange = ServiceTouches.CheckChanged,
    };

    /// <summary>Keys and values.</summary>
    public static readonly Table<KvRecord> Kv = new()
    {
        Id = 4,
        Name = "kv",
        Primary = KvByKey,
        Secondary = [KvByHolder],
        Encoder = KvRecord.Encode,
        Decoder = KvRecord.Decode,
    };

    /// <summary>Configuration entries.</summary>
    public static readonly Table<ConfigEntryRecord> ConfigEntries = new()
    {
        Id = 5,
        Name = "config-entries",
        Primary = ConfigByName,
        Encoder = static c => ToJson(c, StorageJson.Default.ConfigEntryRecord),
        Decoder = static bytes => FromJson(bytes, StorageJson.Default.ConfigEntryRecord),
    };

    /// <summary>Documents of the server's own.</summary>
    public static readonly Table<DocumentRecord> Documents = new()
    {
        Id = 6,
        Name = "documents",
        Primary = DocumentsByName,
        Encoder = static d => ToJson(d, StorageJson.Default.DocumentRecord),
        Decoder = static bytes => FromJson(bytes, StorageJson.Default.DocumentRecord),
    };

    /// <summary>Where nodes are in the network.</summary>
    public static readonly Table<CoordinateRecord> Coordinates = new()
    {
        Id = 7,
        Name = "coordinates",
        Primary = CoordinatesByNode,
        Encoder = static c => ToJson(c, StorageJson.Default.CoordinateRecord),
        Decoder = static bytes => FromJson(bytes, StorageJson.Default.CoordinateRecord),
    };

    /// <summary>Sessions.</summary>
    public static readonly Table<SessionRecord> Sessions = new()
    {
        Id = 8,
        Name = "sessions",
        Primary = SessionsById,
        Secondary = [SessionsByNode],
        Encoder = static s => ToJson(s, StorageJson.Default.SessionRecord),
        Decoder = static bytes => FromJson(bytes, StorageJson.Default.SessionRecord),
        OnChange = SessionIndexes.SessionChanged,
        OnFilled = SessionIndexes.SessionsFilled,
    };

    /// <summary>Keys that nobody gets for a while.</summary>
    public static readonly Table<LockDelayRecord> LockDelays = new()
    {
        Id = 9,
        Name = "lock-delays",
        Primary = LockDelaysByKey,
        Encoder = static d => ToJson(d, StorageJson.Default.LockDelayRecord),
        Decoder = static bytes => FromJson(bytes, StorageJson.Default.LockDelayRecord),
    };

    /// <summary>Every stored table.</summary>
    public static readonly IReadOnlyList<Table> All =
        [Nodes, Services, Checks, Kv, ConfigEntries, Documents, Coordinates, Sessions, LockDelays];

    private static readonly Table?[] Numbered = MakeNumbered();

    /// <summary>The table that is kept under a number. Null: this version knows none.</summary>
    public static Table? ById(byte id) => Numbered[id];

    private static Table?[] MakeNumbered()
    {
        var tables = new Table?[byte.MaxValue + 1];
        foreach (var table in All)
        {
            tables[table.Id] = table;
        }

        return tables;
    }

    private static byte[] ToJson<T>(T record, JsonTypeInfo<T> type) =>
        JsonSerializer.SerializeToUtf8Bytes(record, type);

    private static T FromJson<T>(ReadOnlySpan<byte> bytes, JsonTypeInfo<T> type)
        where T : class => JsonSerializer.Deserialize(bytes, type) ?? throw new JsonException("the record is null");
}
