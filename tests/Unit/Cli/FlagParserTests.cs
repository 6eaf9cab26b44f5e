using Praetor.CommandLine;
using Shouldly;
using Xunit;

namespace Unit.Cli;

public sealed class FlagParserTests
{
    private readonly FlagSet _flags = new();
    private readonly Flag<bool> _cas;
    private readonly Flag<ulong> _index;
    private readonly Flag<string> _name;
    private readonly Flag<List<string>> _tags;
    private readonly Flag<SortedDictionary<string, string>> _meta;

    public FlagParserTests()
    {
        _cas = _flags.Bool("cas", "");
        _index = _flags.UInt("modify-index", "");
        _name = _flags.String("name", "");
        _tags = _flags.Strings("tag", "");
        _meta = _flags.Pairs("meta", "");
    }

    [Theory]
    [InlineData("-name=x")]
    [InlineData("--name=x")]
    [InlineData("-name x")]
    [InlineData("--name x")]
    public void One_dash_or_two_and_equals_or_a_space_are_the_same(string line)
    {
        Parse(line).Problem.ShouldBeNull();
        _name.Value.ShouldBe("x");
    }

    [Fact]
    public void A_value_may_begin_with_a_dash() => ValueOf("-name -x").ShouldBe("-x");

    [Fact]
    public void A_value_may_hold_equals_signs() => ValueOf("-name=a=b").ShouldBe("a=b");

    [Fact]
    public void A_value_may_be_empty() => ValueOf("-name=").ShouldBe("");

    [Fact]
    public void A_switch_takes_its_value_behind_an_equals_sign_only()
    {
        Parse("-cas false").Arguments.ShouldBe(["false"]);
        _cas.Value.ShouldBeTrue();
        Parse("-cas=false");
        _cas.Value.ShouldBeFalse();
    }

    [Fact]
    public void A_flag_given_again_counts_the_last_time_or_every_time_if_it_is_a_list()
    {
        Parse("-name a -name b -tag x -tag y -meta k=1 -meta l=2 -meta k=3");
        _name.Value.ShouldBe("b");
        _tags.Value.ShouldBe(["x", "y"]);
        _meta.Value.ShouldBe(new Dictionary<string, string> { ["k"] = "3", ["l"] = "2" });
    }

    [Fact]
    public void Two_dashes_end_the_flags() => Parse("-cas -- -name x").Arguments.ShouldBe(["-name", "x"]);

    [Fact]
    public void One_dash_alone_is_an_argument() => Parse("-cas -").Arguments.ShouldBe(["-"]);

    [Theory]
    [InlineData("-nosuch", "flag provided but not defined: -nosuch")]
    [InlineData("--nosuch=1", "flag provided but not defined: -nosuch")]
    [InlineData("-name", "flag needs an argument: -name")]
    [InlineData("-cas=maybe", "invalid boolean value \"maybe\" for -cas: parse error")]
    [InlineData("-modify-index=x", "invalid value \"x\" for flag -modify-index: parse error")]
    [InlineData("-modify-index=-1", "invalid value \"-1\" for flag -modify-index: parse error")]
    [InlineData(
        "-modify-index=99999999999999999999",
        "invalid value \"99999999999999999999\" for flag -modify-index: value out of range")]
    [InlineData("-meta=a", "invalid value \"a\" for flag -meta: Missing \"=\" value in argument: a")]
    [InlineData("---name", "bad flag syntax: ---name")]
    [InlineData("-=x", "bad flag syntax: -=x")]
    public void What_is_wrong_is_said_as_Go_says_it(string line, string problem) =>
        Parse(line).Problem.ShouldBe(problem);

    [Fact]
    public void Strictly_the_first_argument_ends_the_flags()
    {
        Parse("key -cas", lenient: false).Arguments.ShouldBe(["key", "-cas"]);
        _cas.IsSet.ShouldBeFalse();
    }

    [Fact]
    public void Leniently_a_known_flag_counts_behind_arguments_and_an_unknown_word_stays_one()
    {
        Parse("key -1 -cas -modify-index 7").Arguments.ShouldBe(["key", "-1"]);
        _cas.Value.ShouldBeTrue();
        _index.Value.ShouldBe(7ul);
    }

    [Fact]
    public void Leniently_two_dashes_still_protect_what_follows() =>
        Parse("key -- -cas").Arguments.ShouldBe(["key", "-cas"]);

    private string ValueOf(string line)
    {
        Parse(line).Problem.ShouldBeNull();
        return _name.Value;
    }

    private ParsedLine Parse(string line, bool lenient = true) => new FlagParser(_flags, lenient).Parse(line.Split(' '));
}
