using System.Net;
using System.Text;
using Codecs.Checksums;
using Codecs.Lzw;
using FsCheck;
using FsCheck.Fluent;
using Gossip;
using Gossip.Serf.Wire;
using Gossip.Wire;
using Shouldly;
using Xunit;

namespace Simulation.Wire;

public sealed class RoundTripTests
{
    private const int Runs = 1000;

    [Fact]
    public void Whatever_is_compressed_comes_out_again()
    {
        var encoder = new LzwEncoder();
        var packed = new byte[1 << 17];
        var inflated = new byte[1 << 16];
        var random = new Random(4);
        for (int run = 0; run < Runs; run++)
        {
            var bytes = new byte[random.Next(run % 10 == 0 ? 60_000 : 600)];
            int letters = 1 << random.Next(1, 9);
            foreach (ref byte b in bytes.AsSpan())
            {
                b = (byte)random.Next(letters);
            }
            encoder.TryEncode(bytes, packed, out int length).ShouldBeTrue();
            LzwDecoder.Decode(packed.AsSpan(0, length), inflated, out int plain).ShouldBe(LzwError.None);
            inflated.AsSpan(0, plain).SequenceEqual(bytes).ShouldBeTrue();
        }
    }

    [Fact]
    public void The_checksum_is_the_one_of_IEEE() => Crc32.Compute("123456789"u8).ShouldBe(0xCBF43926);

    [Fact]
    public void Every_message_of_a_packet_comes_out_as_it_went_in() =>
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(Runs), Prop.ForAll(
            ArbMap.Default.ArbFor<(string, string, uint, byte[])>(), drawn => Holds(drawn)));

    [Fact]
    public void Every_message_of_serf_comes_out_as_it_went_in() =>
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(Runs), Prop.ForAll(
            ArbMap.Default.ArbFor<(string, string, ulong, byte[])>(), drawn => SerfHolds(drawn)));

    private static bool Holds((string, string, uint, byte[]) drawn)
    {
        (string node, string from, uint number, byte[] bytes) = (Text(drawn.Item1), Text(drawn.Item2), drawn.Item3,
            drawn.Item4 ?? []);
        var address = new IPEndPoint(number % 2 == 0 ? new IPAddress(number) : IPAddress.IPv6Loopback, 8301);
        bytes = bytes[..Math.Min(bytes.Length, WireLimits.MetaBytesMax)];
        SwimMessage[] messages =
        [
            new Ping(number, node, number % 3 == 0 ? null : address, from),
            new IndirectPing(number, address, node, number % 2 == 0, number % 3 == 0 ? null : address, from),
            new Ack(number, bytes), new Nack(number), new Suspect(number, "n" + node, from),
            new Alive(number, "n" + node, address, bytes, ProtocolVersions.Default), new Dead(number, "n" + node, from),
            new UserMessage(bytes),
        ];
        using var codec = new PacketCodec(
            new WireOptions(), number % 5 == 0 ? PacketCodecTests.Ring(1) : new Keyring());
        foreach (SwimMessage message in messages)
        {
            var read = new List<SwimMessage>();
            codec.TryAdd(message).ShouldBeTrue();
            codec.Decode(codec.Finish(number % 2 == 0).Span, read).ShouldBe(WireError.None);
            codec.Encode(read.ShouldHaveSingleItem()).ShouldBe(codec.Encode(message));
        }
        return true;
    }

    private static bool SerfHolds((string, string, ulong, byte[]) drawn)
    {
        (string node, string text, ulong time, byte[] bytes) = (Text(drawn.Item1), Text(drawn.Item2), drawn.Item3,
            drawn.Item4 ?? []);
        var address = new IPEndPoint(new IPAddress((uint)time), 7946);
        var tags = new Dictionary<string, string>(StringComparer.Ordinal) { ["a"] = node, ["b"] = text };
        SerfMessage[] messages =
        [
            new LeaveIntent(time, node, time % 2 == 0), new JoinIntent(time, node),
            new SerfPushPull(time, [new(node, time), new("x", 1)], [node], time, [new(3, [new("e" + text, bytes)])], 9),
            new UserEvent(time, text, bytes, true),
            new Query(
                time, 7, address, node, [bytes], QueryFlags.Ack, 3, TimeSpan.FromTicks((long)(time >> 8)), text, bytes),
            new QueryResponse(time, 8, node, QueryFlags.None, bytes), new ConflictResponse(null),
            new ConflictResponse(new SerfMemberInfo("n" + node, address, tags, 1, ProtocolVersions.Default)),
            new KeyRequest(bytes), new KeyResponse(true, text, [node, text], node),
            new Relay(address, node, (byte[])[5, .. bytes]),
        ];
        foreach (SerfMessage message in messages)
        {
            byte[] encoded = SerfCodec.Encode(message);
            SerfCodec.TryDecode(encoded, out SerfMessage? read).ShouldBeTrue(message.ToString());
            SerfCodec.Encode(read).ShouldBe(encoded);
        }
        return true;
    }

    // Names are Unicode on the wire: a lone half of a pair is no text.
    private static string Text(string? drawn) => Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(drawn ?? ""));
}
