using System.Text.Json;
using Praetor.CommandLine;
using Shouldly;
using Xunit;

namespace Unit.Cli;

public sealed class FormatTests
{
    [Fact]
    public void Columns_are_two_spaces_apart_and_the_last_is_not_filled()
    {
        var table = new Columns("Node", "DC");
        table.Add("long-name", "dc1");
        table.Add("n", "");
        table.ToString().ShouldBe("Node       DC\nlong-name  dc1\nn          ");
    }

    [Fact]
    public void Columns_count_characters_and_not_bytes()
    {
        var table = new Columns("ключ", "v");
        table.Add("a", "b");
        table.ToString().ShouldBe("ключ  v\na     b");
    }

    [Fact]
    public void Fields_stand_below_each_other()
    {
        var lines = new Fields(padding: 6);
        lines.Add("CreateIndex", "5");
        lines.Add("Key", "k");
        lines.ToString().ShouldBe("CreateIndex      5\nKey              k\n");
    }

    [Theory]
    [InlineData("{}", "{}")]
    [InlineData("[]", "[]")]
    [InlineData("{\"a\":[1,{\"b\":null}]}", "{\n\t\"a\": [\n\t\t1,\n\t\t{\n\t\t\t\"b\": null\n\t\t}\n\t]\n}")]
    [InlineData("\"<a>&'é\\u2028\\u0001\"", "\"\\u003ca\\u003e\\u0026'é\\u2028\\u0001\"")]
    public void Json_is_set_as_Go_sets_it(string json, string expected) =>
        GoJson.Indent(JsonDocument.Parse(json).RootElement, "\t").ShouldBe(expected);

    [Theory]
    [InlineData("membrs", "members")]
    [InlineData("vk", "kv")]
    [InlineData("intentions", "intention")]
    [InlineData("xyzzy", null)]
    public void A_slip_is_recognised(string word, string? meant) =>
        Spelling.Nearest(word, ["kv", "members", "intention", "version"]).ShouldBe(meant);

    [Theory]
    [InlineData("1.2.3.4", "address 1.2.3.4: missing port in address")]
    [InlineData("a:b:c", "address a:b:c: too many colons in address")]
    [InlineData("[::1]:80", null)]
    [InlineData(":80", null)]
    public void Addresses_are_refused_in_the_words_of_Go(string text, string? problem) =>
        HostPort.Problem(text).ShouldBe(problem);
}
