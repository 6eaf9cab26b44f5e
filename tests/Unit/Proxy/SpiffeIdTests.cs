using Praetor.Proxy.Identity;
using Shouldly;
using Xunit;

namespace Unit.Proxy;

public sealed class SpiffeIdTests
{
    [Fact]
    public void An_identity_reads_back_as_it_is_written()
    {
        const string uri = "spiffe://11111111-2222.consul/ns/default/dc/dc1/svc/web";
        var id = SpiffeId.Parse(uri).ShouldNotBeNull();
        id.ShouldBe(new SpiffeId("11111111-2222.consul", "default", "dc1", "web"));
        id.ToString().ShouldBe(uri);
    }

    [Fact]
    public void Escaped_names_are_plain_inside()
    {
        SpiffeId.Parse("spiffe://t/ns/default/dc/dc1/svc/a%20b").ShouldNotBeNull().Service.ShouldBe("a b");
    }

    [Theory]
    [InlineData("")]
    [InlineData("https://t/ns/default/dc/dc1/svc/web")]
    [InlineData("spiffe:///ns/default/dc/dc1/svc/web")]
    [InlineData("spiffe://t/ns/default/dc/dc1/svc/")]
    [InlineData("spiffe://t/ns/default/dc/dc1/svc/web/more")]
    [InlineData("spiffe://t/ns/default/dc/dc1/svc/web?x=1")]
    [InlineData("spiffe://t/ns/default/dc/dc1/svc/web#x")]
    [InlineData("spiffe://t/ns/default/dc/dc1/svc/a%2Fsvc%2Fb")]
    [InlineData("spiffe://t/ns/default/dc/dc1/svc/*")]
    [InlineData("spiffe://t/ns/default/dc/dc1/svc/%2A")]
    [InlineData("spiffe://t/ns/default/dc/dc1/svc/web%00")]
    [InlineData("spiffe://user@t/ns/default/dc/dc1/svc/web")]
    [InlineData("spiffe://t:443/ns/default/dc/dc1/svc/web")]
    [InlineData("spiffe://t/ns/default/dc/dc1/agent/web")]
    [InlineData("spiffe://t")]
    public void Anything_else_is_no_service(string uri) => SpiffeId.Parse(uri).ShouldBeNull();

    [Fact]
    public void Another_trust_domain_is_not_ours()
    {
        var id = SpiffeId.Parse("spiffe://T.consul/ns/default/dc/dc1/svc/web").ShouldNotBeNull();
        id.IsIn("t.CONSUL").ShouldBeTrue();
        id.IsIn("t.consul.evil").ShouldBeFalse();
        id.IsIn("").ShouldBeFalse();
    }
}
