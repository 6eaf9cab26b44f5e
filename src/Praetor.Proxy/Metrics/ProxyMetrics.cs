using System.Collections.Concurrent;
using System.Globalization;
using System.Text;

namespace Praetor.Proxy.Metrics;

/// <summary>The counts of one edge of the service graph, at one moment.</summary>
/// <param name="Source">The service that opened the connections; empty where it never proved who it is.</param>
/// <param name="Destination">The service they are for.</param>
/// <param name="Direction">Whether they come to or go from the proxied service.</param>
/// <param name="Opened">Connections established since the start.</param>
/// <param name="Active">Connections established now.</param>
/// <param name="Denied">Connections refused or ended by intentions.</param>
/// <param name="BytesFromSource">Bytes delivered from source to destination.</param>
/// <param name="BytesToSource">Bytes delivered from destination to source.</param>
/// <param name="HandshakeFailures">Handshakes that failed, wrong identities among them.</param>
/// <param name="ConnectFailures">Attempts to reach an instance, or the local service, that failed.</param>
public sealed record EdgeMetrics(
    string Source,
    string Destination,
    EdgeDirection Direction,
    long Opened,
    long Active,
    long Denied,
    long BytesFromSource,
    long BytesToSource,
    long HandshakeFailures,
    long ConnectFailures);

/// <summary>Counts connections and bytes for each edge, for all proxies of a host.</summary>
public sealed class ProxyMetrics
{
    private const string OtherSources = "(other)";

    private readonly ConcurrentDictionary<(string Source, string Destination, EdgeDirection Direction), EdgeCounters>
        _edges = new();

    /// <summary>All edges seen since the start.</summary>
    public IReadOnlyList<EdgeMetrics> Snapshot() => [.. _edges.Values.Select(static edge => edge.Read())];

    /// <summary>All edges in the text format that Prometheus reads.</summary>
    public string ToPrometheus()
    {
        var edges = Snapshot();
        var text = new StringBuilder();
        Add(text, edges, "connections_opened_total", "counter", "Connections established.", static e => e.Opened);
        Add(text, edges, "connections_active", "gauge", "Connections established now.", static e => e.Active);
        Add(text, edges, "connections_denied_total", "counter", "Connections refused or ended by intentions.",
            static e => e.Denied);
        Add(text, edges, "bytes_from_source_total", "counter", "Bytes delivered to the destination.",
            static e => e.BytesFromSource);
        Add(text, edges, "bytes_to_source_total", "counter", "Bytes delivered to the source.",
            static e => e.BytesToSource);
        Add(text, edges, "handshake_failures_total", "counter", "Handshakes that failed.",
            static e => e.HandshakeFailures);
        Add(text, edges, "connect_failures_total", "counter", "Attempts to connect that failed.",
            static e => e.ConnectFailures);
        return text.ToString();
    }

    internal EdgeCounters Edge(string source, string destination, EdgeDirection direction)
    {
        var key = (source, destination, direction);
        if (_edges.TryGetValue(key, out var edge))
        {
            return edge;
        }

        // Sources are certified names, but a cluster can have many: beyond the bound they share one row.
        if (_edges.Count >= Limits.CountedEdges)
        {
            key = (OtherSources, destination, direction);
        }

        return _edges.GetOrAdd(key, static k => new EdgeCounters(k.Source, k.Destination, k.Direction));
    }

    private static void Add(
        StringBuilder text,
        IReadOnlyList<EdgeMetrics> edges,
        string name,
        string type,
        string help,
        Func<EdgeMetrics, long> value)
    {
        text.Append(CultureInfo.InvariantCulture, $"# HELP praetor_mesh_{name} {help}\n");
        text.Append(CultureInfo.InvariantCulture, $"# TYPE praetor_mesh_{name} {type}\n");
        foreach (var edge in edges)
        {
            var direction = edge.Direction == EdgeDirection.Inbound ? "inbound" : "outbound";
            text.Append(
                CultureInfo.InvariantCulture,
                $"praetor_mesh_{name}{{source=\"{Escape(edge.Source)}\",destination=\"{Escape(edge.Destination)}\",");
            text.Append(CultureInfo.InvariantCulture, $"direction=\"{direction}\"}} {value(edge)}\n");
        }
    }

    private static string Escape(string label) => label
        .Replace("\\", "\\\\", StringComparison.Ordinal)
        .Replace("\"", "\\\"", StringComparison.Ordinal)
        .Replace("\n", "\\n", StringComparison.Ordinal);
}
