using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Codecs.MessagePack;
using Codecs.Snapshots;
using Praetor.Server.ConfigEntries;
using Praetor.Server.ConfigEntries.Kinds;
using Praetor.Server.Intentions;
using Praetor.Server.Model;
using Praetor.Server.State;

namespace Praetor.Server.Snapshots;

/// <summary>Intentions in an archive, one record for each, as before Consul 1.9.</summary>
/// <remarks>
/// Here they are sources of service-intentions entries. Those that decide on requests cannot be said in the old form;
/// they stand in the entry, which <see cref="OwnRecords"/> writes whole and which comes before the old form.
/// </remarks>
internal static class IntentionRecords
{
    private const byte Type = SnapshotRecordTypes.Intention;

    public static IEnumerable<bool> Write(ReadView view, SnapshotBlocks blocks)
    {
        foreach (var record in IntentionBooks.Records(view))
        {
            foreach (var intention in Intention.From(
                ConfigEntry.FromStorage(record.Json), record.CreateIndex, record.ModifyIndex))
            {
                if (!intention.IsLayer7 && intention.SourcePeer.Length + intention.SourceSamenessGroup.Length == 0)
                {
                    blocks.Add(Type, intention, Write);
                    yield return true;
                }
            }
        }
    }

    public static void Read(StateRestorer restorer, ReadOnlySpan<byte> value)
    {
        var map = MessagePackMap.Open(value);
        var action = map.Text("Action"u8);
        var created = map.Number("CreateIndex"u8);
        var createdAt = PackedTime.Text(map.Bytes("CreatedAt"u8));
        var description = map.Text("Description"u8);
        var destination = map.Text("DestinationName"u8);
        var id = map.Text("ID"u8);
        var meta = map.TextMap("Meta"u8);
        var modified = map.Number("ModifyIndex"u8);
        var source = map.Text("SourceName"u8);
        var updatedAt = PackedTime.Text(map.Bytes("UpdatedAt"u8));
        if (!restorer.IsSound(map, Type))
        {
            return;
        }

        restorer.Add(new OldIntention(destination, created, modified, new JsonObject
        {
            ["Name"] = source,
            ["Action"] = action,
            ["Description"] = description,
            ["LegacyID"] = id,
            ["LegacyMeta"] = new JsonObject(
                (meta ?? Intention.NoMeta).Select(static m => KeyValuePair.Create(m.Key, (JsonNode?)m.Value))),
            ["LegacyCreateTime"] = createdAt,
            ["LegacyUpdateTime"] = updatedAt,
        }));
    }

    /// <summary>The entries of old intentions, for destinations that have none yet.</summary>
    public static void Finish(StateRestorer restorer, IEnumerable<OldIntention> all)
    {
        foreach (var destination in all.GroupBy(static i => i.Destination, StringComparer.OrdinalIgnoreCase))
        {
            if (ConfigQueries.Get(restorer.View, ServiceIntentionsKind.Name, destination.Key) is not null)
            {
                continue;
            }

            var body = new JsonObject
            {
                ["Kind"] = ServiceIntentionsKind.Name,
                ["Name"] = destination.Key,
                ["Sources"] = new JsonArray([.. destination.Select(static i => (JsonNode)i.Source)]),
            };
            if (!ConfigEntryReader.TryRead(body, out var entry, out var refusal))
            {
                throw StateRestorer.Malformed(Type, refusal.Text);
            }

            restorer.Add(Tables.ConfigEntries, new ConfigEntryRecord
            {
                Kind = entry.Kind,
                Name = entry.Name,
                Json = entry.ToStorage(),
                CreateIndex = destination.Min(static i => i.CreateIndex),
                ModifyIndex = destination.Max(static i => i.ModifyIndex),
            });
        }
    }

    private static void Write(ref MessagePackWriter writer, Intention intention)
    {
        writer.WriteMapHeader(18);
        writer.Text("Action"u8, intention.Action);
        writer.Number("CreateIndex"u8, intention.CreateIndex);
        writer.WriteRaw("CreatedAt"u8);
        PackedTime.Write(ref writer, intention.CreatedAt);
        writer.Text("DefaultAddr"u8, "");
        writer.Whole("DefaultPort"u8, 0);
        writer.Text("Description"u8, intention.Description);
        writer.Text("DestinationNS"u8, intention.DestinationNamespace);
        writer.Text("DestinationName"u8, intention.DestinationName);
        writer.Nil("Hash"u8);
        writer.Text("ID"u8, intention.Id.Length > 0 ? intention.Id : IdFor(intention));
        writer.TextMap("Meta"u8, intention.Meta);
        writer.Number("ModifyIndex"u8, intention.ModifyIndex);
        writer.Whole("Precedence"u8, intention.Precedence);
        writer.Text("SourceNS"u8, intention.SourceNamespace);
        writer.Text("SourceName"u8, intention.SourceName);
        writer.Text("SourceType"u8, intention.SourceType);
        writer.WriteRaw("UpdatedAt"u8);
        PackedTime.Write(ref writer, intention.UpdatedAt);
        writer.Nil("Permissions"u8);
    }

    // In the old form each has one; for the same pair it is always the same.
    private static string IdFor(Intention intention)
    {
        const int UuidBytes = 16;
        var names = Encoding.UTF8.GetBytes($"{intention.SourceName}\0{intention.DestinationName}");
        return new Guid(SHA256.HashData(names).AsSpan(0, UuidBytes)).ToString("D");
    }
}

/// <summary>An intention in the old form.</summary>
/// <param name="Source">As a source of the destination's entry.</param>
internal sealed record OldIntention(string Destination, ulong CreateIndex, ulong ModifyIndex, JsonObject Source);
