using Codecs.MessagePack;
using Codecs.Snapshots;
using Praetor.Server.Autopilot;
using Praetor.Server.Model;
using Praetor.Server.State;

namespace Praetor.Server.Snapshots;

/// <summary>
/// What Consul 1.8 has no record for: entries of newer kinds and the server's own documents.
/// </summary>
/// <remarks>
/// Consul refuses an archive with a record of a type that it does not know, but steps over members that it does not
/// know. So each stands as a member of its own in a record that says when something was changed last, under a name that
/// Consul keeps and never looks at.
/// </remarks>
internal static class OwnRecords
{
    private const byte Type = SnapshotRecordTypes.Index;
    private const string Entry = "praetor/config/";
    private const string Document = "praetor/document/";

    // Says whether the first ACL token was made; whoever understands tokens will want to know.
    private const string AclBootstrapKey = "acl-token-bootstrap";

    public static IEnumerable<bool> Write(ReadView view, SnapshotBlocks blocks)
    {
        foreach (var record in view.PeekScan(Tables.ConfigByName, []))
        {
            if (!ConfigEntryRecords.IsOf18(record.Kind))
            {
                var own = new Own($"{Entry}{record.Kind}/{record.Name}", record, record.Json);
                blocks.Add(Type, own, Write);
                yield return true;
            }
        }

        foreach (var record in view.PeekScan(Tables.DocumentsByName, []))
        {
            if (record.Name is not (ReplacedMark.Name or AutopilotConfiguration.Name) && !KeptRecords.Is(record))
            {
                blocks.Add(Type, new Own(Document + record.Name, record, record.Json), Write);
                yield return true;
            }
        }
    }

    public static void Read(StateRestorer restorer, ReadOnlySpan<byte> value)
    {
        var map = MessagePackMap.Open(value);
        var created = map.Number("CreateIndex"u8);
        var key = map.Text("Key"u8);
        var json = map.Bytes("Praetor"u8).ToArray();
        var modified = map.Number("Value"u8);
        if (!restorer.IsSound(map, Type))
        {
            return;
        }

        if (key == AclBootstrapKey)
        {
            KeptRecords.Read(restorer, Type, value);
        }
        else if (key.StartsWith(Document, StringComparison.Ordinal))
        {
            restorer.Add(Tables.Documents, new DocumentRecord
            {
                Name = key[Document.Length..], Json = json, CreateIndex = created, ModifyIndex = modified,
            });
        }
        else if (key.StartsWith(Entry, StringComparison.Ordinal) && key.IndexOf('/', Entry.Length) is var end and > 0)
        {
            restorer.AddEntry(new ConfigEntryRecord
            {
                Kind = key[Entry.Length..end],
                Name = key[(end + 1)..],
                Json = json,
                CreateIndex = created,
                ModifyIndex = modified,
            });
        }
    }

    private static void Write(ref MessagePackWriter writer, Own own)
    {
        writer.WriteMapHeader(4);
        writer.Number("CreateIndex"u8, own.Record.CreateIndex);
        writer.Text("Key"u8, own.Key);
        writer.WriteRaw("Praetor"u8);
        writer.WriteRaw(own.Json);
        writer.Number("Value"u8, own.Record.ModifyIndex);
    }

    private sealed record Own(string Key, StoredRecord Record, byte[] Json);
}
