using Praetor.Client.Connect;
using Praetor.Proxy.Control;
using Shouldly;
using Xunit;

namespace Unit.Proxy;

public sealed class PolicyRowsTests
{
    private static readonly MatchedIntention Row = new()
    {
        SourceName = "web", DestinationName = "db", Action = "allow",
    };

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("default")]
    [InlineData("*")]
    public void An_intention_for_the_default_namespace_counts(string? sourceNamespace) =>
        Count(Row with { SourceNS = sourceNamespace }).ShouldBe(1);

    [Fact]
    public void An_intention_for_others_of_the_same_name_does_not_count()
    {
        Count(Row with { SourceNS = "other" }).ShouldBe(0);
        Count(Row with { SourcePeer = "east" }).ShouldBe(0);
        Count(Row with { SourceSamenessGroup = "friends" }).ShouldBe(0);
    }

    [Fact]
    public void The_answer_is_found_whatever_the_case_of_its_name() =>
        PolicyWatch.Concerning("DB", new() { ["db"] = [Row] }).Count.ShouldBe(1);

    private static int Count(MatchedIntention row) =>
        PolicyWatch.Concerning("db", new() { ["db"] = [row] }).Count;
}
