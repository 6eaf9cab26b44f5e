using Praetor.Agent.Telemetry;
using Praetor.Proxy.Metrics;

namespace Praetor.Agent.Runtime;

/// <summary>Shows the edges of managed sidecars among the agent's own metrics.</summary>
internal static class EdgeGauges
{
    public static void AddTo(Telemetry.Metrics metrics, ProxyMetrics proxies) => metrics.Gauges(() => Read(proxies));

    private static IEnumerable<LabelledGauge> Read(ProxyMetrics proxies)
    {
        foreach (var edge in proxies.Snapshot())
        {
            MetricLabel[] labels =
            [
                new("source", edge.Source),
                new("destination", edge.Destination),
                new("direction", edge.Direction.ToString().ToLowerInvariant()),
            ];
            yield return new LabelledGauge("proxy.connections_opened", edge.Opened, labels);
            yield return new LabelledGauge("proxy.connections_active", edge.Active, labels);
            yield return new LabelledGauge("proxy.connections_denied", edge.Denied, labels);
            yield return new LabelledGauge("proxy.bytes_from_source", edge.BytesFromSource, labels);
            yield return new LabelledGauge("proxy.bytes_to_source", edge.BytesToSource, labels);
            yield return new LabelledGauge("proxy.handshake_failures", edge.HandshakeFailures, labels);
            yield return new LabelledGauge("proxy.connect_failures", edge.ConnectFailures, labels);
        }
    }
}
