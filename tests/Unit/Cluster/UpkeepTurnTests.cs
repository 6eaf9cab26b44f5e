using Praetor.Agent.Cluster;
using Shouldly;
using Support;
using Xunit;

namespace Unit.Cluster;

/// <summary>Whose etcd may stand still: one in the whole cluster.</summary>
public sealed class UpkeepTurnTests
{
    private static readonly string[] Names = ["a", "b", "c"];

    private readonly ManualTime _time = new();
    private readonly HashSet<(string From, string To)> _cut = [];
    private readonly Dictionary<string, UpkeepTurn> _servers = [];

    // Who votes, as far as each knows.
    private readonly Dictionary<string, string[]> _known = Names.ToDictionary(static name => name, static _ => Names);

    public UpkeepTurnTests() => Array.ForEach(Names, name => Start(name));

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task One_has_it_and_the_others_wait_until_it_is_over()
    {
        (await TakeAsync("b")).ShouldBeTrue();
        (await TakeAsync("a")).ShouldBeFalse();
        (await TakeAsync("c")).ShouldBeFalse();
        await EndAsync("b");
        (await TakeAsync("c")).ShouldBeTrue();
        (await TakeAsync("a")).ShouldBeFalse();
    }

    [Fact]
    public async Task Who_has_it_may_ask_again()
    {
        (await TakeAsync("a")).ShouldBeTrue();
        (await TakeAsync("a")).ShouldBeTrue();
        (await TakeAsync("b")).ShouldBeFalse();
    }

    [Fact]
    public async Task Of_all_that_ask_at_the_same_moment_one_has_it()
    {
        var taken = await Task.WhenAll(Names.Select(TakeAsync));
        taken.Count(static t => t).ShouldBe(1);
    }

    [Fact]
    public async Task A_server_that_does_not_answer_keeps_nobody_off_and_two_are_too_many()
    {
        Cut("a", "c");
        Cut("a", "b");
        (await TakeAsync("b")).ShouldBeTrue();
        await EndAsync("b");
        Cut("b", "c");
        (await TakeAsync("b")).ShouldBeFalse();
        _cut.Clear();
        (await TakeAsync("c")).ShouldBeTrue("what was granted in vain is given back");
    }

    [Fact]
    public async Task Whoever_shares_no_way_with_the_holder_is_refused_by_who_granted_it()
    {
        Cut("a", "c");
        (await TakeAsync("a")).ShouldBeTrue();
        (await TakeAsync("c")).ShouldBeFalse();
    }

    [Fact]
    public async Task Who_granted_it_and_has_forgotten_it_is_made_up_for_by_the_holder()
    {
        (await TakeAsync("c")).ShouldBeTrue();
        Start("a");
        Start("b");
        (await TakeAsync("a")).ShouldBeFalse();
    }

    [Fact]
    public async Task A_turn_that_nobody_ends_is_over_after_a_while()
    {
        (await TakeAsync("a")).ShouldBeTrue();
        _time.Advance(UpkeepTurn.GrantTime - TimeSpan.FromSeconds(1));
        (await TakeAsync("b")).ShouldBeFalse();
        _time.Advance(TimeSpan.FromSeconds(1));
        (await TakeAsync("b")).ShouldBeTrue();
    }

    [Fact]
    public async Task Who_is_no_voter_gets_no_answer_and_keeps_nobody_off()
    {
        _servers["a"].Answer(new UpkeepAsk("x", IsOver: false), Names).ShouldBeNull();
        (await TakeAsync("b")).ShouldBeTrue();
    }

    [Fact]
    public async Task A_server_that_does_not_know_the_voters_yet_keeps_nobody_off()
    {
        _known["a"] = [];
        (await TakeAsync("b")).ShouldBeTrue("b and c are a majority");
        await EndAsync("b");
        _known["c"] = ["a", "c"];
        (await TakeAsync("b")).ShouldBeFalse("of three only b knows b");
    }

    [Fact]
    public async Task That_a_turn_has_ended_is_heard_from_who_has_lost_its_vote_meanwhile()
    {
        (await TakeAsync("b")).ShouldBeTrue();
        (_known["a"], _known["c"]) = (["a", "c"], ["a", "c"]);
        await EndAsync("b");
        (await _servers["a"].TakeAsync(["a", "c"], Stop)).ShouldBeTrue();
    }

    [Fact]
    public async Task Who_is_alone_asks_nobody()
    {
        (await _servers["a"].TakeAsync(["a"], Stop)).ShouldBeTrue();
    }

    private void Start(string name) => _servers[name] = new UpkeepTurn(
        name,
        async (to, asked, _) =>
        {
            await Task.Yield();
            return _cut.Contains((name, to)) ? null : _servers[to].Answer(asked, _known[to]);
        },
        _time);

    private void Cut(string one, string other)
    {
        _cut.Add((one, other));
        _cut.Add((other, one));
    }

    private Task<bool> TakeAsync(string name) => _servers[name].TakeAsync(Names, Stop);

    private Task EndAsync(string name) => _servers[name].EndAsync(Names, Stop);
}
