using Codecs.Dns;
using Shouldly;
using Xunit;

namespace Unit.Dns;

public sealed class WriterTests
{
    [Fact]
    public void A_name_that_was_written_before_becomes_a_pointer()
    {
        var buffer = new byte[512];
        var writer = new DnsMessageWriter(buffer, new ushort[64]);
        byte[] name = DnsName.Encode("web.service.consul.")!;
        writer.WriteName(name, compress: true);
        int before = writer.Length;
        writer.WriteName(name, compress: true);
        (writer.Length - before).ShouldBe(2);
        writer.WriteName(DnsName.Encode("db.service.consul.")!, compress: true);
        (writer.Length - before).ShouldBe(2 + 3 + 2);
    }

    [Fact]
    public void Names_that_differ_in_case_are_not_compressed_into_one()
    {
        var buffer = new byte[512];
        var writer = new DnsMessageWriter(buffer, new ushort[64]);
        writer.WriteName(DnsName.Encode("Web.consul.")!, compress: true);
        int second = writer.Length;
        writer.WriteName(DnsName.Encode("web.consul.")!, compress: true);
        NameAt(buffer, second).ShouldBe("web.consul.");
    }

    [Fact]
    public void A_name_in_the_data_of_SRV_is_written_in_full_but_can_be_pointed_to()
    {
        var buffer = new byte[512];
        var writer = new DnsMessageWriter(buffer, new ushort[64]);
        byte[] name = DnsName.Encode("n1.node.consul.")!;
        writer.WriteName(name, compress: true);
        int before = writer.Length;
        writer.WriteName(name, compress: false);
        (writer.Length - before).ShouldBe(name.Length);
    }

    [Fact]
    public void What_does_not_fit_is_not_written_and_can_be_taken_back()
    {
        var buffer = new byte[40];
        var writer = new DnsMessageWriter(buffer, new ushort[64]);
        writer.WriteQuestion(DnsName.Encode("a.consul.")!, DnsType.A, DnsClass.Internet);
        int mark = writer.Length;
        writer.BeginRecord(DnsName.Encode("a.consul.")!, DnsType.Txt, DnsClass.Internet, 0);
        writer.WriteBytes(new byte[100]);
        writer.EndRecord();
        writer.Overflowed.ShouldBeTrue();
        writer.Rewind(mark);
        writer.Overflowed.ShouldBeFalse();
        writer.Length.ShouldBe(mark);
    }

    [Fact]
    public void Random_names_survive_compression_rewinds_and_a_full_table()
    {
        var random = new Random(99);
        string[] words = ["a", "B", "web", "node", "service", "consul", "dc1", "x-y", "_tcp"];
        for (int round = 0; round < 500; round++)
        {
            var buffer = new byte[2048];
            var writer = new DnsMessageWriter(buffer, new ushort[16]);
            var expected = new List<(int At, string Name)>();
            while (true)
            {
                var labels = Enumerable.Range(0, random.Next(1, 6)).Select(_ => words[random.Next(words.Length)] + ".");
                string name = string.Concat(labels);
                int at = writer.Length;
                writer.WriteName(DnsName.Encode(name)!, compress: random.Next(4) > 0);
                if (writer.Overflowed)
                {
                    break;
                }
                if (random.Next(5) == 0)
                {
                    writer.Rewind(at);
                    continue;
                }
                expected.Add((at, name));
            }
            expected.Where(e => NameAt(buffer, e.At) != e.Name).ShouldBeEmpty();
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData(".")]
    public void The_root_is_one_zero(string text) => DnsName.Encode(text).ShouldBe([0]);

    [Theory]
    [InlineData("a..b.")]
    [InlineData(".a.")]
    [InlineData("0123456789012345678901234567890123456789012345678901234567890123.consul.")]
    public void A_name_that_cannot_be_written_is_null(string text) => DnsName.Encode(text).ShouldBeNull();

    [Fact]
    public void A_name_of_256_bytes_cannot_be_written()
    {
        string label = new string('a', 49) + ".";
        DnsName.Encode(string.Concat(Enumerable.Repeat(label, 5)) + "aaa.").ShouldNotBeNull().Length.ShouldBe(255);
        DnsName.Encode(string.Concat(Enumerable.Repeat(label, 5)) + "aaaa.").ShouldBeNull();
        DnsName.Encode(string.Concat(Enumerable.Repeat(label, 5)) + "aaaa").ShouldBeNull();
    }

    [Fact]
    public void Dots_and_unprintable_bytes_in_labels_are_escaped()
    {
        string text = DnsName.Decode([3, (byte)'a', (byte)'.', 7, 0]);
        text.ShouldBe("a\\.\\007.");
        DnsName.Encode(text).ShouldBe([3, (byte)'a', (byte)'.', 7, 0]);
    }

    private static string NameAt(byte[] message, int at)
    {
        var wire = new byte[255];
        new DnsMessageReader(message).TryExpandName(at, wire, out int length, out _).ShouldBeTrue();
        return DnsName.Decode(wire.AsSpan(0, length));
    }
}
