using System.IO.Pipelines;
using System.Net;
using System.Text;
using Gossip;
using Gossip.Wire;
using Shouldly;
using Xunit;

namespace Simulation.Wire;

public sealed class StreamCodecTests
{
    [Theory]
    [InlineData("", false, true)]
    [InlineData("", true, true)]
    [InlineData("blue", true, true)]
    [InlineData("blue", false, false)]
    [InlineData("", false, false)]
    public async Task An_exchange_of_state_arrives_byte_by_byte(string label, bool encrypts, bool compresses)
    {
        Keyring ring = encrypts ? PacketCodecTests.Ring(1) : new Keyring();
        var codec = new StreamCodec(new WireOptions { Label = label, Compress = compresses }, ring);
        PushPull sent = State(nodes: 20);
        foreach (bool opens in new[] { true, false })
        {
            StreamMessage read = await ReadSlowly(codec, codec.Encode(sent, opens), opens);
            read.Error.ShouldBe(WireError.None);
            PushPull state = read.Message.ShouldBeOfType<PushPull>();
            state.Nodes.Select(n => n.Name).ShouldBe(sent.Nodes.Select(n => n.Name));
            state.UserState.ToArray().ShouldBe(sent.UserState.ToArray());
        }
    }

    [Fact]
    public async Task The_small_messages_of_streams_arrive_too()
    {
        var codec = new StreamCodec(new WireOptions(), new Keyring());
        SwimMessage[] messages = [new Ping(1, "a", null, ""), new ErrorResponse("no"), new Ack(9, default)];
        foreach (SwimMessage message in messages)
        {
            StreamMessage read = await ReadSlowly(codec, codec.Encode(message, opens: true), opened: true);
            read.Message.ShouldNotBeNull().GetType().ShouldBe(message.GetType());
        }
        StreamMessage user = await ReadSlowly(codec, codec.Encode(new UserMessage("hello"u8.ToArray()), true), true);
        user.Message.ShouldBeOfType<UserMessage>().Payload.ToArray().ShouldBe("hello"u8.ToArray());
    }

    [Fact]
    public void The_state_of_10000_members_stays_within_the_memory_that_its_bytes_buy()
    {
        var codec = new StreamCodec(new WireOptions(), new Keyring());
        byte[] bytes = codec.Encode(State(nodes: 10_000), opens: true);
        codec.Decode(bytes, opened: true, out SwimMessage? message).ShouldBe(WireError.None);
        message.ShouldBeOfType<PushPull>().Nodes.Count.ShouldBe(10_000);
    }

    [Fact]
    public async Task The_state_of_10000_members_that_are_much_alike_is_taken_though_it_shrinks_to_a_fraction()
    {
        var codec = new StreamCodec(new WireOptions(), new Keyring());
        byte[] meta = Encoding.UTF8.GetBytes($"role=node,dc=dc1,id={IdOf(1)},{new string('m', count: 400)}");
        PushPull sent = State(nodes: 10_000);
        sent = sent with { Nodes = [.. sent.Nodes.Select(node => node with { Meta = meta })] };

        byte[] bytes = codec.Encode(sent, opens: true);
        bytes.Length.ShouldBeLessThan(10_000 * meta.Length / 16);
        StreamMessage read = await codec.ReadAsync(new MemoryStream(bytes), opened: true, CancellationToken.None);

        read.Error.ShouldBe(WireError.None);
        read.Message.ShouldBeOfType<PushPull>().Nodes.Count.ShouldBe(10_000);
    }

    [Fact]
    public void A_bomb_in_a_stream_ends_at_what_its_bytes_buy()
    {
        var codec = new StreamCodec(new WireOptions(), new Keyring());
        byte[] bomb = HostileBytesTests.Bomb(inflatedBytes: 31_000_000);
        ((long)WireLimits.ExpansionMax * bomb.Length).ShouldBeLessThan(31_000_000 / 2);

        codec.Decode(bomb, opened: true, out _).ShouldBe(WireError.TooLarge);
    }

    [Fact]
    public void Plain_streams_are_refused_once_there_is_a_key()
    {
        byte[] bytes = new StreamCodec(new WireOptions(), new Keyring()).Encode(State(nodes: 1), opens: true);
        new StreamCodec(new WireOptions(), PacketCodecTests.Ring(1)).Decode(bytes, true, out _)
            .ShouldBe(WireError.NotEncrypted);
        byte[] closed = new StreamCodec(new WireOptions(), PacketCodecTests.Ring(1)).Encode(State(1), opens: true);
        new StreamCodec(new WireOptions(), PacketCodecTests.Ring(2)).Decode(closed, true, out _)
            .ShouldBe(WireError.NotDecryptable);
        new StreamCodec(new WireOptions(), new Keyring()).Decode(closed, true, out _).ShouldBe(WireError.NoKeyring);
    }

    [Theory]
    [InlineData("0affffffff")] // an encrypted message of 4 GiB
    [InlineData("0683a44a6f696ec3a54e6f646573ceffffffffac5573657253746174654c656e00")] // four thousand million members
    [InlineData("0681ac5573657253746174654c656ece7fffffff")] // two gigabytes of user state
    [InlineData("06ff")] // not a map
    [InlineData("07")] // a packet's kind
    public async Task An_absurd_announcement_ends_the_reading_at_once(string hexadecimal)
    {
        var codec = new StreamCodec(new WireOptions(), new Keyring());
        var pipe = new Pipe();
        await pipe.Writer.WriteAsync(Convert.FromHexString(hexadecimal));
        StreamMessage read = await codec.ReadAsync(pipe.Reader.AsStream(), opened: true, CancellationToken.None);
        read.Message.ShouldBeNull();
        read.Error.ShouldBeOneOf(WireError.TooLarge, WireError.Malformed, WireError.UnknownType);
    }

    private static async Task<StreamMessage> ReadSlowly(StreamCodec codec, byte[] bytes, bool opened)
    {
        using var slow = new SlowStream(bytes);
        return await codec.ReadAsync(slow, opened, CancellationToken.None);
    }

    internal static PushPull State(int nodes) => new(
        Join: true,
        [.. Enumerable.Range(0, nodes).Select(i => new PushNodeState(
            $"node-{i:d5}", new IPEndPoint(new IPAddress([10, 1, (byte)(i >> 8), (byte)i]), 8301),
            Encoding.UTF8.GetBytes($"role=node,id={IdOf(i)}"), (uint)i, (MemberState)(i % 4),
            ProtocolVersions.Default))],
        "the layer above"u8.ToArray());

    // Consul's members have a random identity each, which does not compress.
    private static Guid IdOf(int seed)
    {
        var bytes = new byte[16];
        new Random(seed).NextBytes(bytes);
        return new Guid(bytes);
    }

    private sealed class SlowStream(byte[] bytes) : MemoryStream(bytes)
    {
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            base.ReadAsync(buffer[..Math.Min(1, buffer.Length)], cancellationToken);
    }
}
