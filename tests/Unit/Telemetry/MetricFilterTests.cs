using Praetor.Agent.Telemetry;
using Shouldly;
using Xunit;

namespace Unit.Telemetry;

public sealed class MetricFilterTests
{
    [Theory]
    [InlineData("raft.apply", true)]
    [InlineData("http.PUT.v1.kv", false)]
    [InlineData("http.GET.v1.kv", true)]
    [InlineData("twice.x", false)]
    [InlineData("other", true)]
    public void The_longest_prefix_decides_and_of_equal_ones_the_one_that_leaves_out(string name, bool shows) =>
        new MetricFilter(
            "consul", ["+consul.raft.apply", "-consul.http", "+consul.http.GET", "+consul.twice", "-consul.twice"],
            shows: true).Shows(name).ShouldBe(shows);

    [Fact]
    public void Where_no_prefix_is_named_the_default_holds()
    {
        new MetricFilter("consul", ["+consul.a"], shows: false).Shows("b").ShouldBeFalse();
        new MetricFilter("consul", [], shows: false).Shows("b").ShouldBeFalse();
        MetricFilter.None.Shows("b").ShouldBeTrue();
    }

    [Fact]
    public void What_is_left_out_is_counted_on()
    {
        var metrics = new Metrics(TimeProvider.System);
        metrics.Gauge("a", static () => 1);
        metrics.Gauge("b", static () => 1);
        metrics.Filter = new MetricFilter("consul", ["-consul.a"], shows: true);
        metrics.AllGauges.Select(static g => g.Name).ShouldBe(["b"]);
        metrics.Filter = MetricFilter.None;
        metrics.AllGauges.Count.ShouldBe(2);
    }
}
