using Praetor.Agent.Http;
using Shouldly;
using Xunit;

namespace Unit.Http;

public sealed class UrlPathsTests
{
    [Theory]
    [InlineData("/v1//status/leader?x=//", "/v1/status/leader?x=//")]
    [InlineData("//v1/status/leader", "/v1/status/leader")]
    [InlineData("/v1/agent/../status/./leader", "/v1/status/leader")]
    [InlineData("/../..//evil.example/", "/evil.example/")]
    [InlineData("//", "/")]
    [InlineData("/v1/kv/", null)]
    [InlineData("/", null)]
    [InlineData("*", null)]
    public void Doubled_slashes_and_dots_are_taken_out(string target, string? clean) =>
        UrlPaths.Cleaned(target).ShouldBe(clean);

    [Theory]
    [InlineData("cas=5&recurse", "cas=5&recurse=")]
    [InlineData("release=a%20b/%C3%A4~&flags=1&acquire=a", "acquire=a&flags=1&release=a+b%2F%C3%A4~")]
    public void Parameters_are_written_as_Go_writes_them(string given, string written) =>
        QueryParameters.Parse(given).Encode().ShouldBe(written);

    [Theory]
    [InlineData("cas=", "strconv.ParseUint: parsing \"\": invalid syntax")]
    [InlineData("cas=-1", "strconv.ParseUint: parsing \"-1\": invalid syntax")]
    [InlineData("cas=99999999999999999999", "strconv.ParseUint: parsing \"99999999999999999999\": value out of range")]
    public void What_is_no_number_is_refused_in_Gos_words(string given, string text)
    {
        QueryParameters.Parse(given).TryUnsigned("cas", out _, out var problem).ShouldBeFalse();
        problem.ShouldBe(text);
    }
}
