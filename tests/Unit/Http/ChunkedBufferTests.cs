using System.Buffers;
using Praetor.Agent.Http;
using Shouldly;
using Xunit;

namespace Unit.Http;

public sealed class ChunkedBufferTests
{
    [Theory]
    [InlineData(0, 1)]
    [InlineData(1, 1)]
    [InlineData(1023, 7)]
    [InlineData(1_000_000, 999)]
    [InlineData(3_000_000, 700_000)]
    public void What_is_written_in_pieces_comes_out_whole(int bytes, int piece)
    {
        var written = new byte[bytes];
        new Random(1).NextBytes(written);
        using var buffer = new ChunkedBuffer();
        for (var at = 0; at < bytes; at += piece)
        {
            buffer.Write(written.AsSpan(at, Math.Min(piece, bytes - at)));
        }

        buffer.ToArray().AsSpan().SequenceEqual(written).ShouldBeTrue();
    }

    [Fact]
    public void There_is_as_much_room_as_was_asked_for_and_never_none()
    {
        using var buffer = new ChunkedBuffer();
        buffer.GetMemory(5_000_000).Length.ShouldBeGreaterThanOrEqualTo(5_000_000);
        buffer.Advance(buffer.GetSpan().Length);
        buffer.GetSpan().Length.ShouldBePositive();
    }

    [Fact]
    public void More_than_there_is_room_for_was_not_written()
    {
        using var buffer = new ChunkedBuffer();
        var room = buffer.GetSpan().Length;
        Should.Throw<ArgumentOutOfRangeException>(() => buffer.Advance(room + 1));
        Should.Throw<ArgumentOutOfRangeException>(() => buffer.Advance(-1));
    }
}
