using Codecs.Protobuf;
using Shouldly;
using Xunit;

namespace Unit.Etcd;

public sealed class ProtobufTests
{
    [Theory]
    [InlineData(0UL, 1), InlineData(127UL, 1), InlineData(128UL, 2), InlineData(16383UL, 2), InlineData(16384UL, 3)]
    [InlineData(ulong.MaxValue, 10), InlineData((ulong)long.MaxValue, 9)]
    public void A_number_is_read_as_it_was_written_and_takes_the_size_that_was_foretold(ulong value, int bytes)
    {
        var buffer = new byte[32];
        var writer = new ProtobufWriter(buffer);
        writer.WriteNumber(11, value);
        writer.Overflowed.ShouldBeFalse();
        writer.Length.ShouldBe(1 + bytes);
        writer.Length.ShouldBe(ProtobufFormat.SizeOfNumber(11, value));
        var reader = new ProtobufReader(buffer.AsSpan(0, writer.Length));
        reader.Next().ShouldBeTrue();
        (reader.Field, reader.Number, reader.Bytes.Length).ShouldBe((11, value, 0));
        reader.Next().ShouldBeFalse();
        reader.IsMalformed.ShouldBeFalse();
    }

    [Fact]
    public void Bytes_texts_and_messages_are_read_as_they_were_written()
    {
        var buffer = new byte[64];
        var writer = new ProtobufWriter(buffer);
        writer.WriteBytes(1, [1, 2, 3]);
        writer.WriteText(2, "é");
        writer.WriteMessageHeader(100, ProtobufFormat.SizeOfNumber(1, 300));
        writer.WriteNumber(1, 300);
        var reader = new ProtobufReader(buffer.AsSpan(0, writer.Length));
        reader.Next().ShouldBeTrue();
        (reader.Field, Convert.ToHexString(reader.Bytes)).ShouldBe((1, "010203"));
        reader.Next().ShouldBeTrue();
        reader.Bytes.ToArray().ShouldBe("é"u8.ToArray());
        reader.Next().ShouldBeTrue();
        reader.Field.ShouldBe(100);
        var inner = new ProtobufReader(reader.Bytes);
        inner.Next().ShouldBeTrue();
        inner.Number.ShouldBe(300UL);
    }

    [Fact]
    public void Numbers_of_fixed_size_are_read_though_we_write_none()
    {
        var reader = new ProtobufReader([0x0D, 1, 0, 0, 0, 0x11, 2, 0, 0, 0, 0, 0, 0, 0]);
        reader.Next().ShouldBeTrue();
        (reader.Field, reader.Number).ShouldBe((1, 1UL));
        reader.Next().ShouldBeTrue();
        (reader.Field, reader.Number).ShouldBe((2, 2UL));
        reader.Next().ShouldBeFalse();
        reader.IsMalformed.ShouldBeFalse();
    }

    [Theory]
    [InlineData("08", "a number is missing")]
    [InlineData("0880", "a number is cut off")]
    [InlineData("08FFFFFFFFFFFFFFFFFFFF01", "a number is longer than any can be")]
    [InlineData("0A05010203", "bytes are cut off")]
    [InlineData("0AFFFFFFFFFFFFFFFFFF01", "a length is beyond everything")]
    [InlineData("0D0102", "a fixed number is cut off")]
    [InlineData("0B", "a group")]
    [InlineData("0001", "field 0")]
    [InlineData("80808080808080808001", "a field's number is too large")]
    public void What_cannot_be_read_is_malformed_and_ends_the_reading(string hex, string why)
    {
        var reader = new ProtobufReader(Convert.FromHexString(hex));
        reader.Next().ShouldBeFalse(why);
        reader.IsMalformed.ShouldBeTrue(why);
        reader.Next().ShouldBeFalse(why);
        (reader.Number, reader.Bytes.Length).ShouldBe((0UL, 0));
    }

    [Fact]
    public void What_does_not_fit_is_not_written()
    {
        var buffer = new byte[4];
        var writer = new ProtobufWriter(buffer);
        writer.WriteBytes(1, [1, 2, 3]);
        writer.Overflowed.ShouldBeTrue();
        writer.Length.ShouldBeLessThanOrEqualTo(4);
    }

    [Fact]
    public void A_frame_tells_its_length_and_one_that_is_compressed_is_not_read()
    {
        var frame = new byte[GrpcFrame.HeaderBytes];
        GrpcFrame.WriteHeader(frame, 70_000);
        GrpcFrame.TryReadHeader(frame, out var length).ShouldBeTrue();
        length.ShouldBe(70_000U);
        frame[0] = 1;
        GrpcFrame.TryReadHeader(frame, out _).ShouldBeFalse();
        GrpcFrame.TryReadHeader(frame.AsSpan(0, 4), out _).ShouldBeFalse();
    }
}
