using System.Text.Json;
using System.Text.Json.Nodes;
using Codecs.MessagePack;
using Codecs.Snapshots;
using Praetor.Server.ConfigEntries;
using Praetor.Server.Model;
using Praetor.Server.State;

namespace Praetor.Server.Snapshots;

/// <summary>Configuration entries in an archive: bytes that hold the kind and a request with the entry.</summary>
internal static class ConfigEntryRecords
{
    private const byte Type = SnapshotRecordTypes.ConfigEntry;

    // An older Consul does not restore an archive with an entry of a kind that it does not know.
    private static readonly HashSet<string> KindsOf18 = new(StringComparer.Ordinal)
    {
        "ingress-gateway", "proxy-defaults", "service-defaults", "service-resolver", "service-router",
        "service-splitter", "terminating-gateway",
    };

    private static readonly PackedShape Shape = new(
        new HashSet<string>(StringComparer.Ordinal)
        {
            "BaseEjectionTime", "ConnectTimeout", "IdleTimeout", "Interval", "PerTryTimeout", "RequestTimeout",
        },
        new HashSet<string>(StringComparer.Ordinal) { "Config", "Meta" },
        OmitsZero: true);

    private const string Wrapped = "proxy-defaults";

    // Said by Consul also when it is zero.
    private static readonly string[] Weighted = ["Splits"];

    /// <summary>Whether Consul 1.8 knows a kind.</summary>
    public static bool IsOf18(string kind) => KindsOf18.Contains(kind);

    public static IEnumerable<bool> Write(ReadView view, SnapshotBlocks blocks)
    {
        foreach (var record in view.PeekScan(Tables.ConfigByName, []))
        {
            if (IsOf18(record.Kind))
            {
                blocks.Add(Type, record, Write);
                yield return true;
            }
        }
    }

    public static void Read(StateRestorer restorer, ReadOnlySpan<byte> value)
    {
        var outer = new MessagePackReader(value);
        if (!outer.TryReadRaw(out var request))
        {
            throw StateRestorer.Malformed(Type, "bytes are wanted");
        }

        var reader = new MessagePackReader(request);
        var start = 0;
        if (!reader.TryReadString(out var kind) || (start = reader.Position) < 0 || !reader.TrySkip())
        {
            throw StateRestorer.Malformed(Type, "it has no kind");
        }

        var map = MessagePackMap.Open(request[start..reader.Position]);
        var packed = Unwrapped(map.Raw("Entry"u8));
        var entry = MessagePackMap.Open(packed);
        var created = entry.Number("CreateIndex"u8);
        var modified = entry.Number("ModifyIndex"u8);
        var name = entry.Text("Name"u8);
        map.Take(entry);
        if (!restorer.IsSound(map, Type))
        {
            return;
        }

        if (!ConfigKinds.IsKnown(kind))
        {
            KeptRecords.Read(restorer, Type, value);
            return;
        }

        restorer.Add(Tables.ConfigEntries, new ConfigEntryRecord
        {
            Kind = kind,
            Name = name,
            Json = BodyOf(kind, name, packed),
            CreateIndex = created,
            ModifyIndex = modified,
        });
        if (!ConfigKinds.Names.Contains(kind, StringComparer.Ordinal))
        {
            restorer.Warn($"config entries of kind {kind}, which have no effect yet");
        }
    }

    // Kinds with a coding of their own stand as bytes with the map in them.
    private static ReadOnlySpan<byte> Unwrapped(ReadOnlySpan<byte> packed)
    {
        var reader = new MessagePackReader(packed);
        return reader.Peek() == MessagePackKind.Raw && reader.TryReadRaw(out var inner)
            && new MessagePackReader(inner) is var within && within.TrySkip() ? inner[..within.Position] : packed;
    }

    // Entries of kinds that are known take their usual form; others stay as they were, without what says nothing.
    private static byte[] BodyOf(string kind, string name, ReadOnlySpan<byte> packed)
    {
        var given = PackedJson.Object(packed, Shape);
        given.Remove("CreateIndex");
        given.Remove("ModifyIndex");
        var body = new JsonObject { ["Kind"] = kind, ["Name"] = name };
        foreach (var (member, value) in given.Where(m => m.Key is not ("Kind" or "Name")).ToList())
        {
            given.Remove(member);
            body[member] = value;
        }

        foreach (var list in Weighted)
        {
            foreach (var item in ConfigEntry.Items(body, list).Where(static i => !i.ContainsKey("Weight")))
            {
                item["Weight"] = 0;
            }
        }

        return ConfigEntryReader.TryRead(body.DeepClone(), out var entry, out _) ? entry.ToStorage()
            : new ConfigEntry(kind, name, body).ToStorage();
    }

    private static void Write(ref MessagePackWriter writer, ConfigEntryRecord record)
    {
        // Bytes have their length before them, so they are put together aside.
        var entry = Packed(record, WriteEntry);
        writer.WriteRaw(Packed((record, entry), WriteRequest));
    }

    private static byte[] Packed<T>(T record, WriteRecord<T> write)
    {
        const int Usual = 2048;
        var buffer = new byte[Usual];
        while (true)
        {
            var writer = new MessagePackWriter(buffer);
            write(ref writer, record);
            if (!writer.Overflowed)
            {
                return buffer[..writer.Length];
            }

            buffer = new byte[buffer.Length * 2];
        }
    }

    private static void WriteRequest(ref MessagePackWriter writer, (ConfigEntryRecord Record, byte[] Entry) it)
    {
        writer.WriteString(it.Record.Kind);
        writer.WriteMapHeader(4);
        writer.Text("Datacenter"u8, "");
        writer.WriteRaw("Entry"u8);
        if (it.Record.Kind == Wrapped)
        {
            writer.WriteRaw(it.Entry);
        }
        else
        {
            writer.WriteBytes(it.Entry);
        }

        writer.Text("Op"u8, "");
        writer.Text("Token"u8, "");
    }

    private static void WriteEntry(ref MessagePackWriter writer, ConfigEntryRecord record)
    {
        using var document = JsonDocument.Parse(record.Json);
        var root = document.RootElement;
        writer.WriteMapHeader(root.GetPropertyCount() + 2);
        writer.Number("CreateIndex"u8, record.CreateIndex);
        writer.Number("ModifyIndex"u8, record.ModifyIndex);
        foreach (var member in root.EnumerateObject())
        {
            writer.WriteString(member.Name);
            PackedJson.Write(ref writer, member.Value, Shape, member.Name);
        }
    }
}
