using System.Buffers.Binary;
using System.Text.Json;
using Codecs.Dns;
using Praetor.Agent.Dns;
using Shouldly;
using Xunit;

namespace Unit.Dns;

public sealed class ReaderTests
{
    private const int MutantsMin = 100_000;
    private static readonly byte[][] _packets = SoundPackets();

    [Fact]
    public void No_mutated_packet_throws_or_reads_on_forever()
    {
        var random = new Random(20260801);
        var buffer = new byte[4096];
        long sound = 0;
        for (int i = 0; i < MutantsMin; i++)
        {
            byte[] original = _packets[random.Next(_packets.Length)];
            original.CopyTo(buffer, 0);
            int length = Mutate(buffer, original.Length, random);
            sound += ReadAll(buffer.AsSpan(0, length)) ? 1 : 0;
        }
        // Both kinds must occur, or the mutations test nothing.
        sound.ShouldBeInRange(MutantsMin / 100, MutantsMin * 99 / 100);
    }

    [Fact]
    public void No_mutated_packet_makes_the_server_throw_or_exceed_the_askers_limit()
    {
        var random = new Random(4711);
        var catalog = new MemoryCatalog();
        catalog.Add("web", "n1", "10.0.0.1");
        var responder = Responder(catalog, new DnsOptions());
        var buffer = new byte[4096];
        var reply = new byte[DnsLimits.MessageBytesMax];
        for (int i = 0; i < MutantsMin; i++)
        {
            byte[] original = _packets[random.Next(_packets.Length)];
            original.CopyTo(buffer, 0);
            int length = Mutate(buffer, original.Length, random);
            int size = responder.Answer(buffer.AsSpan(0, length), isTcp: false, reply);
            size.ShouldBeInRange(0, DnsLimits.MessageBytesMax);
            if (size > 0)
            {
                ReadAll(reply.AsSpan(0, size)).ShouldBeTrue();
            }
        }
    }

    [Fact]
    public void Every_truncation_of_a_packet_is_read_or_refused()
    {
        _packets.Length.ShouldBeGreaterThanOrEqualTo(40);
        foreach (byte[] packet in _packets)
        {
            ReadAll(packet).ShouldBeTrue();
            for (int length = 0; length < packet.Length; length++)
            {
                ReadAll(packet.AsSpan(0, length)).ShouldBeFalse();
            }
        }
    }

    [Fact]
    public void Every_graph_of_four_pointers_ends()
    {
        const int Nodes = 4, NodeBytes = 4;
        var message = new byte[DnsLimits.HeaderBytes + (Nodes * NodeBytes)];
        var name = new byte[DnsLimits.NameBytesMax];
        int ended = 0;
        // Each node is a label of one letter and a pointer to any node: 4^4 graphs, most of them with loops.
        for (int graph = 0; graph < 256; graph++)
        {
            for (int node = 0; node < Nodes; node++)
            {
                int at = DnsLimits.HeaderBytes + (node * NodeBytes);
                int target = DnsLimits.HeaderBytes + (((graph >> (2 * node)) & 3) * NodeBytes);
                message[at] = 1;
                message[at + 1] = (byte)('a' + node);
                BinaryPrimitives.WriteUInt16BigEndian(message.AsSpan(at + 2), (ushort)(0xC000 | target));
            }
            for (int node = 0; node < Nodes; node++)
            {
                var reader = new DnsMessageReader(message);
                reader.TryExpandName(DnsLimits.HeaderBytes + (node * NodeBytes), name, out _, out _).ShouldBeFalse();
                reader.Error.ShouldBe(DnsReadError.BadPointer);
                ended++;
            }
        }
        ended.ShouldBe(1024);
    }

    [Fact]
    public void A_pointer_to_itself_is_refused()
    {
        byte[] message = [.. new byte[12], 0xC0, 12];
        var reader = new DnsMessageReader(message);
        reader.TryExpandName(12, new byte[255], out _, out _).ShouldBeFalse();
        reader.Error.ShouldBe(DnsReadError.BadPointer);
    }

    [Fact]
    public void A_chain_of_more_pointers_than_a_name_can_have_labels_is_refused()
    {
        var message = new byte[1024];
        for (int at = 14; at < 1024; at += 2)
        {
            BinaryPrimitives.WriteUInt16BigEndian(message.AsSpan(at), (ushort)(0xC000 | (at - 2)));
        }
        var reader = new DnsMessageReader(message);
        reader.TryExpandName(14 + (2 * 100), new byte[255], out _, out _).ShouldBeTrue();
        reader.TryExpandName(1022, new byte[255], out _, out _).ShouldBeFalse();
    }

