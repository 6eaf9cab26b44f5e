using Codecs.MessagePack;
using Codecs.Snapshots;
using Gossip.Coordinates;
using Praetor.Server.Coordinates;
using Praetor.Server.Model;
using Praetor.Server.State;

namespace Praetor.Server.Snapshots;

/// <summary>Places of nodes in an archive; they have no indexes there.</summary>
internal static class CoordinateRecords
{
    public static IEnumerable<bool> Write(ReadView view, SnapshotBlocks blocks)
    {
        foreach (var record in CoordinateQueries.All(view))
        {
            blocks.Add(SnapshotRecordTypes.Coordinates, record, Write);
            yield return true;
        }
    }

    public static void Read(StateRestorer restorer, ReadOnlySpan<byte> value)
    {
        var reader = new MessagePackReader(value);
        if (!reader.TryReadArrayHeader(out var count))
        {
            throw StateRestorer.Malformed(SnapshotRecordTypes.Coordinates, "a list is wanted");
        }

        for (var i = 0; i < count; i++)
        {
            var start = reader.Position;
            if (!reader.TrySkip())
            {
                throw StateRestorer.Malformed(SnapshotRecordTypes.Coordinates, "the list is cut short");
            }

            ReadOne(restorer, value[start..reader.Position]);
        }
    }

    private static void ReadOne(StateRestorer restorer, ReadOnlySpan<byte> value)
    {
        var map = MessagePackMap.Open(value, restorer.Pool);
        var coordinate = map.Map("Coord"u8);
        var place = new Coordinate([], 0, 0, 0)
        {
            Adjustment = coordinate.Double("Adjustment"u8),
            Error = coordinate.Double("Error"u8),
            Height = coordinate.Double("Height"u8),
            Vector = Vector(coordinate.Raw("Vec"u8)),
        };
        map.Take(coordinate);
        var node = map.Text("Node"u8);
        var segment = map.Text("Segment"u8);
        if (restorer.IsSound(map, SnapshotRecordTypes.Coordinates) && place.IsValid)
        {
            restorer.Add(Tables.Coordinates, new CoordinateRecord
            {
                Node = node,
                Segment = segment,
                Where = place,
                CreateIndex = restorer.LastIndex,
                ModifyIndex = restorer.LastIndex,
            });
        }
    }

    private static double[] Vector(ReadOnlySpan<byte> raw)
    {
        var reader = new MessagePackReader(raw);
        if (raw.IsEmpty || !reader.TryReadArrayHeader(out var count))
        {
            return [];
        }

        var numbers = new double[count];
        for (var i = 0; i < count; i++)
        {
            if (!reader.TryReadDouble(out numbers[i]))
            {
                throw StateRestorer.Malformed(SnapshotRecordTypes.Coordinates, "a place is no list of numbers");
            }
        }

        return numbers;
    }

    private static void Write(ref MessagePackWriter writer, CoordinateRecord record)
    {
        writer.WriteArrayHeader(1);
        writer.WriteMapHeader(3);
        writer.WriteRaw("Coord"u8);
        writer.WriteMapHeader(4);
        writer.Double("Adjustment"u8, record.Where.Adjustment);
        writer.Double("Error"u8, record.Where.Error);
        writer.Double("Height"u8, record.Where.Height);
        writer.WriteRaw("Vec"u8);
        writer.WriteArrayHeader(record.Where.Vector.Count);
        foreach (var number in record.Where.Vector)
        {
            writer.WriteDouble(number);
        }

        writer.Text("Node"u8, record.Node);
        writer.Text("Segment"u8, record.Segment);
    }
}
