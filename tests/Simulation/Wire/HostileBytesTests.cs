using System.Buffers.Binary;
using Codecs.Lzw;
using Codecs.MessagePack;
using Gossip;
using Gossip.Serf.Wire;
using Gossip.Wire;
using Shouldly;
using Xunit;

namespace Simulation.Wire;

/// <summary>What strangers may send: nothing throws, nothing takes more memory than its bytes allow.</summary>
public sealed class HostileBytesTests
{
    private static readonly byte[][] Plain = PlainSeeds();

    [Fact]
    public void At_least_2000_handmade_malformed_inputs_harm_nothing()
    {
        using var feeder = new Feeder();
        int inputs = 0;
        foreach (byte[] bytes in Truncations().Concat(Lengths()).Concat(Nestings()).Concat(Bombs()))
        {
            feeder.Feed(bytes);
            inputs++;
        }
        inputs.ShouldBeGreaterThan(2000);
    }

    [Fact]
    public void A_million_mutated_inputs_harm_nothing()
    {
        const int Inputs = 1_000_000;
        using var feeder = new Feeder();
        var random = new Random(20);
        for (int i = 0; i < Inputs; i++)
        {
            feeder.FeedOne(Mutated(Plain[random.Next(Plain.Length)], random), random.Next(4));
        }
        feeder.Understood.ShouldBeGreaterThan(Inputs / 100);
    }

    [Fact]
    public void A_bomb_in_a_packet_ends_at_a_datagrams_size()
    {
        using var codec = new PacketCodec(new WireOptions(), new Keyring());
        codec.Decode(Bomb(inflatedBytes: 40_000_000), []).ShouldBe(WireError.TooLarge);
    }

    [Fact]
    public void A_compound_in_a_compound_is_refused()
    {
        using var codec = new PacketCodec(new WireOptions(), new Keyring());
        foreach (byte[] nested in Nestings())
        {
            codec.Decode(nested, []).ShouldNotBe(WireError.None);
        }
    }

    private static byte[][] PlainSeeds()
    {
        var seeds = new List<byte[]>();
        foreach (string file in Captured.Files.Where(f => !f.Contains("encrypted", StringComparison.Ordinal)))
        {
            foreach (Captured captured in Captured.Read(file))
            {
                byte[] bytes = captured.Bytes[0] == (byte)SwimMessageType.Checksum
                ? captured.Bytes[5..]
                : captured.Bytes;
                seeds.Add(bytes);
                if (bytes[0] == (byte)SwimMessageType.Compressed)
                {
                    Compression.Codes(bytes, out ReadOnlySpan<byte> codes).ShouldBe(WireError.None);
                    var inflated = new byte[WireLimits.DatagramBytesMax];
                    Compression.Inflate(codes, inflated, out int length).ShouldBe(WireError.None);
                    seeds.Add(inflated[..length]);
                }
            }
        }
        return [.. seeds];
    }

    private static IEnumerable<byte[]> Truncations() =>
        from seed in Plain.DistinctBy(s => (s[0], s.Length / 32))
        from length in Enumerable.Range(0, seed.Length)
        select seed[..length];

    // Every byte that may be a length or a count says a much larger one.
    private static IEnumerable<byte[]> Lengths()
    {
        foreach (byte[] seed in Plain.DistinctBy(s => s[0]))
        {
            for (int at = 0; at < seed.Length; at++)
            {
                foreach (byte head in (byte[])[0xdb, 0xdd, 0xdf, 0xc6, 0xc9, 0x8f, 0x9f, 0xbf])
                {
                    byte[] bytes = [.. seed[..at], head, 0x7f, 0xff, 0xff, 0xff, .. seed[at..]];
                    yield return bytes;
                }
            }
        }
    }

    private static IEnumerable<byte[]> Nestings()
    {
        byte[] inside = [7, 1, 0, 1, 11];
        for (int depth = 0; depth < 200; depth++)
        {
            byte[] compound = [7, 1, 0, 0, .. inside];
            BinaryPrimitives.WriteUInt16BigEndian(compound.AsSpan(2), (ushort)inside.Length);
            inside = compound;
            yield return compound;
        }
        yield return [0, .. Enumerable.Repeat((byte)0x91, 60_000)];
        yield return [0, 0x81, 0xa1, (byte)'x', .. Enumerable.Repeat((byte)0x81, 60_000)];
        yield return [9, 0x82, 0xa4, .. "Algo"u8, 0, 0xa3, .. "Buf"u8, 0xa3, 9, 9, 9];
        yield return [12, 0, 0, 0, 0, 12, 0, 0, 0, 0];
    }

