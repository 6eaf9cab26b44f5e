using System.Buffers.Binary;
using Codecs.Lzw;
using Codecs.MessagePack;
using Gossip.Wire;
using Shouldly;
using Xunit;

namespace Simulation.Wire;

public sealed class SwimMessageTests
{
    [Theory]
    [InlineData("serf-0.9.4.txt")]
    [InlineData("consul-1.8.7.txt")]
    public void A_message_of_a_real_agent_is_written_again_byte_for_byte(string file)
    {
        int messages = 0;
        foreach (byte[] bytes in Captured.Read(file).Where(c => c.IsPacket).SelectMany(c => Unwrapped(c.Bytes)))
        {
            SwimReader.ReadPacketMessage(bytes, 7946, out SwimMessage? message).ShouldBe(WireError.None);
            var again = new byte[bytes.Length];
            SwimWriter.TryWritePacketMessage(message!, again, out int length).ShouldBeTrue(message!.ToString());
            Convert.ToHexString(again.AsSpan(0, length)).ShouldBe(Convert.ToHexString(bytes), message.ToString());
            messages++;
        }
        messages.ShouldBeGreaterThan(10);
    }

    [Theory]
    [InlineData("serf-0.9.4.txt")]
    [InlineData("consul-1.8.7.txt")]
    public void An_exchange_of_state_of_a_real_agent_is_written_and_compressed_again_byte_for_byte(string file)
    {
        foreach (Captured captured in Captured.Read(file).Where(c => !c.IsPacket))
        {
            byte[] bytes = Inflated(captured.Bytes, out byte[] codes);
            SwimReader.ReadStreamMessage(bytes, 7946, long.MaxValue, out SwimMessage? message).ShouldBe(WireError.None);
            message.ShouldBeOfType<PushPull>().Nodes.ShouldNotBeEmpty();
            var again = new byte[bytes.Length];
            SwimWriter.TryWriteStreamMessage(message, again, out int length).ShouldBeTrue();
            Convert.ToHexString(again.AsSpan(0, length)).ShouldBe(Convert.ToHexString(bytes));
            var packed = new byte[codes.Length + 2];
            new LzwEncoder().TryEncode(again, packed, out length).ShouldBeTrue();

            // Consul 1.8.7 was built with an older Go, which does not begin with a clear code.
            bool beginsWithClear = (codes[0] | (codes[1] & 1) << 8) == LzwFormat.Clear;
            Convert.ToHexString(beginsWithClear ? packed.AsSpan(0, length) : codes)
                .ShouldBe(Convert.ToHexString(codes));
        }
    }

    private static byte[] Inflated(byte[] bytes, out byte[] codes)
    {
        var reader = new MessagePackReader(bytes, start: 1);
        SwimFields.TryRead(ref reader, out SwimFields fields).ShouldBeTrue();
        codes = fields.Buffer.ToArray();
        var inflated = new byte[1 << 20];
        LzwDecoder.Decode(codes, inflated, out int length).ShouldBe(LzwError.None);
        return inflated[..length];
    }

    private static IEnumerable<byte[]> Unwrapped(byte[] packet)
    {
        byte[] bytes = packet[0] == (byte)SwimMessageType.Checksum ? packet[5..] : packet;
        bytes = bytes[0] == (byte)SwimMessageType.Compressed ? Inflated(bytes, out _) : bytes;
        if (bytes[0] != (byte)SwimMessageType.Compound)
        {
            return [bytes];
        }
        var parts = new List<byte[]>();
        int at = 2 + 2 * bytes[1];
        for (int i = 0; i < bytes[1]; i++)
        {
            int size = BinaryPrimitives.ReadUInt16BigEndian(bytes.AsSpan(2 + 2 * i));
            parts.Add(bytes[at..(at + size)]);
            at += size;
        }
        return parts;
    }
}
