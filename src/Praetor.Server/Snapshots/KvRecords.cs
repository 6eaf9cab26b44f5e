using Codecs.MessagePack;
using Codecs.Snapshots;
using Praetor.Server.Kv;
using Praetor.Server.Model;
using Praetor.Server.State;

namespace Praetor.Server.Snapshots;

/// <summary>Keys in an archive.</summary>
internal static class KvRecords
{
    public static IEnumerable<bool> Write(ReadView view, SnapshotBlocks blocks)
    {
        foreach (var record in KvQueries.List(view, ""))
        {
            blocks.Add(SnapshotRecordTypes.Kv, record, Write);
            yield return true;
        }
    }

    public static void Read(StateRestorer restorer, ReadOnlySpan<byte> value)
    {
        var map = MessagePackMap.Open(value, restorer.Pool);
        var created = map.Number("CreateIndex"u8);
        var flags = map.Number("Flags"u8);
        var key = map.Text("Key"u8);
        var lockIndex = map.Number("LockIndex"u8);
        var modified = map.Number("ModifyIndex"u8);
        var session = map.Text("Session"u8);
        var bytes = map.Bytes("Value"u8);
        if (!restorer.IsSound(map, SnapshotRecordTypes.Kv))
        {
            return;
        }

        if (KvRecord.IsTooLong(key) || session.Length > byte.MaxValue)
        {
            throw new SnapshotException($"a key is longer than {KvRecord.KeyBytesMax} bytes");
        }

        restorer.Add(Tables.Kv, new KvRecord
        {
            Key = key,
            Value = bytes.ToArray(),
            Flags = flags,
            LockIndex = lockIndex,
            Session = session,
            CreateIndex = created,
            ModifyIndex = modified,
        });
    }

    private static void Write(ref MessagePackWriter writer, KvRecord record)
    {
        writer.WriteMapHeader(7);
        writer.Number("CreateIndex"u8, record.CreateIndex);
        writer.Number("Flags"u8, record.Flags);
        writer.Text("Key"u8, record.Key);
        writer.Number("LockIndex"u8, record.LockIndex);
        writer.Number("ModifyIndex"u8, record.ModifyIndex);
        writer.Text("Session"u8, record.Session);
        writer.WriteRaw("Value"u8);
        writer.WriteRawOrNil(record.Value);
    }
}
