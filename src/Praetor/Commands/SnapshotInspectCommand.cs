using System.Globalization;
using System.Text.Json.Serialization;
using Codecs.MessagePack;
using Codecs.Snapshots;
using Praetor.CommandLine;

namespace Praetor.Commands;

/// <summary>How much of a snapshot some records are.</summary>
internal sealed record SnapshotShare(string Name, long Sum, int Count);

/// <summary>What a snapshot is.</summary>
internal sealed record SnapshotFacts(
    [property: JsonPropertyName("ID")] string Id, long Size, ulong Index, ulong Term, int Version);

/// <summary>What inspect shows; as JSON in these names.</summary>
internal sealed record SnapshotReport(
    SnapshotFacts Meta, IReadOnlyList<SnapshotShare> Stats,
    [property: JsonPropertyName("StatsKV")] IReadOnlyList<SnapshotShare>? StatsKv, long TotalSize,
    [property: JsonPropertyName("TotalSizeKV")] long TotalSizeKv);

[JsonSerializable(typeof(SnapshotReport))]
internal sealed partial class SnapshotReportJson : JsonSerializerContext;

internal sealed class SnapshotInspectCommand : Command
{
    private const string Pretty = "pretty";
    private const string Json = "json";
    private const int UsualDepth = 2;

    private readonly Flag<string> _format;
    private readonly Flag<bool> _details;
    private readonly Flag<int> _depth;
    private readonly Flag<string> _filter;
    private readonly Dictionary<string, SnapshotShare> _types = new(StringComparer.Ordinal);
    private readonly Dictionary<string, SnapshotShare> _keys = new(StringComparer.Ordinal);
    private long _total;
    private long _totalOfKeys;

    public SnapshotInspectCommand()
    {
        _format = Flags.Add(new Flag<string>("format", "format", "How to print: pretty or json.", Pretty, ReadFormat)
        {
            Choices = [Pretty, Json],
        });
        _details = Flags.Bool("kvdetails", "Say how much room keys take, by the beginning of their names.");
        _depth = Flags.Int("kvdepth", "With -kvdetails: by how many parts of the names. Default 2.");
        _filter = Flags.String("kvfilter", "With -kvdetails: only keys that begin so.");
    }

    public override string Arguments => "[options] FILE";

    public override Candidates Offer => Candidates.Files;

    public override string About => """
        Says what a snapshot holds, ours or Consul's, and checks that it is sound. Needs no agent.

            $ praetor snapshot inspect backup.snap
            $ praetor snapshot inspect -kvdetails -kvdepth=1 backup.snap
            $ praetor snapshot inspect -format=json backup.snap
        """;

    public override Task<int> RunAsync(Shell shell, IReadOnlyList<string> arguments, CancellationToken stop)
    {
        var file = SnapshotArguments.File(arguments);
        var meta = SnapshotFiles.Verify(file, "Error verifying snapshot", Take);
        var facts = new SnapshotFacts(meta.Id, meta.Size, meta.Index, meta.Term, meta.Version);
        var report = new SnapshotReport(
            facts, Sorted(_types), _details.Value ? Sorted(_keys) : null, _total, _totalOfKeys);
        if (_format.Value == Json)
        {
            shell.Say(GoJson.Indent(
                System.Text.Json.JsonSerializer.SerializeToElement(report, SnapshotReportJson.Default.SnapshotReport),
                "   "));
        }
        else
        {
            Print(shell, report);
        }

        return Task.FromResult(0);
    }

    private static string? ReadFormat(string text, ref string value)
    {
        value = text;
        return text is Pretty or Json ? null : $"must be {Pretty} or {Json}";
    }

    private static List<SnapshotShare> Sorted(Dictionary<string, SnapshotShare> shares) =>
    [
        .. shares.Values.OrderByDescending(static s => s.Sum).ThenBy(static s => s.Name, StringComparer.Ordinal),
    ];

    private static void Add(Dictionary<string, SnapshotShare> shares, string name, long size)
    {
        var before = shares.GetValueOrDefault(name) ?? new SnapshotShare(name, 0, 0);
        shares[name] = before with { Sum = before.Sum + size, Count = before.Count + 1 };
    }

    private static void Print(Shell shell, SnapshotReport report)
    {
        var meta = new SnapshotTable([
            ["ID", report.Meta.Id], ["Size", Number(report.Meta.Size)],
            ["Index", report.Meta.Index.ToString(CultureInfo.InvariantCulture)],
            ["Term", report.Meta.Term.ToString(CultureInfo.InvariantCulture)],
            ["Version", Number(report.Meta.Version)],
        ]);
        if (shell.IsConsul)
        {
            // Consul 1.8 shows no more, and begins its lines at the edge.
            shell.Say(meta.ToString("") + "\n");
            return;
        }

        shell.Say(meta.ToString(" "));
        Print(shell, "Type", report.Stats, report.TotalSize);
        if (report.StatsKv is { } keys)
        {
            Print(shell, "Key Name", keys, report.TotalSizeKv);
        }
    }

    private static void Print(Shell shell, string what, IReadOnlyList<SnapshotShare> shares, long total)
    {
        string[] line = ["----", "----", "----", ""];
        var rows = new List<string[]> { (string[])[what, "Count", "Size", ""], line };
        rows.AddRange(shares.Select(
            static s => (string[])[s.Name, Number(s.Count), SnapshotTable.Bytes(s.Sum), ""]));
        rows.Add(line);
        rows.Add(["Total", "", SnapshotTable.Bytes(total), ""]);
        shell.Say("\n" + new SnapshotTable(rows).ToString(" "));
    }

    private static string Number(long value) => value.ToString(CultureInfo.InvariantCulture);

    private void Take(byte type, ReadOnlySpan<byte> value)
    {
        var size = value.Length + 1;
        Add(_types, SnapshotRecordTypes.NameOf(type), size);
        _total += size;
        if (!_details.Value || type != SnapshotRecordTypes.Kv)
        {
            return;
        }

        var key = MessagePackMap.Open(value).Text("Key"u8);
        if (!key.StartsWith(_filter.Value, StringComparison.Ordinal))
        {
            return;
        }

        var depth = _depth.IsSet ? Math.Max(1, _depth.Value) : UsualDepth;
        Add(_keys, string.Join('/', key.Split('/').Take(depth)), size);
        _totalOfKeys += size;
    }
}
