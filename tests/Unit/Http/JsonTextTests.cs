using System.Text;
using System.Text.Json;
using Praetor.Agent.Http;
using Shouldly;
using Xunit;

namespace Unit.Http;

public sealed class JsonTextTests
{
    [Theory]
    [InlineData("""["plain"]""", "plain")]
    [InlineData("""["\ud83d\ude00"]""", "\U0001F600")]
    [InlineData("""["\ud83d"]""", "\ufffd")]
    [InlineData("""["a\ude00b"]""", "a\ufffdb")]
    [InlineData("""["\ud83d\ud83d\ude00"]""", "\ufffd\U0001F600")]
    [InlineData("""["\\ud83d"]""", "\\ud83d")]
    [InlineData("""["\ud83dx"]""", "\ufffdx")]
    [InlineData("""["\u00e9\n"]""", "\u00e9\n")]
    public void Halves_of_characters_become_the_replacement_character(string json, string text) =>
        Read(Encoding.UTF8.GetBytes(json)).ShouldBe(text);

    [Fact]
    public void Bytes_that_are_no_UTF8_become_the_replacement_character() =>
        Read([(byte)'[', (byte)'"', 0xff, (byte)'"', (byte)']']).ShouldBe("\ufffd");

    [Theory]
    [InlineData("\\")]
    [InlineData("\\u")]
    [InlineData("\\ud83")]
    [InlineData("\\ud83d\\")]
    [InlineData("\\ud83d\\ude0")]
    public void A_text_that_ends_anywhere_is_left_to_the_reader(string cut) =>
        JsonText.Mend(Encoding.UTF8.GetBytes(cut)).Length.ShouldBe(cut.Length);

    private static string Read(byte[] json)
    {
        using var document = JsonDocument.Parse(JsonText.Mend(json));
        return document.RootElement[0].GetString()!;
    }
}
