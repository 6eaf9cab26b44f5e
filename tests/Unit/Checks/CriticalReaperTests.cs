using Praetor.Agent.Checks;
using Shouldly;
using Support;
using Xunit;

namespace Unit.Checks;

public sealed class CriticalReaperTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(2);
    private readonly ManualTime _time = new();
    private readonly List<string> _gone = [];
    private readonly CriticalReaper _reaper;

    public CriticalReaperTests() => _reaper = new CriticalReaper(new Deadlines(_time), _time, _gone.Add);

    [Fact]
    public void A_service_critical_beyond_its_limit_goes_within_one_round()
    {
        _reaper.Put(Spec());
        _time.Advance(Limit);
        _gone.ShouldBeEmpty();
        _time.Advance(CheckLimits.ReapInterval);
        _gone.ShouldBe(["web"]);
    }

    [Fact]
    public void A_service_that_recovers_in_between_stays()
    {
        _reaper.Put(Spec());
        _time.Advance(Limit * 0.9);
        _reaper.Observe("c", CheckStatus.Warning);
        _reaper.CriticalFor("c").ShouldBeNull();
        _reaper.Observe("c", CheckStatus.Critical);
        _time.Advance(Limit * 0.9);
        _gone.ShouldBeEmpty();
    }

    [Fact]
    public void Registering_a_dead_service_again_gives_it_no_more_time()
    {
        _reaper.Put(Spec());
        _time.Advance(Limit * 0.9);
        _reaper.Put(Spec());
        _reaper.CriticalFor("c").ShouldBe(Limit * 0.9);
    }

    [Fact]
    public void A_limit_below_a_minute_is_a_minute()
    {
        _reaper.Put(Spec() with { DeregisterCriticalServiceAfter = TimeSpan.FromSeconds(1) });
        _time.Advance(TimeSpan.FromMinutes(1));
        _gone.ShouldBeEmpty();
        _time.Advance(CheckLimits.ReapInterval);
        _gone.ShouldBe(["web"]);
    }

    [Fact]
    public void A_removed_check_and_a_check_of_the_node_reap_nothing()
    {
        _reaper.Put(Spec());
        _reaper.Remove("c");
        _reaper.Put(Spec() with { Id = "n", ServiceId = "" });
        _time.Advance(Limit * 3);
        _gone.ShouldBeEmpty();
    }

    private static CheckSpec Spec() =>
        new() { Id = "c", ServiceId = "web", DeregisterCriticalServiceAfter = Limit, Ttl = Limit };
}
