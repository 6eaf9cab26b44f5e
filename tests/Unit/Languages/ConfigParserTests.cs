using Languages;
using Shouldly;
using Xunit;

namespace Unit.Languages;

public sealed class ConfigParserTests
{
    [Theory]
    [InlineData("", "{}")]
    [InlineData("  \n", "{}")]
    [InlineData("a = 1", """{"a":1}""")]
    [InlineData("a = 1 b = 2, c = 3", """{"a":1,"b":2,"c":3}""")]
    [InlineData("a = -1.5e2", """{"a":-150}""")]
    [InlineData("a = 0x1F b = 010", """{"a":31,"b":8}""")]
    [InlineData("a = 9223372036854775807", """{"a":9223372036854775807}""")]
    [InlineData("a = true b = false", """{"a":true,"b":false}""")]
    [InlineData("a = [1, \"x\", [true], {b = 2},]", """{"a":[1,"x",[true],{"b":2}]}""")]
    [InlineData("a { b { c = 1 } }", """{"a":{"b":{"c":1}}}""")]
    [InlineData("a = { b = 1 }", """{"a":{"b":1}}""")]
    [InlineData("\"quoted name\" = 1", """{"quoted name":1}""")]
    [InlineData("a-b.c_d = 1", """{"a-b.c_d":1}""")]
    [InlineData("a {} a {}", """{"a":[{},{}]}""")]
    [InlineData("a { x = 1 } a { x = 2 } a { x = 3 }", """{"a":[{"x":1},{"x":2},{"x":3}]}""")]
    [InlineData("a = [{ x = 1 }] a { x = 2 }", """{"a":[{"x":1},{"x":2}]}""")]
    [InlineData("a = [1] a = [2]", """{"a":[1,2]}""")]
    [InlineData("a = \"x\" a = \"y\"", """{"a":"y"}""")]
    [InlineData("service \"web\" { port = 80 }", """{"service":{"web":{"port":80}}}""")]
    [InlineData("s \"a\" { x = 1 }\ns \"b\" { x = 2 }", """{"s":[{"a":{"x":1}},{"b":{"x":2}}]}""")]
    [InlineData("s \"a\" \"b\" {}", """{"s":{"a":{"b":{}}}}""")]
    [InlineData("# c\n// c\n/* c\n c */ a = 1 # end", """{"a":1}""")]
    [InlineData("a = \"\\n\\t\\\\\\\"\\x41\\u00e9\\101\"", """{"a":"\n\t\\\"AéA"}""")]
    [InlineData("a = \"${x == \"y\"}\"", """{"a":"${x == \"y\"}"}""")]
    [InlineData("a = <<EOF\nx\n  y\nEOF\n", """{"a":"x\n  y\n"}""")]
    [InlineData("a = <<-EOF\n  x\n    y\n  EOF\nb = 1", """{"a":"x\n  y\n","b":1}""")]
    [InlineData("a = <<-EOF\n x\n    y\n  EOF\n", """{"a":" x\n    y\n"}""")]
    [InlineData("""{"a": {"b": [1, null]}}""", """{"a":{"b":[1,null]}}""")]
    public void Hcl_is_read(string text, string json) => Read(text, ConfigFormat.Hcl).ShouldBe(json);

    [Theory]
    [InlineData("""{"a":1.5,"b":[true,false,null],"c":{"d":"x"}}""", """{"a":1.5,"b":[true,false,null],"c":{"d":"x"}}""")]
    [InlineData("null", "{}")]
    [InlineData("""{"a":1,"a":"last"}""", """{"a":"last"}""")]
    [InlineData("""{"a":"\u00e9\ud83d\ude00\/"}""", """{"a":"é😀/"}""")]
    [InlineData("""{"a":"\ud83d"}""", """{"a":"\ufffd"}""")]
    [InlineData(" \t\r\n{ } \n", "{}")]
    public void Json_is_read(string text, string json) =>
        Read(text, ConfigFormat.Json).ShouldBe(json.Replace("\\ufffd", "\ufffd", StringComparison.Ordinal));

