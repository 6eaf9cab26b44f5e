using Gossip;
using Gossip.Coordinates;
using Gossip.Serf.Wire;
using Gossip.Wire;
using Shouldly;
using Xunit;

namespace Simulation.Wire;

public sealed class RealAgentsTests
{
    [Theory]
    [InlineData("serf-0.9.4.txt")]
    [InlineData("serf-0.9.4-encrypted.txt")]
    [InlineData("consul-1.8.7.txt")]
    [InlineData("consul-1.8.7-encrypted.txt")]
    public void Everything_that_real_agents_send_is_understood(string file)
    {
        Keyring keyring = KeysOf(file);
        using var packets = new PacketCodec(new WireOptions(), keyring);
        var streams = new StreamCodec(new WireOptions(), keyring);
        var messages = new List<SwimMessage>();
        foreach (Captured captured in Captured.Read(file))
        {
            if (captured.IsPacket)
            {
                packets.Decode(captured.Bytes, messages).ShouldBe(WireError.None);
                continue;
            }
            streams.Decode(captured.Bytes, captured.Kind == "opening", out SwimMessage? message)
                .ShouldBe(WireError.None);
            messages.Add(message!);
        }
        messages.OfType<PushPull>().ShouldAllBe(state => state.Nodes.Count > 0 && state.UserState.Length > 0);
        messages.OfType<Ping>().ShouldNotBeEmpty();
        messages.OfType<Ack>().ShouldNotBeEmpty();
        foreach (SwimMessage message in messages)
        {
            Serf(message);
        }
    }

    [Theory]
    [InlineData("serf-0.9.4.txt")]
    [InlineData("consul-1.8.7.txt")]
    public void A_serf_message_of_a_real_agent_is_written_again_byte_for_byte(string file)
    {
        using var packets = new PacketCodec(new WireOptions(), new Keyring());
        var messages = new List<SwimMessage>();
        foreach (Captured captured in Captured.Read(file).Where(c => c.IsPacket))
        {
            packets.Decode(captured.Bytes, messages);
        }
        foreach (UserMessage user in messages.OfType<UserMessage>())
        {
            SerfCodec.TryDecode(user.Payload.Span, out SerfMessage? message).ShouldBeTrue();
            Convert.ToHexString(SerfCodec.Encode(message!)).ShouldBe(Convert.ToHexString(user.Payload.Span));
        }
        messages.OfType<UserMessage>().ShouldNotBeEmpty();
    }

    [Fact]
    public void Every_kind_of_serf_message_was_captured()
    {
        var messages = new List<SwimMessage>();
        foreach (string file in Captured.Files)
        {
            using var packets = new PacketCodec(new WireOptions(), KeysOf(file));
            foreach (Captured captured in Captured.Read(file).Where(c => c.IsPacket))
            {
                packets.Decode(captured.Bytes, messages);
            }
        }
        string[] kinds = [.. messages.OfType<UserMessage>().Select(Decoded).Select(m => m.GetType().Name).Distinct()];
        kinds.ShouldBe(
            [nameof(JoinIntent), nameof(LeaveIntent), nameof(UserEvent), nameof(Query), nameof(QueryResponse),
                nameof(Relay)],
            ignoreOrder: true);
        string[] queries = [.. messages.OfType<UserMessage>().Select(Decoded).OfType<Query>().Select(q => q.Name)];
        queries.ShouldContain(InternalQueries.Conflict);
        queries.ShouldContain(InternalQueries.InstallKey);
        queries.ShouldContain(InternalQueries.ListKeys);
    }

    private static SerfMessage Decoded(UserMessage user)
    {
        SerfCodec.TryDecode(user.Payload.Span, out SerfMessage? message).ShouldBeTrue();
        return message!;
    }

    private static void Serf(SwimMessage message)
    {
        switch (message)
        {
            case UserMessage user:
                Payload(Decoded(user));
                break;
            case PushPull state:
                SerfCodec.TryDecode(state.UserState.Span, out SerfMessage? inside).ShouldBeTrue();
                inside.ShouldBeOfType<SerfPushPull>().StatusLTimes.ShouldNotBeEmpty();
                break;
            case Ack { Payload.Length: > 0 } ack:
                CoordinateCodec.TryReadAckPayload(ack.Payload.Span, out Coordinate? place).ShouldBeTrue();
                place.Vector.Count.ShouldBe(8);
                CoordinateCodec.ToAckPayload(place).ShouldBe(ack.Payload.ToArray());
                break;
            case Alive alive:
                TagsCodec.TryDecode(alive.Meta.Span, out IReadOnlyDictionary<string, string>? tags).ShouldBeTrue();
                TagsCodec.TryEncode(tags, out byte[] meta).ShouldBeTrue();
                meta.Length.ShouldBe(alive.Meta.Length);
                break;
        }
    }

    // What travels inside queries and their answers.
    private static void Payload(SerfMessage message)
    {
        switch (message)
        {
            case Query query:
                query.Filters.ShouldAllBe(filter => IsKnown(filter));
                break;
            case QueryResponse { Payload.Length: > 1 } response when response.Payload.Span[0] is 6 or 8:
                SerfCodec.TryDecode(response.Payload.Span, out SerfMessage? inside).ShouldBeTrue();
                if (inside is ConflictResponse conflict)
                {
                    conflict.Member!.Name.ShouldBe("n2");
                }
                break;
        }
    }

    private static bool IsKnown(ReadOnlyMemory<byte> filter) =>
        QueryFilter.TryDecode(filter.Span, out QueryFilter? read) && read.Encode().AsSpan().SequenceEqual(filter.Span);

    internal static Keyring KeysOf(string file) => new(Captured.Keys(file).Select(Key));

    internal static GossipKey Key(byte[] bytes) =>
        GossipKey.TryCreate(bytes, out GossipKey? key, out string? problem)
            ? key
            : throw new InvalidOperationException(problem);
}
