using System.Text.Json;
using Shouldly;
using Xunit;

namespace Integration.Conformance;

public sealed class ComparisonTests
{
    [Fact]
    public void More_keys_are_let_pass() => Differences("""{"a":1}""", """{"a":1,"b":2}""").ShouldBeEmpty();

    [Fact]
    public void A_missing_key_is_told() =>
        Differences("""{"a":{"b":1}}""", """{"a":{}}""").ShouldBe(["$.a.b is missing, recorded 1"]);

    [Fact]
    public void Null_an_empty_list_and_an_empty_object_are_three_things()
    {
        Differences("null", "[]").ShouldHaveSingleItem();
        Differences("[]", "{}").ShouldHaveSingleItem();
        Differences("{}", "null").ShouldHaveSingleItem();
    }

    [Fact]
    public void A_masked_index_is_a_number_above_zero()
    {
        Differences("\"<index>\"", "7").ShouldBeEmpty();
        Differences("\"<index>\"", "0").ShouldHaveSingleItem();
        Differences("\"<index>\"", "\"7\"").ShouldHaveSingleItem();
    }

    [Fact]
    public void A_mask_may_stand_inside_a_text()
    {
        Differences("\"at <time>!\"", "\"at 2020-01-01T00:00:00.5Z!\"").ShouldBeEmpty();
        Differences("\"at <time>!\"", "\"at noon!\"").ShouldHaveSingleItem();
    }

    [Fact]
    public void Lists_are_compared_in_order_unless_they_have_none()
    {
        Differences("[1,2]", "[2,1]").Count.ShouldBe(2);
        Differences("[1,2]", "[2,1]", isUnordered: true).ShouldBeEmpty();
        Differences("[1,2]", "[2,2]", isUnordered: true).ShouldHaveSingleItem();
    }

    [Fact]
    public void A_declared_difference_is_let_pass_only_where_it_is_declared()
    {
        var instead = JsonDocument.Parse("2").RootElement;
        Allowance? At(string path) =>
            path == "$.a" ? new Allowance("s/e", "$.a", instead, false, "because") : null;
        Comparison.Of(Parse("""{"a":1}"""), Parse("""{"a":2}"""), false, At).ShouldBeEmpty();
        Comparison.Of(Parse("""{"a":1}"""), Parse("""{"a":3}"""), false, At).ShouldHaveSingleItem();
        Comparison.Of(Parse("""{"b":1}"""), Parse("""{"b":2}"""), false, At).ShouldHaveSingleItem();
    }

    [Fact]
    public void What_was_recorded_empty_may_be_left_out_where_that_is_declared()
    {
        static Allowance? At(string path) => path == "$.a" ? new Allowance("s/e", "$.a", null, true, "because") : null;
        Comparison.Of(Parse("""{"a":""}"""), Parse("{}"), false, At).ShouldBeEmpty();
        Comparison.Of(Parse("""{"a":"x"}"""), Parse("{}"), false, At).ShouldHaveSingleItem();
        Comparison.Of(Parse("""{"a":""}"""), Parse("""{"a":1}"""), false, At).ShouldHaveSingleItem();
    }

    private static IReadOnlyList<string> Differences(string recorded, string actual, bool isUnordered = false) =>
        Comparison.Of(Parse(recorded), Parse(actual), isUnordered);

    private static JsonElement Parse(string json) => JsonDocument.Parse(json).RootElement;
}
