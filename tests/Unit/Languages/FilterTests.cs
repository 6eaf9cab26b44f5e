using Languages.Filters;
using Shouldly;
using Xunit;

namespace Unit.Languages;

internal sealed record Inner(string Name, string Status)
{
    public static readonly FilterFields<Inner> Fields =
        new FilterFields<Inner>().Text("Name", i => i.Name).Text("Status", i => i.Status);
}

internal sealed record Thing(
    string Name,
    long Port,
    bool Flag,
    ulong Index,
    double Ratio,
    string[] Tags,
    Dictionary<string, string>? Meta,
    Inner? Weights,
    Inner[] Items,
    Dictionary<string, Inner> Addresses)
{
    public static readonly FilterFields<Thing> Fields = new FilterFields<Thing>()
        .Text("Name", t => t.Name)
        .Whole("Port", t => t.Port)
        .Flag("Flag", t => t.Flag)
        .Unsigned("Index", t => t.Index)
        .Real("Ratio", t => t.Ratio)
        .Texts("Tags", t => t.Tags)
        .TextMap("Meta", t => t.Meta)
        .Object("Weights", t => t.Weights, Inner.Fields)
        .Objects("Items", t => t.Items, Inner.Fields)
        .ObjectMap("Addresses", t => t.Addresses, Inner.Fields);

    public static readonly Thing Sample = new(
        "web",
        80,
        false,
        14,
        1.5,
        ["a", "b"],
        new Dictionary<string, string>(StringComparer.Ordinal) { ["x-y"] = "1", ["v"] = "2" },
        new Inner("w", ""),
        [new Inner("c1", "critical"), new Inner("c2", "passing")],
        new Dictionary<string, Inner>(StringComparer.Ordinal) { ["lan"] = new("l", "up") });
}

/// <summary>Verdicts and texts of Consul 1.8.7, asked with ?filter= on records of the same shape.</summary>
public sealed class FilterTests
{
    [Theory]
    [InlineData("", true)]
    [InlineData("Name == web", true)]
    [InlineData("Name==web", true)]
    [InlineData("  Name  ==  web  ", true)]
    [InlineData("(Name == web)", true)]
    [InlineData("not Name == x", true)]
    [InlineData("not (Port == 80)", false)]
    [InlineData("Name == \"web\" and Port == 80", true)]
    [InlineData("(Port == 80) and (Port == 81) or (Port == 80)", true)]
    [InlineData("(Port == 80) or (Port == 80) and (Port == 81)", true)]
    [InlineData("Port == \"0x50\"", true)]
    [InlineData("Flag == false", true)]
    [InlineData("Flag == False", true)]
    [InlineData("Flag == t", false)]
    [InlineData("Ratio == 1.5", true)]
    [InlineData("Index == 14", true)]
    [InlineData("a in Tags", true)]
    [InlineData("in in Tags", false)]
    [InlineData("x not in Tags", true)]
    [InlineData("Tags contains a", true)]
    [InlineData("Tags not contains a", false)]
    [InlineData("Tags contains \"\"", false)]
    [InlineData("Tags is empty", false)]
    [InlineData("Tags is not empty", true)]
    [InlineData("Name contains e", true)]
    [InlineData("e in Name", true)]
    [InlineData("Name matches \"w.*\"", true)]
    [InlineData("Name matches \"WEB\"", false)]
    [InlineData("Name matches \"(?i)WEB\"", true)]
    [InlineData("Name not matches `^b`", true)]
    [InlineData("Meta.v == 2", true)]
    [InlineData("Meta.v == `2`", true)]
    [InlineData("Meta.v == \"\\x32\"", true)]
    [InlineData("Meta.v == -2", false)]
    [InlineData("Meta.v == a.b", false)]
    [InlineData("Meta[ \"x-y\" ] == 1", true)]
    [InlineData("Meta contains v", true)]
    [InlineData("v in Meta", true)]
    [InlineData("Meta is empty", false)]
    [InlineData("Meta.zz == 2", false)]
    [InlineData("Meta.zz != 2", true)]
    [InlineData("Meta.zz contains a", false)]
    [InlineData("Meta.zz not contains a", true)]
    [InlineData("Meta.zz matches a", true)]
    [InlineData("Meta.zz not matches a", true)]
    [InlineData("Weights.Name == w", true)]
    [InlineData("Items.Status == passing", true)]
    [InlineData("Items.Status != passing", true)]
    [InlineData("Items.Status == warning", false)]
    [InlineData("not Items.Status == passing", false)]
    [InlineData("pass in Items.Status", true)]
    [InlineData("Items is empty", false)]
    [InlineData("Addresses.lan.Name == l", true)]
    [InlineData("Addresses.wan.Name == l", false)]
    [InlineData("Addresses.wan.Name != l", true)]
    [InlineData("Addresses contains lan", true)]
    [InlineData("not not Name == web", true)]
    public void An_expression_decides(string text, bool matches)
    {
        var parsed = Filter<Thing>.Parse(text, Thing.Fields);
        parsed.Error.ShouldBeNull();
        parsed.Value!.Matches(Thing.Sample).ShouldBe(matches);
    }

