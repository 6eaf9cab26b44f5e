using System.Text;
using Praetor.Agent.Http;
using Shouldly;
using Xunit;

namespace Unit.Http;

public sealed class GoJsonEncoderTests
{
    [Theory]
    [InlineData("a+b'c`d\u007fe", "\"a+b'c`d\u007fe\"")]
    [InlineData("äöü 日本 😀", "\"äöü 日本 😀\"")]
    [InlineData("<b>&", "\"\\u003cb\\u003e\\u0026\"")]
    [InlineData("x\u2028y\u2029z", "\"x\\u2028y\\u2029z\"")]
    [InlineData("\"\\/\n\r\t\u0001\u001f", "\"\\\"\\\\/\\n\\r\\t\\u0001\\u001f\"")]
    [InlineData("😀<", "\"😀\\u003c\"")]
    [InlineData("a…b", "\"a…b\"")]
    public void Texts_are_escaped_as_Go_does(string text, string json)
    {
        Encoding.UTF8.GetString(Reply.Bytes(false, w => w.WriteStringValue(text))).ShouldBe(json);
        Encoding.UTF8.GetString(Reply.Bytes(false, w => w.WriteStringValue(Encoding.UTF8.GetBytes(text))))
            .ShouldBe(json);
    }

    [Fact]
    public void Half_a_surrogate_pair_becomes_the_replacement_character()
    {
        var json = Encoding.UTF8.GetString(Reply.Bytes(false, w => w.WriteStringValue("a\ud800b")));
        json.ShouldBeOneOf("\"a\ufffdb\"", "\"a\\ufffdb\"");
    }
}
