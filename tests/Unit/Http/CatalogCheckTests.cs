using System.Text;
using Praetor.Agent.Http;
using Praetor.Agent.Http.Json;
using Praetor.Server.Model;
using Shouldly;
using Xunit;

namespace Unit.Http;

public sealed class CatalogCheckTests
{
    [Fact]
    public void A_definition_is_kept_in_Consuls_form()
    {
        var check = Read("""{"tcp":"x:1","INTERVAL":60000000000,"ttl":"","Header":{},"TLSSkipVerify":false,"odd":1}""");
        check.Definition!.Value.GetRawText().ShouldBe("""{"TCP":"x:1","Interval":"1m0s"}""");
    }

    [Fact]
    public void A_time_to_live_is_shown_as_a_number() =>
        Read("""{"TTL":"90s"}""").Definition!.Value.GetRawText().ShouldBe("""{"TTL":90000000000}""");

    [Theory]
    [InlineData("""{"HTTP":"http://x","Interval":"10s"}""", "http")]
    [InlineData("""{"HTTP":"http://x"}""", "")]
    [InlineData("""{"TTL":"90s"}""", "ttl")]
    [InlineData("""{"AliasService":"a"}""", "alias")]
    [InlineData("""{"ScriptArgs":["a"],"DockerContainerID":"d","Interval":"1s"}""", "docker")]
    [InlineData("{}", "")]
    public void The_kind_is_told_from_the_definition(string definition, string type) =>
        Read(definition).Type.ShouldBe(type);

    [Fact]
    public void A_bad_duration_is_refused() =>
        Problem("""{"Interval":"zz"}""").ShouldBe("time: invalid duration \"zz\"");

    [Theory]
    [InlineData("""{"Node":""", "unexpected EOF")]
    [InlineData(" ", "EOF")]
    [InlineData("""{"Node":"b" "a":1}""", "invalid character '\"' after object key:value pair")]
    public void A_broken_body_is_refused_in_Gos_words(string body, string text)
    {
        BodyObject.Parse(Encoding.UTF8.GetBytes(body), out var problem).ShouldBeNull();
        problem.ShouldBe(text);
    }

    private static CheckRecord Read(string definition) => CatalogBodies.Check(Body(definition));

    private static string? Problem(string definition)
    {
        var body = Body(definition);
        CatalogBodies.Check(body);
        return body.Problem;
    }

    private static BodyObject Body(string definition) =>
        BodyObject.Parse(Encoding.UTF8.GetBytes($$"""{"Name":"c","Definition":{{definition}}}"""), out _)!;
}
