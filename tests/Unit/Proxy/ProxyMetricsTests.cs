using Praetor.Proxy.Metrics;
using Shouldly;
using Xunit;

namespace Unit.Proxy;

public sealed class ProxyMetricsTests
{
    [Fact]
    public void An_edge_counts_what_happened_on_it()
    {
        var metrics = new ProxyMetrics();
        var edge = metrics.Edge("a", "b", EdgeDirection.Inbound);
        edge.Open();
        edge.Open();
        edge.Close();
        edge.Deny();
        edge.Move(10, 20);
        metrics.Snapshot().ShouldHaveSingleItem().ShouldBe(
            new EdgeMetrics("a", "b", EdgeDirection.Inbound, 2, 1, 1, 10, 20, 0, 0));
    }

    [Fact]
    public void Sources_beyond_the_bound_share_one_row()
    {
        var metrics = new ProxyMetrics();
        for (var i = 0; i < 2_000; i++)
        {
            metrics.Edge($"s{i}", "b", EdgeDirection.Inbound).Open();
        }

        metrics.Snapshot().Count.ShouldBe(1_025);
        metrics.Snapshot().Sum(static e => e.Opened).ShouldBe(2_000);
    }

    [Fact]
    public void Prometheus_gets_one_line_an_edge_with_names_escaped()
    {
        var metrics = new ProxyMetrics();
        metrics.Edge("a\"b", "c", EdgeDirection.Outbound).Open();
        metrics.ToPrometheus().ShouldContain(
            "praetor_mesh_connections_active{source=\"a\\\"b\",destination=\"c\",direction=\"outbound\"} 1\n");
    }
}
