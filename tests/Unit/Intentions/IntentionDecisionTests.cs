using Praetor.Server.Intentions;
using Praetor.Server.State;
using Shouldly;
using Xunit;

namespace Unit.Intentions;

public sealed class IntentionDecisionTests
{
    private static readonly DefaultPolicy Allow = DefaultPolicy.FromAcl(true);
    private static readonly DefaultPolicy Deny = DefaultPolicy.FromAcl(false);

    [Theory]
    [InlineData("web", "db", 9)]
    [InlineData("*", "db", 8)]
    [InlineData("web", "*", 6)]
    [InlineData("*", "*", 5)]
    public void Precedence_follows_consuls_table(string source, string destination, int precedence) =>
        Intention.PrecedenceOf("default", source, destination).ShouldBe(precedence);

    [Fact]
    public void The_default_decides_where_no_intention_does()
    {
        var decision = IntentionBook.Empty.Decide(new IntentionName("web"), "db", Allow);
        decision.ShouldBe(new IntentionDecision(true, "Default behavior configured by ACLs", null));
        IntentionBook.Empty.Decide(new IntentionName("web"), "db", DefaultPolicy.FromSetting(false))
            .ShouldBe(new IntentionDecision(false, "Default intention policy", null));
    }

    [Fact]
    public void A_decision_names_its_intention()
    {
        var book = Book(Rule("api", "*", "deny") with { Id = "626a778b-61dd-c93e-d5e3-5ba2fc4f37f4" });
        book.Decide(new IntentionName("api"), "x", Allow).Reason.ShouldBe(
            "Matched L4 intention: DENY default/api => default/* " +
            "(ID: 626a778b-61dd-c93e-d5e3-5ba2fc4f37f4, Precedence: 6)");
    }

    [Fact]
    public void Permissions_on_requests_deny_a_bare_connection()
    {
        var rule = Rule("web", "db", "") with { Permissions = [new System.Text.Json.Nodes.JsonObject()] };
        var decision = Book(rule).Decide(new IntentionName("web"), "db", Allow);
        decision.Allowed.ShouldBeFalse();
        decision.Reason.ShouldStartWith("Matched L7 intention: ");
    }

    [Fact]
    public void Names_are_compared_without_case() =>
        Book(Rule("Web", "DB", "deny")).Decide(new IntentionName("web"), "db", Allow).Allowed.ShouldBeFalse();

    [Fact]
    public void A_services_rules_do_not_hold_for_a_peers_service_of_the_same_name() =>
        Book(Rule("web", "db", "allow"))
            .Decide(new IntentionName("web", Peer: "east"), "db", Deny).Allowed.ShouldBeFalse();

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Decisions_equal_those_of_a_naive_evaluator(int seed)
    {
        var random = new Random(seed);
        string[] names = ["a", "b", "c", "d", "*"];
        for (var round = 0; round < 300; round++)
        {
            var rules = Enumerable.Range(0, random.Next(12))
                .Select(_ => Rule(Pick(names), Pick(names), Pick(["allow", "deny"])))
                .DistinctBy(static r => (r.SourceName, r.DestinationName))
                .ToList();
            var book = Book([.. rules]);
            foreach (var source in names[..4])
            {
                foreach (var destination in names[..4])
                {
                    var byDefault = random.Next(2) == 0 ? Allow : Deny;
                    book.Decide(new IntentionName(source), destination, byDefault).Allowed
                        .ShouldBe(Naive(rules, source, destination, byDefault), $"seed {seed}, round {round}");
                }
            }
        }

        string Pick(string[] from) => from[random.Next(from.Length)];
    }

    [Fact]
    public void Match_lists_in_order_of_precedence()
    {
        var book = Book(
            Rule("*", "*", "allow"), Rule("api", "*", "deny"), Rule("*", "db", "allow"), Rule("web", "db", "deny"));
        book.MatchDestination("db").Select(static i => i.SourceName + ">" + i.DestinationName)
            .ShouldBe(["web>db", "*>db", "api>*", "*>*"]);
        book.MatchDestination("*").Select(static i => i.SourceName + ">" + i.DestinationName)
            .ShouldBe(["api>*", "*>*"]);
        book.MatchSource(new IntentionName("web")).Select(static i => i.SourceName + ">" + i.DestinationName)
            .ShouldBe(["web>db", "*>db", "*>*"]);
    }

    [Theory]
    [InlineData("", "spiffe://a.consul/ns/default/dc/dc1/svc/web", "Target service must be specified")]
    [InlineData("db", "foo", "ClientCertURI not a valid Connect identifier")]
    [InlineData("db", "spiffe://a.consul", "ClientCertURI not a valid Service identifier")]
    [InlineData("db", "spiffe://a.consul/agent/client/dc/dc1/id/x", "ClientCertURI not a valid Service identifier")]
    public void A_question_without_sense_is_refused_in_consuls_words(string target, string uri, string text)
    {
        Authorization.TryDecide(target, uri, "a.consul", IntentionBook.Empty, Allow, out _, out var refusal)
            .ShouldBeFalse();
        refusal.ShouldBe(Refusal.BadRequest(text));
    }

    [Fact]
    public void An_identity_of_another_trust_domain_is_denied()
    {
        Authorization.TryDecide(
            "db", "spiffe://b.consul/ns/default/dc/dc1/svc/web", "a.consul", IntentionBook.Empty, Allow,
            out var decision, out _).ShouldBeTrue();
        decision!.Allowed.ShouldBeFalse();
    }

    internal static Intention Rule(string source, string destination, string action) => new()
    {
        SourceName = source,
        DestinationName = destination,
        Action = action,
        Precedence = Intention.PrecedenceOf("default", source, destination),
    };

    private static IntentionBook Book(params Intention[] rules) => new(rules);

    private static bool Naive(List<Intention> rules, string source, string destination, DefaultPolicy byDefault)
    {
        var fitting = rules
            .Where(r => (r.SourceName == source || r.SourceName == "*") &&
                (r.DestinationName == destination || r.DestinationName == "*"))
            .OrderByDescending(static r => r.DestinationName != "*")
            .ThenByDescending(static r => r.SourceName != "*")
            .FirstOrDefault();
        return fitting is null ? byDefault.IsAllow : fitting.Action == "allow";
    }
}