    [Theory]
    [InlineData("a = foo", 1, 5, "Unknown token: IDENT foo")]
    [InlineData("a = 1\n}", 2, 1, "expected: IDENT | STRING | ASSIGN | LBRACE got: RBRACE")]
    [InlineData("a {", 1, 4, "object expected closing RBRACE got: EOF")]
    [InlineData("a = [1 2]", 1, 8, "error parsing list, expected comma or list end, got: NUMBER")]
    [InlineData("a = \"x", 1, 7, "literal not terminated")]
    [InlineData("a = \"x\ny\"", 1, 7, "literal not terminated")]
    [InlineData("a = \"\\q\"", 1, 7, "illegal char escape")]
    [InlineData("a = <<EOF\nx\nEOF", 3, 4, "heredoc not terminated")]
    [InlineData("a = <EOF", 1, 5, "heredoc expected second '<', didn't see it")]
    [InlineData("a = 08", 1, 5, "strconv.ParseInt: parsing \"08\": invalid syntax")]
    [InlineData("a = 99999999999999999999", 1, 5, "strconv.ParseInt: parsing \"99999999999999999999\": value out of range")]
    [InlineData("a \"b\" = 1", 1, 7, "nested object expected: LBRACE got: ASSIGN")]
    [InlineData("a b", 1, 4, "key 'a' expected start of object ('{') or assignment ('=')")]
    [InlineData("/* x", 1, 1, "comment not terminated")]
    [InlineData("a = [1]\na = 2", 2, 5, "the same name was a list before and is a number here")]
    [InlineData("a = ;", 1, 5, "illegal character ';'")]
    public void Bad_hcl_is_refused_with_its_place(string text, int line, int column, string what)
    {
        var error = ConfigParser.Parse(text, "x.hcl", ConfigFormat.Hcl).Error.ShouldNotBeNull();
        error.What.ShouldBe(what);
        error.At.ShouldBe(new Position("x.hcl", line, column));
        error.Remedy.ShouldNotBeEmpty();
    }

    [Theory]
    [InlineData("{\"a\":1,}", 1, 8, "invalid character '}' looking for beginning of object key string")]
    [InlineData("{\"a\" 1}", 1, 6, "invalid character '1' after object key")]
    [InlineData("{\"a\":1 \"b\":2}", 1, 8, "invalid character '\"' after object key:value pair")]
    [InlineData("{\"a\":[1 2]}", 1, 9, "invalid character '2' after array element")]
    [InlineData("{\"a\":x}", 1, 6, "invalid character 'x' looking for beginning of value")]
    [InlineData("{} {}", 1, 4, "invalid character '{' after top-level value")]
    [InlineData("{\"a\":", 1, 6, "unexpected end of JSON input")]
    [InlineData("{\"a\":\"\\q\"}", 1, 8, "invalid character 'q' in string escape code")]
    [InlineData("{\"a\":01}", 1, 7, "invalid character '1' after object key:value pair")]
    [InlineData("[]", 1, 1, "the file's value is not an object")]
    public void Bad_json_is_refused_with_its_place(string text, int line, int column, string what)
    {
        var error = ConfigParser.Parse(text, "x.json", ConfigFormat.Json).Error.ShouldNotBeNull();
        error.What.ShouldBe(what);
        error.At.ShouldBe(new Position("x.json", line, column));
    }

    [Fact]
    public void Values_know_where_they_stand()
    {
        var root = ConfigParser.Parse("a = 1\nports {\n  dns = 70000\n}\n", "x.hcl", ConfigFormat.Hcl).Value!;
        root["ports"]!["dns"]!.At.ShouldBe(new Position("x.hcl", 3, 9));
        root["ports"]!.Members[0].At.ShouldBe(new Position("x.hcl", 3, 3));
    }

    [Theory]
    [InlineData("[")]
    [InlineData("{\"a\":")]
    [InlineData("a = [")]
    [InlineData("a { ")]
    [InlineData("a ")]
    public void Endless_nesting_is_refused(string opening)
    {
        var text = string.Concat(Enumerable.Repeat(opening, 100_000));
        foreach (var format in Enum.GetValues<ConfigFormat>())
        {
            ConfigParser.Parse(text, "x", format).IsOk.ShouldBeFalse();
        }
    }

    [Fact]
    public void A_text_beyond_the_bound_is_refused() =>
        ConfigParser.Parse(new byte[ConfigParser.BytesMax + 1], "x",
            ConfigFormat.Hcl).Error!.What.ShouldContain("at most");

    [Fact]
    public void A_hundred_thousand_blocks_of_one_name_take_no_quadratic_time() =>
        ConfigParser.Parse(string.Concat(Enumerable.Repeat("s { a = 1 }\n", 100_000)), "x", ConfigFormat.Hcl)
            .Value!["s"]!.Items.Count.ShouldBe(100_000);

    private static string Read(string text, ConfigFormat format)
    {
        var parsed = ConfigParser.Parse(text, "x", format);
        parsed.Error.ShouldBeNull();
        return parsed.Value!.ToJson();
    }
}