    [Theory]
    [InlineData("Foo == 1", "Selector \"Foo\" is not valid")]
    [InlineData("name == web", "Selector \"name\" is not valid")]
    [InlineData("Name == web or Foo == 1", "Selector \"Foo\" is not valid")]
    [InlineData("Tags.a == 1", "Selector \"Tags.a\" is not valid")]
    [InlineData("Weights.Foo.Bar == 1", "Selector \"Weights.Foo\" is not valid")]
    [InlineData("Tags[\"0\"] == a", "Selector \"Tags.0\" is not valid")]
    [InlineData("Tags == a", "Invalid match operator \"Equal\" for selector \"Tags\"")]
    [InlineData("Name is empty", "Invalid match operator \"Is Empty\" for selector \"Name\"")]
    [InlineData("Meta.zz is empty", "Invalid match operator \"Is Empty\" for selector \"Meta.zz\"")]
    [InlineData("Name is not empty", "Invalid match operator \"Is Not Empty\" for selector \"Name\"")]
    [InlineData("Port matches 8", "Invalid match operator \"Matches\" for selector \"Port\"")]
    [InlineData("Port contains 8", "Invalid match operator \"In\" for selector \"Port\"")]
    [InlineData("Weights == x", "Invalid match operator \"Equal\" for selector \"Weights\"")]
    [InlineData("Addresses.lan == x", "Invalid match operator \"Equal\" for selector \"Addresses.lan\"")]
    [InlineData("Items contains x", "Invalid match operator \"In\" for selector \"Items\"")]
    [InlineData("Port == abc", "Failed to coerce value \"abc\" for selector \"Port\": strconv.ParseInt: parsing \"abc\": invalid syntax")]
    [InlineData("Port == 80.5", "Failed to coerce value \"80.5\" for selector \"Port\": strconv.ParseInt: parsing \"80.5\": invalid syntax")]
    [InlineData("Port == \"0_80\"", "Failed to coerce value \"0_80\" for selector \"Port\": strconv.ParseInt: parsing \"0_80\": invalid syntax")]
    [InlineData("Port == 99999999999999999999", "Failed to coerce value \"99999999999999999999\" for selector \"Port\": strconv.ParseInt: parsing \"99999999999999999999\": value out of range")]
    [InlineData("Flag == \"no\"", "Failed to coerce value \"no\" for selector \"Flag\": strconv.ParseBool: parsing \"no\": invalid syntax")]
    [InlineData("Name matches \"(\"", "Failed to compile regular expression \"(\": error parsing regexp: missing closing ): `(`")]
    [InlineData("Name", "1:5 (4): no match found, expected: \"!=\", \".\", \"==\", \"[\", [ \\t\\r\\n] or [a-zA-Z0-9_]")]
    [InlineData("Name ==", "1:8 (7): no match found, expected: \"-\", \"0\", \"\\\"\", \"`\", [ \\t\\r\\n], [1-9] or [a-zA-Z]")]
    [InlineData("Name = web", "1:6 (5): no match found, expected: \"!=\", \"==\", \"contains\", \"in\", \"is\", \"matches\", \"not\" or [ \\t\\r\\n]")]
    [InlineData("Name == web AND Port == 80", "1:13 (12): no match found, expected: \"and\", \"or\", [ \\t\\r\\n] or EOF")]
    [InlineData("Name == web and", "1:16 (15): no match found, expected: [ \\t\\r\\n]")]
    [InlineData("((Name == web", "1:14 (13): rule \"grouping\": Unmatched parentheses")]
    [InlineData("Port == 0x50", "1:10 (9): rule \"number\": Invalid number literal")]
    [InlineData("Meta.v == 2a", "1:12 (11): rule \"number\": Invalid number literal")]
    [InlineData("Meta.v == \"2", "1:13 (12): rule \"string\": Unterminated string literal")]
    [InlineData("Meta.v == \"a\\qb\"", "1:11 (10): rule \"string\": invalid syntax")]
    [InlineData("Meta[\"a", "1:8 (7): rule \"string\": Unterminated string literal\n1:6 (5): rule \"index\": Invalid index")]
    [InlineData("Meta[a] == 1", "1:6 (5): rule \"index\": Invalid index")]
    [InlineData("Meta[\"a\"", "1:9 (8): rule \"index\": Unclosed index expression")]
    [InlineData("Meta.v == a-b", "1:12 (11): no match found, expected: \".\", \"[\", [ \\t\\r\\n], [a-zA-Z0-9_] or EOF")]
    [InlineData("not(Port == 80)", "1:4 (3): no match found, expected: \"!=\", \".\", \"==\", \"[\", [ \\t\\r\\n] or [a-zA-Z0-9_]")]
    [InlineData("( Port == 80 )and Port == 80", "1:15 (14): no match found, expected: [ \\t\\r\\n] or EOF")]
    [InlineData("\"a\" in 5", "1:8 (7): rule \"match\": Invalid selector")]
    [InlineData("\"a\" in", "1:7 (6): no match found, expected: [ \\t\\r\\n]")]
    [InlineData("\"a\" == Tags", "1:5 (4): no match found, expected: \"in\", \"not\" or [ \\t\\r\\n]")]
    [InlineData(")", "1:1 (0): no match found, expected: \"(\", \"-\", \"0\", \"\\\"\", \"`\", \"not\", [ \\t\\r\\n], [1-9] or [a-zA-Z]")]
    [InlineData("(", "1:2 (1): no match found, expected: \"(\", \"-\", \"0\", \"\\\"\", \"`\", \"not\", [ \\t\\r\\n], [1-9] or [a-zA-Z]")]
    public void A_bad_expression_gets_the_text_that_clients_know(string text, string what) =>
        Filter<Thing>.Parse(text, Thing.Fields).Error.ShouldNotBeNull().What
            .ShouldBe($"Failed to create boolean expression evaluator: {what}");

    [Fact]
    public void Endless_parentheses_are_refused_at_once()
    {
        foreach (var opening in new[] { "(", "not ", "( (" })
        {
            var text = string.Concat(Enumerable.Repeat(opening, 10_000));
            Filter<Thing>.Parse(text, Thing.Fields).IsOk.ShouldBeFalse();
        }
    }

    [Fact]
    public void A_chain_of_thousands_is_fine()
    {
        var text = string.Join(" and ", Enumerable.Repeat("Port == 80", 4_000));
        Filter<Thing>.Parse(text, Thing.Fields).Value!.Matches(Thing.Sample).ShouldBeTrue();
    }

    [Fact]
    public void An_absent_object_matches_nothing() =>
        Filter<Thing>.Parse("Weights.Name == w", Thing.Fields).Value!
            .Matches(Thing.Sample with { Weights = null }).ShouldBeFalse();
}
