using System.Globalization;
using Codecs.MessagePack;
using Codecs.Snapshots;
using Praetor.Server.Model;
using Praetor.Server.State;

namespace Praetor.Server.Snapshots;

/// <summary>
/// Records that nothing here understands yet: they are kept as they came, written back into the next archive, and wait
/// for a version that does.
/// </summary>
internal static class KeptRecords
{
    private const string Prefix = "kept-record/";

    private static readonly byte[] Start = System.Text.Encoding.UTF8.GetBytes(Prefix);

    public static void Read(StateRestorer restorer, byte type, ReadOnlySpan<byte> value)
    {
        var number = restorer.Keep(type);
        restorer.Add(Tables.Documents, new DocumentRecord
        {
            Name = string.Create(CultureInfo.InvariantCulture, $"{Prefix}{type:D3}/{number:D9}"),
            Json = value.ToArray(),
            CreateIndex = restorer.LastIndex,
            ModifyIndex = restorer.LastIndex,
        });
    }

    public static IEnumerable<bool> Write(ReadView view, SnapshotBlocks blocks)
    {
        foreach (var record in view.PeekScan(Tables.DocumentsByName, Start))
        {
            if (TryType(record.Name, out var type))
            {
                blocks.Add(type, record.Json, static (ref MessagePackWriter w, byte[] value) => w.WriteBytes(value));
                yield return true;
            }
        }
    }

    /// <summary>Whether a document is such a record.</summary>
    public static bool Is(DocumentRecord document) => TryType(document.Name, out _);

    private static bool TryType(string name, out byte type)
    {
        type = 0;
        var end = name.IndexOf('/', Math.Min(Prefix.Length, name.Length));
        return name.StartsWith(Prefix, StringComparison.Ordinal) && end > 0
            && byte.TryParse(name.AsSpan(Prefix.Length, end - Prefix.Length), CultureInfo.InvariantCulture, out type);
    }
}
