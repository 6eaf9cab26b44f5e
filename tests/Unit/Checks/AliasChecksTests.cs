using Praetor.Agent.Checks;
using Shouldly;
using Support;
using Xunit;

namespace Unit.Checks;

public sealed class AliasChecksTests
{
    private readonly ManualTime _time = new();
    private readonly RecordingSink _sink = new();
    private readonly FakeSource _source = new();
    private readonly AliasChecks _aliases;

    public AliasChecksTests() => _aliases = new AliasChecks(_source, _sink, new Deadlines(_time));

    [Fact]
    public void A_missing_service_is_critical()
    {
        _source.View = new AliasView(Exists: false, []);
        Result().ShouldBe((CheckStatus.Critical, "Service web could not be found on node "));
    }

    [Fact]
    public void A_service_without_checks_passes() => Result().ShouldBe((CheckStatus.Passing, "No checks found."));

    [Fact]
    public void All_checks_passing_is_passing() =>
        Result(Check("a", CheckStatus.Passing)).ShouldBe((CheckStatus.Passing, "All checks passing."));

    [Fact]
    public void The_worst_check_is_named() =>
        Result(Check("a", CheckStatus.Warning), Check("b", CheckStatus.Critical), Check("c", CheckStatus.Passing))
            .ShouldBe((CheckStatus.Critical, "Aliased check \"name of b\" failing: out of b"));

    [Fact]
    public void A_failing_node_fails_its_services() =>
        Result(Check("n", CheckStatus.Critical) with { ServiceId = "" }).Status.ShouldBe(CheckStatus.Critical);

    [Fact]
    public void Other_services_and_the_alias_itself_do_not_count() => Result(
        Check("o", CheckStatus.Critical) with { ServiceId = "other" },
        Check("alias", CheckStatus.Critical),
        Check("n", CheckStatus.Critical) with { ServiceId = "", IsAlias = true })
        .Status.ShouldBe(CheckStatus.Passing);

    [Fact]
    public void A_mirrored_alias_is_quoted_up_to_where_it_quotes_oneself()
    {
        const string Theirs = "Aliased check \"x\" failing: Aliased check \"own\" failing: and so on";
        var check = Check("b", CheckStatus.Critical) with { IsAlias = true, Output = Theirs };
        var own = new CheckSpec { Id = "alias", Name = "own", AliasService = "web" };
        AliasChecks.Judge(own, new AliasView(true, [check])).Output
            .ShouldBe("Aliased check \"name of b\" failing: Aliased check \"x\" failing: ");
    }

    [Fact]
    public void A_change_is_mirrored_and_the_same_result_is_not_repeated()
    {
        Result(Check("a", CheckStatus.Passing));
        _source.View = new AliasView(Exists: true, [Check("a", CheckStatus.Warning)]);
        _source.Change();
        _source.Change();
        _time.Advance(TimeSpan.Zero);
        _source.Change();
        _time.Advance(TimeSpan.Zero);
        _sink.All.Select(static report => report.Status).ShouldBe([CheckStatus.Passing, CheckStatus.Warning]);
    }

    [Fact]
    public void A_removed_alias_no_longer_listens()
    {
        Result();
        _aliases.Remove("alias").ShouldBeTrue();
        _source.Listeners.ShouldBe(0);
    }

    private (CheckStatus Status, string Output) Result(params AliasedCheck[] checks)
    {
        _source.View = _source.View with { Checks = checks };
        _aliases.Put(new CheckSpec { Id = "alias", AliasService = "web" });
        _time.Advance(TimeSpan.Zero);
        return (_sink.Last.Status, _sink.Last.Output);
    }

    private static AliasedCheck Check(string id, CheckStatus status) =>
        new(id, $"name of {id}", "web", status, $"out of {id}");

    private sealed class FakeSource : IAliasSource
    {
        private Action _changed = static () => { };

        public AliasView View { get; set; } = new(Exists: true, []);

        public int Listeners { get; private set; }

        public AliasView Look(string node, string serviceId) => View;

        public IDisposable Subscribe(string node, string serviceId, Action changed)
        {
            Listeners++;
            _changed = changed;
            return new Subscription(this);
        }

        public void Change() => _changed();

        private sealed class Subscription(FakeSource source) : IDisposable
        {
            public void Dispose() => source.Listeners--;
        }
    }
}
