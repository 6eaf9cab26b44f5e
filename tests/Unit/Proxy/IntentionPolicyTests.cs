using Praetor.Proxy.Identity;
using Praetor.Proxy.Policy;
using Shouldly;
using Xunit;

namespace Unit.Proxy;

public sealed class IntentionPolicyTests
{
    private static readonly string[] Names = ["*", "a", "b", "c"];

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Every_rule_set_decides_as_the_naive_evaluator_does(int seed)
    {
        var random = new Random(seed);
        for (var round = 0; round < 5_000; round++)
        {
            var intentions = AnyIntentions(random);
            var isDefaultAllow = random.Next(2) == 0;
            var destination = Names[random.Next(1, Names.Length)];
            var source = Names[random.Next(1, Names.Length)];
            new IntentionPolicy(destination, intentions, isDefaultAllow).Allows(source).ShouldBe(
                Naive(intentions, source, destination, isDefaultAllow),
                $"seed {seed} round {round}: {source} => {destination} by {string.Join("; ", intentions)}");
        }
    }

    [Fact]
    public void Another_namespace_is_denied_whatever_the_default()
    {
        var id = new SpiffeId("t", "other", "dc1", "a");
        new IntentionPolicy("b", [], isDefaultAllow: true).Allows(id).ShouldBeFalse();
    }

    [Fact]
    public void Names_match_whatever_their_case()
    {
        var policy = new IntentionPolicy("DB", [new Intention("Web", "db", IsAllow: false)], isDefaultAllow: true);
        policy.Allows("web").ShouldBeFalse();
        policy.Allows("other").ShouldBeTrue();
    }

    [Theory]
    [InlineData("a", "the intention a => db")]
    [InlineData("b", "the intention * => db")]
    public void Who_is_kept_out_is_told_by_which_rule(string source, string rule) =>
        Why(source, new Intention("a", "db", IsAllow: false), new Intention("*", "db", IsAllow: false))
            .ShouldStartWith(rule);

    [Fact]
    public void Who_is_kept_out_by_no_intention_is_told_of_the_wildcards_and_the_default()
    {
        Why("a", new Intention("a", "*", IsAllow: false), new Intention("*", "*", IsAllow: false))
            .ShouldStartWith("the intention a => *");
        Why("b", new Intention("*", "*", IsAllow: false)).ShouldStartWith("the intention * => *");
        Why("b").ShouldContain("the default denies");
    }

    private static string Why(string source, params Intention[] intentions) =>
        new IntentionPolicy("db", intentions, isDefaultAllow: false)
            .WhyNot(new SpiffeId("t", "default", "dc1", source));

    private static List<Intention> AnyIntentions(Random random) => [.. Names
        .SelectMany(static _ => Names, static (source, destination) => (source, destination))
        .Where(_ => random.Next(3) == 0)
        .Select(pair => new Intention(pair.source, pair.destination, random.Next(2) == 0))];

    // Consul's table: the highest precedence of all that match decides.
    private static bool Naive(List<Intention> all, string source, string destination, bool isDefaultAllow)
    {
        var matching = all.Where(i => (i.Source == source || i.Source == "*")
            && (i.Destination == destination || i.Destination == "*"));
        var best = matching.OrderByDescending(static i => (i.Source, i.Destination) switch
        {
            ("*", "*") => 5,
            (_, "*") => 6,
            ("*", _) => 8,
            _ => 9,
        }).FirstOrDefault();
        return best?.IsAllow ?? isDefaultAllow;
    }
}