    [Fact]
    public void A_name_of_255_bytes_is_read_and_one_of_256_is_not()
    {
        byte[] longest = [63, .. new byte[63], 63, .. new byte[63], 63, .. new byte[63], 61, .. new byte[61], 0];
        byte[] tooLong = [63, .. new byte[63], 63, .. new byte[63], 63, .. new byte[63], 62, .. new byte[62], 0];
        longest.AsSpan(0, 254).Replace((byte)0, (byte)'a');
        var reader = new DnsMessageReader([.. new byte[12], .. longest]);
        reader.TryExpandName(12, new byte[255], out int length, out int end).ShouldBeTrue();
        length.ShouldBe(255);
        end.ShouldBe(12 + 255);
        var other = new DnsMessageReader([.. new byte[12], .. tooLong]);
        other.TryExpandName(12, new byte[255], out _, out _).ShouldBeFalse();
        other.Error.ShouldBe(DnsReadError.NameTooLong);
    }

    [Fact]
    public void Labels_of_the_kinds_that_were_never_standardised_are_refused()
    {
        foreach (byte kind in new byte[] { 0x40, 0x80, 0xBF })
        {
            var reader = new DnsMessageReader([.. new byte[12], kind, .. new byte[200]], DnsLimits.HeaderBytes);
            reader.TryReadQuestion(out _).ShouldBeFalse();
            reader.Error.ShouldBe(DnsReadError.BadLabel);
        }
    }

    internal static DnsResponder Responder(IDnsCatalog catalog, DnsOptions options) => new(
        new DnsContext(new DnsSettings(options), catalog, TimeProvider.System, new DnsCounters()), new Random(1), true);

    private static int Mutate(byte[] buffer, int length, Random random)
    {
        for (int changes = random.Next(1, 6); changes > 0; changes--)
        {
            int at = random.Next(length);
            switch (random.Next(5))
            {
                case 0:
                    buffer[at] = (byte)random.Next(256);
                    break;
                case 1:
                    buffer[at] ^= (byte)(1 << random.Next(8));
                    break;
                case 2:
                    buffer[at] = 0xC0;
                    break;
                case 3:
                    length = Math.Max(1, at);
                    break;
                default:
                    int from = random.Next(length);
                    buffer.AsSpan(from, Math.Min(length - Math.Max(from, at), 16)).ToArray().CopyTo(buffer, at);
                    break;
            }
        }
        return length;
    }

    // Reads everything there is, names in data too; false as soon as something is unsound.
    private static bool ReadAll(ReadOnlySpan<byte> message)
    {
        var reader = new DnsMessageReader(message);
        Span<byte> name = stackalloc byte[DnsLimits.NameBytesMax];
        if (!reader.TryReadHeader(out DnsHeader header))
        {
            return false;
        }
        for (int i = 0; i < header.Questions; i++)
        {
            if (!reader.TryReadQuestion(out DnsQuestion q) || !reader.TryExpandName(q.NameOffset, name, out _, out _))
            {
                return false;
            }
        }
        int records = header.Answers + header.Authorities + header.Additionals;
        for (int i = 0; i < records; i++)
        {
            if (!reader.TryReadRecord(out DnsRecord record)
                || !reader.TryExpandName(record.OwnerOffset, name, out int length, out _) || length > 255)
            {
                return false;
            }
            (record.DataOffset + record.DataLength).ShouldBeLessThanOrEqualTo(message.Length);
            if (record.Type is DnsType.Cname or DnsType.Ns or DnsType.Ptr
                && !reader.TryExpandName(record.DataOffset, name, out _, out _))
            {
                return false;
            }
        }
        return true;
    }

    private static byte[][] SoundPackets()
    {
        var catalog = new MemoryCatalog();
        for (int i = 1; i < 9; i++)
        {
            catalog.Add("web", "n" + i, i < 5 ? "10.0.0." + i : "fd00::" + i, i == 3 ? "10.0.1.3" : "", 80 + i);
        }
        catalog.Add("named", "n1", "10.0.0.1", "backend.example.com");
        catalog.Add("consul", "srv1", "10.0.0.9", "", 8300);
        var responder = Responder(catalog, new DnsOptions());
        var packets = new List<byte[]>();
        var reply = new byte[DnsLimits.MessageBytesMax];
        string[] names = ["web.service.consul.", "n1.node.consul.", "named.service.consul.", "nothere.service.consul.",
            "consul.", "1.0.0.10.in-addr.arpa.", "_web._tcp.service.dc1.consul."];
        foreach (string name in names)
        {
            foreach (DnsType type in new[] { DnsType.A, DnsType.Srv, DnsType.Ns, DnsType.Soa })
            {
                byte[] query = DnsText.Query(name, type, edns: type == DnsType.Srv ? 4096 : null);
                int length = responder.Answer(query, isTcp: false, reply);
                packets.Add(query);
                packets.Add(reply[..length]);
            }
        }
        return [.. packets];
    }
}
