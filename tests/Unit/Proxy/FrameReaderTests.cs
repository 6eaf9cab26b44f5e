using Praetor.Proxy.Framing;
using Shouldly;
using Xunit;

namespace Unit.Proxy;

public sealed class FrameReaderTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Frames_come_out_the_same_however_the_bytes_are_cut(int seed)
    {
        var random = new Random(seed);
        for (var round = 0; round < 300; round++)
        {
            var (wire, expected) = AnyConversation(random);
            Read(wire, () => random.Next(1, 40), random).ShouldBe(expected, $"seed {seed} round {round}");
        }
    }

    [Fact]
    public void The_numbers_on_the_wire_never_change()
    {
        Enum.GetValues<FrameType>().Select(static t => $"{(int)t}={t}").ShouldBe(
            ["1=Open", "2=Opened", "3=Denied", "4=Unreachable", "5=Data", "6=End"]);
        FrameCodec.ProtocolName.SequenceEqual("praetor-mesh/1"u8).ShouldBeTrue();
    }

    [Theory]
    [InlineData(new byte[] { 0, 0, 0, 0 })]
    [InlineData(new byte[] { 7, 0, 0, 0 })]
    [InlineData(new byte[] { 1, 0, 0, 1 })]
    [InlineData(new byte[] { 5, 0, 0, 0 })]
    [InlineData(new byte[] { 5, 16, 0, 1 })]
    [InlineData(new byte[] { (byte)'G', (byte)'E', (byte)'T', (byte)' ' })]
    public void What_is_no_frame_is_malformed(byte[] bytes)
    {
        var reader = default(FrameReader);
        reader.Next(bytes, out _, out _).ShouldBe(FrameStep.Malformed);
    }

    [Fact]
    public void Any_bytes_are_read_without_a_failure()
    {
        var random = new Random(4);
        var bytes = new byte[64];
        for (var round = 0; round < 20_000; round++)
        {
            random.NextBytes(bytes);
            bytes[0] = (byte)random.Next(0, 8);
            Read(bytes, () => random.Next(1, 9), random);
        }
    }

    private static (byte[] Wire, List<string> Expected) AnyConversation(Random random)
    {
        var wire = new List<byte>();
        var expected = new List<string>();
        for (var i = 0; i < 20; i++)
        {
            var head = new byte[FrameCodec.HeadBytes];
            var type = (FrameType)random.Next(1, 7);
            var content = new byte[type == FrameType.Data ? random.Next(1, 90) : 0];
            random.NextBytes(content);
            FrameCodec.WriteHead(head, type, content.Length);
            wire.AddRange(head);
            wire.AddRange(content);
            if (type != FrameType.Data)
            {
                expected.Add(type.ToString());
            }
            else
            {
                expected.AddRange(content.Select(static b => b.ToString("x2")));
            }
        }

        return ([.. wire], expected);
    }

    private static List<string> Read(byte[] wire, Func<int> cut, Random random)
    {
        var reader = default(FrameReader);
        var found = new List<string>();
        for (var at = 0; at < wire.Length;)
        {
            var piece = wire.AsSpan(at, Math.Min(cut(), wire.Length - at));
            var step = reader.Next(piece, out var taken, out var content);
            taken.ShouldBeInRange(0, piece.Length);
            content.ShouldBeInRange(0, taken);

            // Now and then the receiver is blocked and some bytes are read again.
            var refused = content > 0 ? random.Next(content + 1) : 0;
            reader.GiveBack(refused);
            found.AddRange(piece[(taken - content)..(taken - refused)].ToArray().Select(static b => b.ToString("x2")));
            at += taken - refused;
            if (step == FrameStep.Malformed)
            {
                return found;
            }

            if (step == FrameStep.Control)
            {
                found.Add(reader.Type.ToString());
            }
        }

        return found;
    }
}
