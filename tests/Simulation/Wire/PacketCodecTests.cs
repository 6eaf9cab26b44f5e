using System.Net;
using Gossip;
using Gossip.Wire;
using Shouldly;
using Xunit;

namespace Simulation.Wire;

public sealed class PacketCodecTests
{
    private static readonly Ping Question =
        new(7, "web-1", new IPEndPoint(IPAddress.Parse("10.1.2.3"), 8301), "web-2");

    [Theory]
    [InlineData(16, false)]
    [InlineData(24, false)]
    [InlineData(32, false)]
    [InlineData(16, true)]
    [InlineData(32, true)]
    public void An_encrypted_packet_is_read_by_whoever_has_the_key(int keyBytes, bool pads)
    {
        var options = new WireOptions { PadEncrypted = pads };
        using var sender = new PacketCodec(options, Ring(1, keyBytes));
        using var receiver = new PacketCodec(new WireOptions(), Ring(1, keyBytes));
        for (int size = 0; size < 40; size++)
        {
            var message = new UserMessage(Enumerable.Repeat((byte)'x', size).ToArray());
            Read(receiver, Packet(sender, message)).ShouldBe(WireError.None, out List<SwimMessage> read);
            read.ShouldHaveSingleItem().ShouldBeOfType<UserMessage>().Payload.Length.ShouldBe(size);
        }
    }

    [Fact]
    public void A_packet_of_another_key_is_dropped_and_of_any_installed_key_is_read()
    {
        Keyring ring = Ring(1);
        using var receiver = new PacketCodec(new WireOptions(), ring);
        using var sender = new PacketCodec(new WireOptions(), Ring(2));
        Read(receiver, Packet(sender, Question)).ShouldBe(WireError.NotDecryptable, out _);
        ring.TryInstall(Ring(2).Keys[0], out _).ShouldBeTrue();
        Read(receiver, Packet(sender, Question)).ShouldBe(WireError.None, out List<SwimMessage> read);
        read.ShouldBe([Question]);
    }

    [Fact]
    public void Unencrypted_packets_are_taken_only_while_keys_are_rolled_out()
    {
        using var plain = new PacketCodec(new WireOptions(), new Keyring());
        using var strict = new PacketCodec(new WireOptions(), Ring(1));
        using var lenient = new PacketCodec(new WireOptions { EncryptVerifyIncoming = false }, Ring(1));
        using var silent = new PacketCodec(new WireOptions { EncryptVerifyOutgoing = false }, Ring(1));
        Read(strict, Packet(plain, Question)).ShouldBe(WireError.NotDecryptable, out _);
        Read(lenient, Packet(plain, Question)).ShouldBe(WireError.None, out _);
        Read(plain, Packet(silent, Question)).ShouldBe(WireError.None, out _);
        Read(lenient, Packet(strict, Question)).ShouldBe(WireError.None, out _);
    }

    [Theory]
    [InlineData("", "", true)]
    [InlineData("blue", "blue", true)]
    [InlineData("blue", "green", false)]
    [InlineData("blue", "", false)]
    [InlineData("", "blue", false)]
    public void Only_packets_of_the_own_label_are_read(string sent, string expected, bool isRead)
    {
        foreach (Keyring ring in new[] { new Keyring(), Ring(1) })
        {
            using var sender = new PacketCodec(new WireOptions { Label = sent }, ring);
            using var receiver = new PacketCodec(new WireOptions { Label = expected }, ring);
            Read(receiver, Packet(sender, Question)).ShouldBe(isRead ? WireError.None : WireError.BadLabel, out _);
        }
    }

    [Fact]
    public void A_label_cannot_be_exchanged_on_an_encrypted_packet()
    {
        using var sender = new PacketCodec(new WireOptions { Label = "blue" }, Ring(1));
        using var receiver = new PacketCodec(new WireOptions { Label = "gray" }, Ring(1));
        byte[] packet = Packet(sender, Question);
        "gray"u8.CopyTo(packet.AsSpan(2));
        Read(receiver, packet).ShouldBe(WireError.NotDecryptable, out _);
    }

