using Praetor.Server.Model;
using Praetor.Server.State;

namespace Praetor.Server.Catalog;

/// <summary>What is made of the summaries of all services, kept from one reading to the next as long as it
/// holds.</summary>
/// <remarks>
/// The problem: a list of all services with their health is made from every instance and every check, a hundred
/// thousand of them, and a page that shows it reads it anew whenever one of them changes.
/// The idea: the state notes for each service when anything about its health has changed
/// (<see cref="ServiceTouches"/>), each time with a new record. So a summary holds as long as the notes that it was
/// made beside are the ones that are there, and a reading makes anew only what changed.
/// Why this is safe whatever the state: notes are compared by reference, and no two states that differ in a service's
/// health share its note. So it does not matter in which order states are read, by how many threads, or whether one was
/// replaced by a restored one.
/// </remarks>
/// <typeparam name="T">What is made, such as its bytes in an answer.</typeparam>
/// <param name="make">Makes it of a summary, and of nothing else.</param>
public sealed class ServiceSummaries<T>(Func<ServiceSummary, T> make)
{
    /// <summary>For how many instances it is kept; bytes of an answer have a name for each.</summary>
    public const int KeptInstancesMax = 1024 * 1024;

    private static readonly byte[] ByName = KeyBytes.Folded("name");
    private static readonly byte[] ByConnect = KeyBytes.Folded("connect");

    // Replaced, never changed: who reads at the same time goes on with the one they took.
    private Dictionary<byte[], Known> _known = new(ByteKeyComparer.Instance);

    /// <summary>That of all services, by name.</summary>
    public IReadOnlyList<T> Read(ReadView view)
    {
        view.NotePrefix(Tables.TouchByName, []);
        var before = Volatile.Read(ref _known);
        var find = before.GetAlternateLookup<ReadOnlySpan<byte>>();
        var after = new Dictionary<byte[], Known>(before.Count, ByteKeyComparer.Instance);
        var room = KeptInstancesMax;
        var nodes = new NodeTallies(view);
        var all = new List<(string Name, T Made)>(before.Count);
        view.TreeOf(Tables.TouchByName).WalkGroups(ByName, [], (service, note) =>
        {
            var mesh = view.Peek(Tables.TouchByName, [.. ByConnect, .. service]);
            if (!find.TryGetValue(service, out var known)
                || !ReferenceEquals(known.Note, note) || !ReferenceEquals(known.Mesh, mesh))
            {
                var made = Summarize(view, service.ToArray(), nodes);
                known = new Known(
                    note!, mesh, [.. made.Select(s => (s.Name, make(s)))], made.Sum(static s => s.Nodes.Count));
            }

            all.AddRange(known.Made);
            if (known.Instances <= room)
            {
                room -= known.Instances;
                after.Add(service.ToArray(), known);
            }
        });
        Volatile.Write(ref _known, after);
        all.Sort(static (a, b) => string.CompareOrdinal(a.Name, b.Name));
        return [.. all.Select(static one => one.Made)];
    }

    // Under one key stand all services whose names differ only in case.
    private static ServiceSummary[] Summarize(ReadView view, byte[] service, NodeTallies nodes)
    {
        var checks = view.PeekScan(Tables.ChecksByService, service)
            .ToLookup(static c => c.Node, StringComparer.OrdinalIgnoreCase);
        var builders = new Dictionary<string, ServiceSummaryBuilder>(StringComparer.Ordinal);
        foreach (var instance in view.PeekScan(Tables.ServicesByName, service))
        {
            if (nodes.Find(instance.Node) is not { } node)
            {
                continue;
            }

            var tally = node.Tally;
            foreach (var check in checks[instance.Node])
            {
                if (check.ServiceId.Equals(instance.Id, StringComparison.OrdinalIgnoreCase))
                {
                    tally = tally.With(check.Status);
                }
            }

            ServiceSummaryBuilder.Of(instance, builders).Add(node.Record, instance, tally);
        }

        return [.. builders.Values.Select(builder => builder.Build(view))];
    }

    /// <summary>What was made of a service beside which notes.</summary>
    private sealed record Known(StoredRecord Note, ServiceTouch? Mesh, (string Name, T Made)[] Made, int Instances);

    /// <summary>The nodes' own checks, each node counted once in a reading.</summary>
    private sealed class NodeTallies(ReadView view)
    {
        private readonly Dictionary<string, Entry?> _nodes = new(StringComparer.OrdinalIgnoreCase);

        /// <summary>Null: the node is not there.</summary>
        public Entry? Find(string name)
        {
            if (!_nodes.TryGetValue(name, out var entry))
            {
                entry = view.Peek(Tables.NodesByName, KeyBytes.Folded(name)) is { } record
                    ? new Entry(record, CheckTally.Of(view.PeekScan(Tables.ChecksByService, KeyBytes.Folded("", name))))
                    : null;
                _nodes.Add(name, entry);
            }

            return entry;
        }

        public sealed record Entry(NodeRecord Record, CheckTally Tally);
    }
}
