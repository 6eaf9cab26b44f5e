using System.Buffers;
using System.Text;
using Codecs.Http2;
using Shouldly;
using Xunit;

namespace Unit.Http2;

/// <summary>Blocks of headers, with the examples of RFC 7541, appendix C, that need no table.</summary>
public sealed class HpackTests
{
    private const string Answer = "488264025885aec3771a4b6196d07abe941054d444a8200595040b8166e082a62d1bff6e919d29ad17"
        + "1863c78f0b97c8e9ae82ae43d3";

    [Theory]
    [InlineData("400a637573746f6d2d6b65790d637573746f6d2d686561646572", "custom-key: custom-header")]
    [InlineData("040c2f73616d706c652f70617468", ":path: /sample/path")]
    [InlineData("100870617373776f726406736563726574", "password: secret")]
    [InlineData("82", ":method: GET")]
    [InlineData(
        "828684410f7777772e6578616d706c652e636f6d",
        ":method: GET|:scheme: http|:path: /|:authority: www.example.com")]
    [InlineData(
        "828684418cf1e3c2e5f23a6ba0ab90f4ff", ":method: GET|:scheme: http|:path: /|:authority: www.example.com")]
    [InlineData(
        Answer,
        ":status: 302|cache-control: private|date: Mon, 21 Oct 2013 20:13:21 GMT|location: https://www.example.com")]
    [InlineData("20", "")]
    [InlineData("", "")]
    public void A_block_reads_as_its_fields(string block, string fields) => Read(block).ShouldBe(fields);

    [Theory]
    [InlineData("be")]
    [InlineData("80")]
    [InlineData("ff")]
    [InlineData("ffffffffff7f")]
    [InlineData("3fe11f")]
    [InlineData("0002ab")]
    [InlineData("00")]
    [InlineData("0081ff00")]
    [InlineData("0084ffffffff00")]
    public void A_block_that_refers_to_nothing_or_is_cut_off_is_malformed(string block) => Read(block).ShouldBeNull();

    [Theory]
    [InlineData("x-a", 0)]
    [InlineData("x-b", 126)]
    [InlineData("x-c", 127)]
    [InlineData("x-d", 300)]
    [InlineData("x-e", 20_000)]
    public void What_is_written_is_read_again(string name, int length)
    {
        var value = new string('v', length);
        var block = new ArrayBufferWriter<byte>();
        HpackWriter.WriteIndexed(block, HpackWriter.MethodPost);
        HpackWriter.Write(block, HpackWriter.Path, "/v1");
        HpackWriter.Write(block, name, value);
        Read(Convert.ToHexString(block.WrittenSpan)).ShouldBe($":method: POST|:path: /v1|{name}: {value}");
    }

    [Fact]
    public void A_packed_text_that_does_not_fit_is_malformed()
    {
        var reader = new HpackReader(Convert.FromHexString("418cf1e3c2e5f23a6ba0ab90f4ff"), new byte[14]);
        reader.Next().ShouldBeFalse();
        reader.IsMalformed.ShouldBeTrue();
    }

    [Fact]
    public void Any_bytes_are_read_to_an_end()
    {
        var random = new Random(7);
        var block = Convert.FromHexString(
            Answer);
        var scratch = new byte[256];
        var (sound, malformed) = (0, 0);
        for (var i = 0; i < 100_000; i++)
        {
            var mutated = block[..random.Next(block.Length + 1)];
            for (var n = random.Next(4); n > 0 && mutated.Length > 0; n--)
            {
                mutated[random.Next(mutated.Length)] = (byte)random.Next(256);
            }

            var reader = new HpackReader(mutated, scratch);
            while (reader.Next())
            {
                reader.Name.Length.ShouldBeLessThanOrEqualTo(256);
            }

            _ = reader.IsMalformed ? malformed++ : sound++;
        }

        (sound > 100 && malformed > 100).ShouldBeTrue();
    }

    [Fact]
    public void A_frame_reads_as_it_was_written_and_gives_what_is_between_its_filling()
    {
        var frame = new Http2Frame(70_000, Http2FrameType.Headers, Http2Frame.EndHeaders, 5);
        var bytes = new byte[Http2Frame.HeaderBytes];
        frame.Write(bytes);
        Http2Frame.Read(bytes).ShouldBe(frame);

        var padded = frame with { Flags = Http2Frame.Padded | Http2Frame.Priority };
        padded.TryStrip([2, 0, 0, 0, 0, 0, 7, 8, 0, 0], out var content).ShouldBeTrue();
        content.ToArray().ShouldBe([7, 8]);
        padded.TryStrip([3, 0, 0, 0, 0, 0, 7], out _).ShouldBeFalse();
        padded.TryStrip([], out _).ShouldBeFalse();
    }

    private static string? Read(string block)
    {
        var fields = new List<string>();
        var reader = new HpackReader(Convert.FromHexString(block), new byte[256]);
        while (reader.Next())
        {
            fields.Add($"{Encoding.ASCII.GetString(reader.Name)}: {Encoding.ASCII.GetString(reader.Value)}");
        }

        return reader.IsMalformed ? null : string.Join('|', fields);
    }
}
