using Praetor.Agent.Telemetry;
using Shouldly;
using Support;
using Xunit;

namespace Unit.Logging;

public sealed class MetricsTests
{
    [Fact]
    public void The_last_interval_is_shown_and_totals_go_on()
    {
        var time = new ManualTime();
        var metrics = new Metrics(time);
        metrics.Count("client.rpc");
        metrics.Count("client.rpc");
        metrics.Sample("kvs.apply", 4);
        metrics.Sample("kvs.apply", 8);

        time.Advance(Metrics.Interval);
        var counter = metrics.Counters.ShouldHaveSingleItem();
        counter.Interval.Sum.ShouldBe(2);
        metrics.Samples.ShouldHaveSingleItem().Interval.Mean.ShouldBe(6);

        time.Advance(Metrics.Interval);
        metrics.Counters.ShouldHaveSingleItem().Interval.Count.ShouldBe(0);
        metrics.Counters.ShouldHaveSingleItem().Total.Sum.ShouldBe(2);
    }

    [Fact]
    public void Labels_from_outside_cannot_grow_it_without_end()
    {
        var metrics = new Metrics(new ManualTime());

        for (var i = 0; i < Metrics.SeriesMax + 100; i++)
        {
            metrics.Count("api.http", new MetricLabel("path", i.ToString()));
        }

        metrics.Counters.Count.ShouldBe(Metrics.SeriesMax);
    }
}
