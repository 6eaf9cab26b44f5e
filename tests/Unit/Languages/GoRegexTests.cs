using Languages;
using Shouldly;
using Xunit;

namespace Unit.Languages;

public sealed class GoRegexTests
{
    [Theory]
    [InlineData("^a$", "a", true)]
    [InlineData("^a$", "a\n", false)]
    [InlineData("(?m)^a$", "b\na\nc", true)]
    [InlineData("(?P<name>x+)y", "xxy", true)]
    [InlineData("[[:alpha:]_]+-[^[:digit:]]", "ab-c", true)]
    [InlineData("\\d", "٣", false)]
    [InlineData("\\w", "é", false)]
    [InlineData("\\Qa.b\\E$", "a.b", true)]
    [InlineData("\\Qa.b\\E$", "axb", false)]
    [InlineData("[[a]", "[", true)]
    [InlineData("\\x{41}", "A", true)]
    [InlineData("\\pL", "é", true)]
    [InlineData("(a+)+$", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab", false)]
    public void Expressions_of_Go_match_as_in_Go(string pattern, string text, bool matches)
    {
        GoRegex.TryCreate(pattern, out var regex, out var problem).ShouldBeTrue(problem);
        regex!.IsMatch(text).ShouldBe(matches);
    }

    [Theory]
    [InlineData("(")]
    [InlineData("[a")]
    [InlineData("*")]
    [InlineData("a{1001}")]
    [InlineData("(?=a)")]
    [InlineData("(?<=a)")]
    [InlineData("(?<!a)")]
    [InlineData("(?>a)")]
    [InlineData("(a)\\1")]
    [InlineData("a\\")]
    [InlineData("(((((a{1000}){1000}){1000}){1000}){1000})")]
    public void What_Go_refuses_is_refused(string pattern)
    {
        GoRegex.TryCreate(pattern, out _, out var problem).ShouldBeFalse();
        problem.ShouldStartWith("error parsing regexp: ");
    }
}