    [Fact]
    public void Messages_fill_a_packet_up_to_its_limit_and_come_out_in_order()
    {
        foreach (Keyring ring in new[] { new Keyring(), Ring(1) })
        {
            var options = new WireOptions { Label = "blue", Compress = false };
            using var codec = new PacketCodec(options, ring);
            var sent = new List<SwimMessage>();
            for (uint i = 0; codec.TryAdd(new Suspect(i, "web-1", "web-2")); i++)
            {
                sent.Add(new Suspect(i, "web-1", "web-2"));
            }
            ReadOnlyMemory<byte> packet = codec.Finish(checksum: true);
            packet.Length.ShouldBeInRange(options.PacketBytes - 60, options.PacketBytes);
            Read(codec, packet.ToArray()).ShouldBe(WireError.None, out List<SwimMessage> read);
            read.ShouldBe(sent);
        }
    }

    [Fact]
    public void A_large_first_message_goes_alone_and_is_compressed()
    {
        using var codec = new PacketCodec(new WireOptions(), new Keyring());
        var large = new UserMessage(Enumerable.Repeat((byte)'x', 9000).ToArray());
        codec.TryAdd(large).ShouldBeTrue();
        codec.TryAdd(Question).ShouldBeFalse();
        byte[] packet = codec.Finish(checksum: false).ToArray();
        packet.Length.ShouldBeLessThan(1000);
        Read(codec, packet).ShouldBe(WireError.None, out List<SwimMessage> read);
        read.ShouldHaveSingleItem().ShouldBeOfType<UserMessage>().Payload.Length.ShouldBe(9000);
    }

    [Fact]
    public void A_packet_that_changed_on_its_way_is_dropped()
    {
        using var codec = new PacketCodec(new WireOptions(), new Keyring());
        codec.TryAdd(Question);
        byte[] packet = codec.Finish(checksum: true).ToArray();
        packet[^1] ^= 1;
        Read(codec, packet).ShouldBe(WireError.BadChecksum, out List<SwimMessage> read);
        read.ShouldBeEmpty();
    }

    [Fact]
    public void A_broken_message_leaves_its_neighbours_alone()
    {
        using var codec = new PacketCodec(new WireOptions(), new Keyring());
        codec.TryAdd(new Nack(1));
        codec.TryAdd([200, 1, 2]);
        codec.TryAdd(codec.Encode(new Nack(2)));
        Read(codec, codec.Finish(checksum: false).ToArray())
            .ShouldBe(WireError.UnknownType, out List<SwimMessage> read);
        read.ShouldBe([new Nack(1), new Nack(2)]);
    }

    [Fact]
    public void Without_a_valid_key_none_of_100000_forgeries_is_accepted()
    {
        using var sender = new PacketCodec(new WireOptions(), Ring(1));
        using var receiver = new PacketCodec(new WireOptions(), Ring(1));
        var random = new Random(11);
        byte[] real = Packet(sender, Question);
        var read = new List<SwimMessage>();
        for (int i = 0; i < 100_000; i++)
        {
            byte[] forged = i % 2 == 0 ? (byte[])real.Clone() : new byte[random.Next(0, 200)];
            if (i % 2 == 0)
            {
                // Any bit but the version's: both versions are the same to a packet that is no whole blocks long.
                forged[random.Next(1, forged.Length)] ^= (byte)(1 << random.Next(8));
            }
            else
            {
                random.NextBytes(forged);
                forged.AsSpan(0, Math.Min(1, forged.Length)).Clear();
            }
            receiver.Decode(forged, read).ShouldBeOneOf(WireError.NotDecryptable, WireError.Empty);
        }
        read.ShouldBeEmpty();
    }

    internal static Keyring Ring(byte seed, int bytes = 32) =>
        new(RealAgentsTests.Key([.. Enumerable.Range(0, bytes).Select(i => (byte)(i + seed))]));

    private static byte[] Packet(PacketCodec codec, SwimMessage message)
    {
        codec.TryAdd(message).ShouldBeTrue();
        return codec.Finish(checksum: false).ToArray();
    }

    private static Result Read(PacketCodec codec, byte[] packet)
    {
        var messages = new List<SwimMessage>();
        return new Result(codec.Decode(packet, messages), messages);
    }

    private sealed record Result(WireError Error, List<SwimMessage> Messages)
    {
        public void ShouldBe(WireError expected, out List<SwimMessage> messages)
        {
            Error.ShouldBe(expected);
            messages = Messages;
        }
    }
}
