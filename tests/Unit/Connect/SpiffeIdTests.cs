using Praetor.Server.Connect;
using Shouldly;
using Xunit;

namespace Unit.Connect;

public sealed class SpiffeIdTests
{
    [Theory]
    [InlineData("spiffe://a.consul/ns/default/dc/dc1/svc/web")]
    [InlineData("spiffe://a.consul/ns/default/dc/dc1/svc/My.Svc_1")]
    [InlineData("spiffe://a.consul/ns/default/dc/dc1/svc/a%20b")]
    [InlineData("spiffe://a.consul/agent/client/dc/dc1/id/x")]
    [InlineData("spiffe://a.consul")]
    public void An_identity_is_read_and_written_alike(string uri)
    {
        SpiffeId.TryParse(uri, out var id).ShouldBeTrue();
        id!.Uri.ShouldBe(uri);
    }

    [Theory]
    [InlineData("")]
    [InlineData("foo")]
    [InlineData("https://a.consul/ns/default/dc/dc1/svc/web")]
    [InlineData("spiffe://a.consul/")]
    [InlineData("spiffe://a.consul/ns/default/dc/dc1/svc/")]
    [InlineData("spiffe://a.consul/ns/default/dc/dc1/svc/web/")]
    [InlineData("spiffe://a.consul/ns/default/dc/dc1/svc/a/b")]
    [InlineData("spiffe://a.consul/ns/default/dc/dc1/svc/a%2fb")]
    [InlineData("spiffe://a.consul/ns/default/dc/dc1/svc/..")]
    [InlineData("spiffe://a.consul/ns/default/dc/dc1/svc/%2e%2e")]
    [InlineData("spiffe://a.consul/ns/default/dc/dc1/svc/web?x=1")]
    [InlineData("spiffe://a.consul/ns/default/dc/dc1/svc/web#x")]
    [InlineData("spiffe://a.consul/ns/default/dc/dc1/svc/web%00")]
    [InlineData("spiffe://a.consul/ns/default/dc/dc1/svc/web%zz")]
    [InlineData("spiffe://user@a.consul/ns/default/dc/dc1/svc/web")]
    [InlineData("spiffe://a.consul:80/ns/default/dc/dc1/svc/web")]
    [InlineData("spiffe://A.consul/ns/default/dc/dc1/svc/web")]
    [InlineData("spiffe:///ns/default/dc/dc1/svc/web")]
    [InlineData("spiffe://a.consul/NS/default/dc/dc1/svc/web")]
    public void Anything_else_is_no_identity(string uri) => SpiffeId.TryParse(uri, out _).ShouldBeFalse();

    [Fact]
    public void A_long_service_keeps_the_end_of_its_common_name()
    {
        var name = "averyveryveryveryveryverylongservicenamewithmanycharactersandmore-more-more";
        new SpiffeService("b3233c61-8036-4ccd-d4ae-3ca945664eb1.consul", "default", "dc1", name).CommonName
            .ShouldBe("averyveryveryveryveryverylongservice.svc.default.b3233c61.consul");
    }
}
