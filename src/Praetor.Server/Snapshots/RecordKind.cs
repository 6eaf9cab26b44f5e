using Codecs.MessagePack;
using Codecs.Snapshots;
using Praetor.Server.State;

namespace Praetor.Server.Snapshots;

/// <summary>Takes a record's value into the state that is being put together.</summary>
internal delegate void ReadRecord(StateRestorer restorer, ReadOnlySpan<byte> value);

/// <summary>A kind of records in an archive: its number, how it is read, and what writes it.</summary>
/// <param name="Type">Its number, one of <see cref="SnapshotRecordTypes"/>.</param>
/// <param name="Read">Reads one. Null: it is stepped over, as it means nothing here.</param>
internal sealed record RecordKind(byte Type, ReadRecord? Read)
{
    /// <summary>Writes all there are and gives way after each. Null: another row does.</summary>
    public Func<ReadView, SnapshotBlocks, IEnumerable<bool>>? Write { get; init; }
}

/// <summary>All kinds, in the order in which they are written; what is not here is stepped over and counted.</summary>
internal static class RecordKinds
{
    public static readonly IReadOnlyList<RecordKind> All =
    [
        new(SnapshotRecordTypes.Register, RegisterRecords.Read) { Write = RegisterRecords.Write },
        new(SnapshotRecordTypes.Coordinates, CoordinateRecords.Read) { Write = CoordinateRecords.Write },
        new(SnapshotRecordTypes.Kv, KvRecords.Read) { Write = KvRecords.Write },
        new(SnapshotRecordTypes.Session, SessionRecords.Read) { Write = SessionRecords.Write },
        new(SnapshotRecordTypes.Intention, IntentionRecords.Read) { Write = IntentionRecords.Write },
        new(SnapshotRecordTypes.CaRoot, CaPieces.ReadRoot) { Write = CaPieces.Write },
        new(SnapshotRecordTypes.CaProvider, CaPieces.ReadProvider),
        new(SnapshotRecordTypes.CaConfig, CaPieces.ReadConfig),
        new(SnapshotRecordTypes.ConfigEntry, ConfigEntryRecords.Read) { Write = ConfigEntryRecords.Write },
        new(SnapshotRecordTypes.Autopilot, AutopilotRecords.Read) { Write = AutopilotRecords.Write },
        new(SnapshotRecordTypes.Index, OwnRecords.Read) { Write = OwnRecords.Write },

        // Nothing here knows what these say yet, so they are kept as they came.
        Kept(SnapshotRecordTypes.LegacyAcl, KeptRecords.Write),
        Kept(SnapshotRecordTypes.PreparedQuery),
        Kept(SnapshotRecordTypes.AclBootstrap),
        Kept(SnapshotRecordTypes.AclToken),
        Kept(SnapshotRecordTypes.AclPolicy),
        Kept(SnapshotRecordTypes.AclRole),
        Kept(SnapshotRecordTypes.AclBindingRule),
        Kept(SnapshotRecordTypes.AclAuthMethod),
        Kept(SnapshotRecordTypes.FederationState),

        // What was deleted, and how far other servers' logs are, ends with the state that was replaced.
        new(SnapshotRecordTypes.Tombstone, null),
        new(SnapshotRecordTypes.Chunking, null),
    ];

    public static readonly RecordKind?[] ByType = Indexed();

    private static RecordKind Kept(byte type, Func<ReadView, SnapshotBlocks, IEnumerable<bool>>? write = null) =>
        new(type, (restorer, value) => KeptRecords.Read(restorer, type, value)) { Write = write };

    private static RecordKind?[] Indexed()
    {
        var all = new RecordKind?[byte.MaxValue + 1];
        foreach (var kind in All)
        {
            all[kind.Type] = kind;
        }

        return all;
    }
}
