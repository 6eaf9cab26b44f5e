using Praetor.Agent.Http;
using Praetor.Agent.Http.Endpoints;
using Praetor.Agent.Telemetry;
using Shouldly;
using Support;
using Xunit;

namespace Unit.Telemetry;

public sealed class RequestTimesTests
{
    private readonly ManualTime _time = new();
    private readonly Metrics _metrics;

    public RequestTimesTests() => _metrics = new Metrics(_time);

    // Names as the real Consul 1.8.7 shows them, and the labels of today's.
    [Theory]
    [InlineData("/v1/kv/{key*}", "http.GET.v1.kv._", "v1_kv_")]
    [InlineData("/v1/catalog/services", "http.GET.v1.catalog.services", "v1_catalog_services")]
    [InlineData("/v1/query/{id}/execute", "http.GET.v1.query._", "v1_query_")]
    [InlineData("/v1/agent/connect/ca/leaf/{service}", "http.GET.v1.agent.connect.ca.leaf._",
        "v1_agent_connect_ca_leaf_")]
    public void A_path_is_named_up_to_its_variable_part(string pattern, string name, string label)
    {
        new RequestTimes(pattern).Add(_metrics, "GET", _metrics.Now());
        Names().ShouldBe([$"api.http method=GET path={label}", name]);
    }

    [Fact]
    public void Both_names_show_how_long_it_took()
    {
        Take(new RequestTimes("/v1/kv/{key*}"), 30);
        Take(new RequestTimes("/v1/kv/{key*}"), 50);
        _time.Advance(Metrics.Interval);
        foreach (var series in _metrics.Samples)
        {
            series.Interval.ShouldBe(new Aggregate(2, 80, (30 * 30) + (50 * 50), 30, 50));
            series.Total.ShouldBe(series.Interval);
        }

        _time.Advance(Metrics.Interval);
        _metrics.Samples.ShouldAllBe(static s => s.Interval.Count == 0 && s.Total.Count == 2);
    }

    [Fact]
    public void Methods_are_told_apart_and_invented_ones_make_no_names()
    {
        var times = new RequestTimes("/v1/status/leader");
        foreach (var method in (string[])["HEAD", "OPTIONS", "FOO", "BAR"])
        {
            times.Add(_metrics, method, _metrics.Now());
        }

        Names().ShouldBe(
        [
            "api.http method=HEAD path=v1_status_leader", "api.http method=OPTIONS path=v1_status_leader",
            "http.HEAD.v1.status.leader", "http.OPTIONS.v1.status.leader",
        ]);
    }

    [Fact]
    public void A_path_keeps_the_sum_of_all_its_rows()
    {
        var routes = new RouteTable();
        foreach (var pattern in (string[])["/v1/query/{id}", "/v1/query/{id}/execute"])
        {
            routes.Handle("GET", pattern, AclRequirement.None, static _ => new ValueTask<Reply>(Reply.Ok), "");
        }

        foreach (var path in (string[])["/v1/query/a", "/v1/query/b", "/v1/query/a/execute"])
        {
            Take(routes.Find(path)!.Times!, 1);
        }

        _metrics.Samples.ShouldAllBe(static s => s.Total.Count == 3);
    }

    [Fact]
    public void What_many_threads_observe_is_summed_and_none_is_lost()
    {
        const int Each = 10_000;
        var times = new RequestTimes("/v1/status/leader");
        Parallel.For(0, 8, _ =>
        {
            for (var i = 0; i < Each; i++)
            {
                times.Add(_metrics, "GET", _metrics.Now());
            }
        });
        _metrics.Samples.ShouldAllBe(static s => s.Total.Count == 8 * Each);
    }

    [Fact]
    public void After_the_first_time_nothing_is_allocated()
    {
        var times = new RequestTimes("/v1/status/leader");
        var began = _metrics.Now();
        Many();

        var before = GC.GetAllocatedBytesForCurrentThread();
        Many();
        var bytes = GC.GetAllocatedBytesForCurrentThread() - before;

        // A part per processor may be new still, as the thread may have moved.
        bytes.ShouldBeLessThan(10_000);

        void Many()
        {
            for (var i = 0; i < 1000; i++)
            {
                times.Add(_metrics, "GET", began);
            }
        }
    }

    private void Take(RequestTimes times, double milliseconds)
    {
        var began = _metrics.Now();
        _time.Advance(TimeSpan.FromMilliseconds(milliseconds));
        times.Add(_metrics, "GET", began);
    }

    private List<string> Names() => [.. _metrics.Samples.Select(static s =>
        string.Join(' ', [s.Name, .. s.Labels.Select(static l => $"{l.Name}={l.Value}")]))];
}