    private static IEnumerable<byte[]> Bombs()
    {
        yield return Bomb(inflatedBytes: 40_000_000);
        yield return Bomb(inflatedBytes: 70_000);

        // As many members, events and names as fit, as small as they get.
        yield return [6, 0x81, 0xa5, .. "Nodes"u8, 0xcd, 0xff, 0x00, .. Enumerable.Repeat((byte)0x80, 65_000)];
        yield return [2, 0x81, 0xa6, .. "Events"u8, 0xdc, 0xf0, 0x00, .. Enumerable.Repeat((byte)0x80, 0xf000)];
        yield return [2, 0x81, 0xab, .. "LeftMembers"u8, 0xdc, 0xf0, 0x00, .. Enumerable.Repeat((byte)0xa0, 0xf000)];
        yield return [4, 0x81, 0xa7, .. "Filters"u8, 0xdc, 0xf0, 0x00, .. Enumerable.Repeat((byte)0xa0, 0xf000)];
        yield return [8, 0x81, 0xa4, .. "Keys"u8, 0xdc, 0xf0, 0x00, .. Enumerable.Repeat((byte)0xa0, 0xf000)];
    }

    internal static byte[] Bomb(int inflatedBytes)
    {
        var codes = new byte[inflatedBytes / 100];
        new LzwEncoder().TryEncode(new byte[inflatedBytes], codes, out int length).ShouldBeTrue();
        var buffer = new byte[length + 64];
        var writer = new MessagePackWriter(buffer);
        writer.WriteByte((byte)SwimMessageType.Compressed);
        writer.WriteMapHeader(2);
        writer.WriteRaw("Algo"u8);
        writer.WriteUInt64(0);
        writer.WriteRaw("Buf"u8);
        writer.WriteRaw(codes.AsSpan(0, length));
        return buffer[..writer.Length];
    }

    private static byte[] Mutated(byte[] seed, Random random)
    {
        byte[] bytes = random.Next(3) switch
        {
            0 => seed[..random.Next(seed.Length + 1)],
            1 =>
            [
                .. seed[..random.Next(seed.Length)], (byte)random.Next(0xc0, 0xe0), .. seed[random.Next(seed.Length)..],
            ],
            _ => (byte[])seed.Clone(),
        };
        for (int changes = random.Next(1, 4); changes > 0 && bytes.Length > 0; changes--)
        {
            bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
        }
        return bytes;
    }

    private sealed class Feeder : IDisposable
    {
        private readonly PacketCodec _packets = new(new WireOptions(), new Keyring());
        private readonly PacketCodec _lenient = new(
            new WireOptions { EncryptVerifyIncoming = false }, PacketCodecTests.Ring(1));
        private readonly StreamCodec _streams = new(new WireOptions(), new Keyring());
        private readonly List<SwimMessage> _messages = [];

        public int Understood { get; private set; }

        public void Feed(byte[] bytes)
        {
            for (int way = 0; way < 4; way++)
            {
                FeedOne(bytes, way);
            }
        }

        public void FeedOne(byte[] bytes, int way)
        {
            _messages.Clear();
            _messages.EnsureCapacity(256);
            long before = GC.GetAllocatedBytesForCurrentThread();
            bool isUnderstood = way switch
            {
                0 => _packets.Decode(bytes, _messages) == WireError.None,
                1 => _streams.Decode(bytes, opened: true, out _) == WireError.None,
                2 => _lenient.Decode(bytes, _messages) == WireError.None,
                _ => SerfCodec.TryDecode(bytes, out _) | TagsCodec.TryDecode(bytes, out _)
                    | QueryFilter.TryDecode(bytes, out _) | CoordinateCodec.TryReadAckPayload(bytes, out _),
            };
            long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
            if (allocated > (way == 1 && IsCompressed(bytes) ? CompressedMemoryMax(bytes) : MemoryMax(bytes)))
            {
                Assert.Fail($"{bytes.Length} bytes took {allocated} bytes of memory, way {way}");
            }
            Understood += isUnderstood ? 1 : 0;
        }

        private static bool IsCompressed(byte[] bytes) => bytes is [(byte)SwimMessageType.Compressed, ..];

        private static long MemoryMax(byte[] bytes) =>
            WireLimits.MemoryFreeBytes + (long)WireLimits.MemoryPerByteMax * bytes.Length;

        // The buffers that were tried before the last one are together no larger than it.
        private static long CompressedMemoryMax(byte[] bytes)
        {
            long inflated = WireLimits.InflatedFreeBytes + (long)WireLimits.ExpansionMax * bytes.Length;
            return MemoryMax(bytes)
                + (1 + WireLimits.MemoryPerInflatedByteMax) * Math.Min(inflated, WireLimits.InflatedBytesMax);
        }

        public void Dispose()
        {
            _packets.Dispose();
            _lenient.Dispose();
        }
    }
}
