using Codecs.MessagePack;
using Codecs.Snapshots;
using Languages;
using Praetor.Server.Autopilot;
using Praetor.Server.Model;
using Praetor.Server.State;

namespace Praetor.Server.Snapshots;

/// <summary>How the leader looks after the servers, in an archive: one record at most.</summary>
internal static class AutopilotRecords
{
    private const byte Type = SnapshotRecordTypes.Autopilot;
    private const int MemberCount = 10;

    public static IEnumerable<bool> Write(ReadView view, SnapshotBlocks blocks)
    {
        if (AutopilotQueries.Of(view) is { } stored)
        {
            blocks.Add(Type, stored, Write);
            yield return true;
        }
    }

    public static void Read(StateRestorer restorer, ReadOnlySpan<byte> value)
    {
        var map = MessagePackMap.Open(value);
        var cleanup = map.Flag("CleanupDeadServers"u8);
        var created = map.Number("CreateIndex"u8);
        var noMigration = map.Flag("DisableUpgradeMigration"u8);
        var lastContact = map.Whole("LastContactThreshold"u8);
        var trailing = map.Number("MaxTrailingLogs"u8);
        var quorum = map.Number("MinQuorum"u8);
        var modified = map.Number("ModifyIndex"u8);
        var zone = map.Text("RedundancyZoneTag"u8);
        var stabilization = map.Whole("ServerStabilizationTime"u8);
        var version = map.Text("UpgradeVersionTag"u8);
        if (!restorer.IsSound(map, Type))
        {
            return;
        }

        restorer.Add(Tables.Documents, AutopilotQueries.Record(new AutopilotConfiguration
        {
            CleanupDeadServers = cleanup,
            LastContactThreshold = GoDuration.FromNanoseconds(lastContact),
            MaxTrailingLogs = trailing,
            MinQuorum = quorum,
            ServerStabilizationTime = GoDuration.FromNanoseconds(stabilization),
            RedundancyZoneTag = zone,
            DisableUpgradeMigration = noMigration,
            UpgradeVersionTag = version,
        }) with { CreateIndex = created, ModifyIndex = modified });
    }

    private static void Write(
        ref MessagePackWriter writer,
        (AutopilotConfiguration Configuration, ulong CreateIndex, ulong ModifyIndex) stored)
    {
        var configuration = stored.Configuration;
        writer.WriteMapHeader(MemberCount);
        writer.Flag("CleanupDeadServers"u8, configuration.CleanupDeadServers);
        writer.Number("CreateIndex"u8, stored.CreateIndex);
        writer.Flag("DisableUpgradeMigration"u8, configuration.DisableUpgradeMigration);
        writer.Whole("LastContactThreshold"u8, GoDuration.ToNanoseconds(configuration.LastContactThreshold));
        writer.Number("MaxTrailingLogs"u8, configuration.MaxTrailingLogs);
        writer.Number("MinQuorum"u8, configuration.MinQuorum);
        writer.Number("ModifyIndex"u8, stored.ModifyIndex);
        writer.Text("RedundancyZoneTag"u8, configuration.RedundancyZoneTag);
        writer.Whole("ServerStabilizationTime"u8, GoDuration.ToNanoseconds(configuration.ServerStabilizationTime));
        writer.Text("UpgradeVersionTag"u8, configuration.UpgradeVersionTag);
    }
}
