using Codecs.MessagePack;
using Codecs.Snapshots;
using Praetor.Server.Model;
using Praetor.Server.State;

namespace Praetor.Server.Snapshots;

/// <summary>Sessions in an archive.</summary>
internal static class SessionRecords
{
    private const byte Type = SnapshotRecordTypes.Session;

    public static IEnumerable<bool> Write(ReadView view, SnapshotBlocks blocks)
    {
        foreach (var record in view.PeekScan(Tables.SessionsById, []))
        {
            blocks.Add(Type, record, Write);
            yield return true;
        }
    }

    public static void Read(StateRestorer restorer, ReadOnlySpan<byte> value)
    {
        var map = MessagePackMap.Open(value, restorer.Pool);
        var record = new SessionRecord
        {
            Behavior = map.Text("Behavior"u8),
            Checks = map.Texts("Checks"u8),
            CreateIndex = map.Number("CreateIndex"u8),
            Id = map.Text("ID"u8),
            LockDelay = map.Whole("LockDelay"u8),
            ModifyIndex = map.Number("ModifyIndex"u8),
            Name = map.Text("Name"u8),
            Node = map.Text("Node"u8),
            NodeChecks = map.Texts("NodeChecks"u8) ?? [],
            ServiceChecks = ServiceChecksOf(ref map),
            Ttl = map.Text("TTL"u8),
        };
        if (restorer.IsSound(map, Type))
        {
            restorer.Add(Tables.Sessions, record);
        }
    }

    private static List<SessionServiceCheck>? ServiceChecksOf(ref MessagePackMap map)
    {
        var items = new PackedItems(map.Raw("ServiceChecks"u8));
        if (items.Count == 0)
        {
            return null;
        }

        var checks = new List<SessionServiceCheck>(items.Count);
        while (items.TryNext(out var check))
        {
            checks.Add(new SessionServiceCheck(check.Text("ID"u8), check.Text("Namespace"u8)));
            map.Take(check);
        }

        return checks;
    }

    private static void Write(ref MessagePackWriter writer, SessionRecord session)
    {
        writer.WriteMapHeader(11);
        writer.Text("Behavior"u8, session.Behavior);
        writer.Texts("Checks"u8, session.Checks);
        writer.Number("CreateIndex"u8, session.CreateIndex);
        writer.Text("ID"u8, session.Id);
        writer.Whole("LockDelay"u8, session.LockDelay);
        writer.Number("ModifyIndex"u8, session.ModifyIndex);
        writer.Text("Name"u8, session.Name);
        writer.Text("Node"u8, session.Node);
        writer.Texts("NodeChecks"u8, session.NodeChecks);
        writer.WriteRaw("ServiceChecks"u8);
        writer.WriteArrayHeader(session.ServiceChecks?.Count ?? 0);
        foreach (var check in session.ServiceChecks ?? [])
        {
            writer.WriteMapHeader(2);
            writer.Text("ID"u8, check.Id);
            writer.Text("Namespace"u8, check.Namespace);
        }

        writer.Text("TTL"u8, session.Ttl);
    }
}
