using Codecs.MessagePack;
using Codecs.Snapshots;
using Praetor.Server.Model;
using Praetor.Server.State;

namespace Praetor.Server.Snapshots;

/// <summary>Nodes, services and checks in an archive: each in a registration that names its node again.</summary>
/// <remarks>Members that Consul 1.8 does not know are written only when they say something; it steps over
/// them.</remarks>
internal static class RegisterRecords
{
    private const byte Type = SnapshotRecordTypes.Register;

    private static readonly PackedShape Definition = new(
        new HashSet<string>(StringComparer.Ordinal) { "Interval", "Timeout", "DeregisterCriticalServiceAfter" },
        new HashSet<string>(StringComparer.Ordinal), OmitsZero: true);

    private static readonly PackedShape DefinitionWritten = Definition with
    {
        Durations = new HashSet<string>(Definition.Durations, StringComparer.Ordinal) { "TTL" },
    };

    public static IEnumerable<bool> Write(ReadView view, SnapshotBlocks blocks)
    {
        foreach (var node in view.PeekScan(Tables.NodesByName, []))
        {
            blocks.Add(Type, node, static (ref MessagePackWriter w, NodeRecord n) => Write(ref w, n, null, null));
            yield return true;
            foreach (var service in view.PeekScan(Tables.ServicesByNode, KeyBytes.Folded(node.Name)))
            {
                blocks.Add(Type, (node, service), static (ref MessagePackWriter w, (NodeRecord, ServiceRecord) it) =>
                    Write(ref w, it.Item1, it.Item2, null));
                yield return true;
            }

            foreach (var check in view.PeekScan(Tables.ChecksByNode, KeyBytes.Folded(node.Name)))
            {
                blocks.Add(Type, (node, check), static (ref MessagePackWriter w, (NodeRecord, CheckRecord) it) =>
                    Write(ref w, it.Item1, null, it.Item2));
                yield return true;
            }
        }
    }

    public static void Read(StateRestorer restorer, ReadOnlySpan<byte> value)
    {
        var map = MessagePackMap.Open(value, restorer.Pool);
        if (map.Text("PeerName"u8).Length > 0)
        {
            restorer.Skip("Register (of a peer)");
            return;
        }

        // The node comes again with each of its services and checks.
        var name = map.Text("Node"u8);
        if (!restorer.IsLastNode(name))
        {
            ReadNode(restorer, ref map, name);
        }

        if (map.Raw("Check"u8) is { IsEmpty: false } check && check[0] != Nil)
        {
            ReadCheck(restorer, name, MessagePackMap.Open(check, restorer.Pool));
        }

        if (map.Raw("Service"u8) is { IsEmpty: false } service && service[0] != Nil)
        {
            ServiceRecords.Read(restorer, name, MessagePackMap.Open(service, restorer.Pool));
        }

        restorer.IsSound(map, Type);
    }

    private const byte Nil = 0xc0;

    private static void ReadNode(StateRestorer restorer, ref MessagePackMap map, string name)
    {
        var locality = map.Map("Locality"u8);
        var record = new NodeRecord
        {
            Address = map.Text("Address"u8),
            CreateIndex = map.Number("CreateIndex"u8),
            Datacenter = map.Text("Datacenter"u8),
            Id = map.Text("ID"u8),
            Locality = ServiceRecords.PlaceOf(ref locality),
            ModifyIndex = map.Number("ModifyIndex"u8),
            Name = name,
            Meta = map.TextMap("NodeMeta"u8),
            TaggedAddresses = map.TextMap("TaggedAddresses"u8),
        };
        map.Take(locality);
        if (restorer.IsSound(map, Type))
        {
            restorer.AddNode(record);
        }
    }

    private static void ReadCheck(StateRestorer restorer, string node, MessagePackMap map)
    {
        var record = new CheckRecord
        {
            Node = node,
            Id = map.Text("CheckID"u8),
            CreateIndex = map.Number("CreateIndex"u8),
            Definition = PackedJson.Element(map.Raw("Definition"u8), Definition),
            ExposedPort = map.Int("ExposedPort"u8),
            ModifyIndex = map.Number("ModifyIndex"u8),
            Name = map.Text("Name"u8),
            Notes = map.Text("Notes"u8),
            Output = map.Text("Output"u8),
            ServiceId = map.Text("ServiceID"u8),
            ServiceName = map.Text("ServiceName"u8),
            ServiceTags = map.Texts("ServiceTags"u8),
            Status = map.Text("Status"u8),
            Type = map.Text("Type"u8),
        };
        if (restorer.IsSound(map, Type))
        {
            restorer.Add(Tables.Checks, record);
        }
    }

    private static void Write(
        ref MessagePackWriter writer, NodeRecord node, ServiceRecord? service, CheckRecord? check)
    {
        writer.WriteMapHeader(node.Locality is null ? 13 : 14);
        writer.Text("Address"u8, node.Address);
        writer.WriteRaw("Check"u8);
        if (check is null)
        {
            writer.WriteNil();
        }
        else
        {
            Write(ref writer, check);
        }

        writer.Nil("Checks"u8);
        writer.Number("CreateIndex"u8, node.CreateIndex);
        writer.Text("Datacenter"u8, node.Datacenter);
        writer.Text("ID"u8, node.Id);
        ServiceRecords.WritePlace(ref writer, node.Locality);
        writer.Number("ModifyIndex"u8, node.ModifyIndex);
        writer.Text("Node"u8, node.Name);
        writer.TextMap("NodeMeta"u8, node.Meta);
        writer.WriteRaw("Service"u8);
        if (service is null)
        {
            writer.WriteNil();
        }
        else
        {
            ServiceRecords.Write(ref writer, service);
        }

        writer.Flag("SkipNodeUpdate"u8, value: false);
        writer.TextMap("TaggedAddresses"u8, node.TaggedAddresses);
        writer.Text("Token"u8, "");
    }

    private static void Write(ref MessagePackWriter writer, CheckRecord check)
    {
        writer.WriteMapHeader(13 + (check.ExposedPort == 0 ? 0 : 1));
        writer.Text("CheckID"u8, check.Id);
        writer.Number("CreateIndex"u8, check.CreateIndex);
        writer.WriteRaw("Definition"u8);
        if (check.Definition is { } definition)
        {
            PackedJson.Write(ref writer, definition, DefinitionWritten);
        }
        else
        {
            writer.WriteMapHeader(0);
        }

        if (check.ExposedPort != 0)
        {
            writer.Whole("ExposedPort"u8, check.ExposedPort);
        }

        writer.Number("ModifyIndex"u8, check.ModifyIndex);
        writer.Text("Name"u8, check.Name);
        writer.Text("Node"u8, check.Node);
        writer.Text("Notes"u8, check.Notes);
        writer.Text("Output"u8, check.Output);
        writer.Text("ServiceID"u8, check.ServiceId);
        writer.Text("ServiceName"u8, check.ServiceName);
        writer.Texts("ServiceTags"u8, check.ServiceTags);
        writer.Text("Status"u8, check.Status);
        writer.Text("Type"u8, check.Type);
    }
}
