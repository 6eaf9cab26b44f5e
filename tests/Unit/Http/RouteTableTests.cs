using Praetor.Agent.Http;
using Shouldly;
using Xunit;

namespace Unit.Http;

public sealed class RouteTableTests
{
    private readonly RouteTable _table = new();

    public RouteTableTests()
    {
        foreach (var pattern in new[] { "/v1/kv/{key*}", "/v1/x/match", "/v1/x/{id}", "/v1/x/{kind}/{name}" })
        {
            _table.Add(new Route
            {
                Method = "GET",
                Pattern = pattern,
                Acl = AclRequirement.None,
                Description = pattern,
                Handle = _ => default,
            });
        }
    }

    [Theory]
    [InlineData("/v1/kv/", "/v1/kv/{key*}", "")]
    [InlineData("/v1/kv/a/b", "/v1/kv/{key*}", "a/b")]
    [InlineData("/v1/kv/a%2Fb%20c", "/v1/kv/{key*}", "a/b c")]
    [InlineData("/v1/kv/a+b", "/v1/kv/{key*}", "a+b")]
    [InlineData("/v1/x/match", "/v1/x/match", null)]
    [InlineData("/v1/x/7", "/v1/x/{id}", "7")]
    [InlineData("/v1/x/a/b%2Fc", "/v1/x/{kind}/{name}", "a|b/c")]
    public void A_path_finds_its_row_and_its_values(string path, string pattern, string? values)
    {
        var match = _table.Find(path).ShouldNotBeNull();
        match.Methods["GET"].Pattern.ShouldBe(pattern);
        string.Join('|', match.Values).ShouldBe(values ?? "");
    }

    [Theory]
    [InlineData("/v1/kv/%ff")]
    [InlineData("/v1/x/%zz")]
    [InlineData("/v1/x/%e2%82")]
    public void What_is_no_text_is_refused_and_not_replaced(string path) =>
        _table.Find(path).ShouldNotBeNull().Methods.ShouldBeEmpty();

    [Theory]
    [InlineData("/v1/y")]
    [InlineData("/v1")]
    [InlineData("/v1/x/a/b/c")]
    public void Other_paths_have_no_row(string path) => _table.Find(path).ShouldBeNull();

    [Fact]
    public void A_row_may_stand_once_only() => Should.Throw<InvalidOperationException>(() => _table.Add(new Route
    {
        Method = "GET", Pattern = "/v1/x/{other}", Acl = AclRequirement.None, Description = "", Handle = _ => default,
    }));
}
