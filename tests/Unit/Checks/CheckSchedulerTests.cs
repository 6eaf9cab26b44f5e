using Microsoft.Extensions.Logging.Abstractions;
using Praetor.Agent.Checks;
using Shouldly;
using Support;
using Xunit;

namespace Unit.Checks;

public sealed class CheckSchedulerTests : IAsyncDisposable
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(10);
    private readonly ManualTime _time = new();
    private readonly ManualRunner _runner = new();
    private readonly RecordingSink _sink = new();
    private readonly Deadlines _deadlines;
    private readonly CheckScheduler _scheduler;

    public CheckSchedulerTests()
    {
        _deadlines = new Deadlines(_time);
        _scheduler = new CheckScheduler(
            _ => _runner, _sink, _deadlines, new FixedRandom(0.5), NullLogger.Instance);
    }

    [Fact]
    public async Task The_first_run_comes_at_a_random_moment_of_the_interval()
    {
        _scheduler.Put(Spec());
        _time.Advance(Interval * 0.49);
        _runner.Count.ShouldBe(0);
        _time.Advance(Interval * 0.02);
        (await _runner.NextAsync()).Spec.Id.ShouldBe("c");
    }

    [Fact]
    public async Task A_slow_check_never_overlaps_itself()
    {
        _scheduler.Put(Spec());
        _time.Advance(Interval);
        var run = await _runner.NextAsync();
        _time.Advance(Interval * 10);
        _runner.Count.ShouldBe(1);
        run.End.SetResult(CheckResult.Passing("ok"));
        (await _sink.NextAsync()).ShouldBe(new("c", CheckStatus.Passing, "ok"));
        _time.Advance(Interval);
        await _runner.NextAsync();
    }

    [Fact]
    public async Task An_eager_check_runs_often_until_it_passes_and_then_at_its_interval()
    {
        _scheduler.Put(Spec() with { IsEager = true });
        for (var failures = 0; failures < 5; failures++)
        {
            _time.Advance(CheckLimits.EagerInterval);
            (await _runner.NextAsync()).End.SetResult(CheckResult.Critical("not yet"));
            await _sink.NextAsync();
        }

        _time.Advance(CheckLimits.EagerInterval);
        (await _runner.NextAsync()).End.SetResult(CheckResult.Passing("ok"));
        await _sink.NextAsync();
        var runs = _runner.Count;
        _time.Advance(Interval * 0.99);
        _runner.Count.ShouldBe(runs);
        _time.Advance(Interval * 0.02);
        await _runner.NextAsync();
    }

    [Fact]
    public async Task A_removed_check_is_cancelled_and_stays_silent()
    {
        _scheduler.Put(Spec());
        _time.Advance(Interval);
        var run = await _runner.NextAsync();
        _scheduler.Remove("c").ShouldBeTrue();
        run.Stop.IsCancellationRequested.ShouldBeTrue();
        _time.PendingTimers.ShouldBe(0);
        await _scheduler.DisposeAsync();
        _sink.All.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_replaced_check_runs_by_its_new_definition()
    {
        _scheduler.Put(Spec());
        _time.Advance(Interval);
        var old = await _runner.NextAsync();
        _scheduler.Put(Spec() with { Http = "http://new" });
        old.Stop.IsCancellationRequested.ShouldBeTrue();
        _time.Advance(Interval);
        (await _runner.NextAsync()).Spec.Http.ShouldBe("http://new");
    }

    [Fact]
    public async Task A_run_that_throws_is_a_critical_result_and_the_check_goes_on()
    {
        _scheduler.Put(Spec());
        _time.Advance(Interval);
        (await _runner.NextAsync()).End.SetException(new InvalidOperationException("boom"));
        (await _sink.NextAsync()).ShouldBe(new("c", CheckStatus.Critical, "check could not be run: boom"));
        _time.Advance(Interval);
        await _runner.NextAsync();
    }

    [Fact]
    public async Task An_interval_below_a_second_is_a_second()
    {
        _scheduler.Put(Spec() with { Interval = TimeSpan.FromMilliseconds(1) });
        _time.Advance(TimeSpan.FromMilliseconds(499));
        _runner.Count.ShouldBe(0);
        _time.Advance(TimeSpan.FromMilliseconds(2));
        await _runner.NextAsync();
    }

    [Fact]
    public void All_checks_share_one_timer()
    {
        for (var i = 0; i < 1000; i++)
        {
            _scheduler.Put(Spec() with { Id = $"c{i}" });
        }

        _time.PendingTimers.ShouldBe(1);
    }

    [Fact]
    public async Task No_more_processes_run_at_once_than_the_limit_allows()
    {
        for (var i = 0; i <= CheckLimits.ProcessRunsMax; i++)
        {
            _scheduler.Put(Spec() with { Id = $"c{i}", Http = "", ScriptArgs = ["true"] });
        }

        _time.Advance(Interval);
        var first = await _runner.NextAsync();
        for (var i = 1; i < CheckLimits.ProcessRunsMax; i++)
        {
            await _runner.NextAsync();
        }

        _runner.Count.ShouldBe(CheckLimits.ProcessRunsMax);
        first.End.SetResult(CheckResult.Passing(""));
        await _runner.NextAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _scheduler.DisposeAsync();
        _deadlines.Dispose();
    }

    private static CheckSpec Spec() => new() { Id = "c", Http = "http://x", Interval = Interval };
}
