using System.Buffers.Binary;
using Codecs.Checksums;
using Codecs.Lzw;

namespace Gossip.Wire;

/// <summary>Fills packets; see <see cref="PacketCodec"/>.</summary>
internal sealed class PacketWriter : IDisposable
{
    internal const int ChecksumHeadBytes = 1 + sizeof(uint);
    private const int CompoundHeadBytes = 2;

    // In front of the messages stay free: the compound's head with its lengths, and the checksum.
    private const int BodyAt =
        ChecksumHeadBytes + CompoundHeadBytes + WireLimits.CompoundMessagesMax * sizeof(ushort);

    // Below, compression saves less than its wrapping of some 18 bytes costs in time and bytes.
    private const int CompressedBytesMin = 256;

    private const int SealBytesMax = SealFormat.OverheadBytes + SealFormat.BlockBytes;

    private readonly WireOptions _options;
    private readonly WireLabel _label;
    private readonly PacketSealer _sealer;
    private readonly LzwEncoder _compressor = new();
    private readonly ushort[] _lengths = new ushort[WireLimits.CompoundMessagesMax];
    private readonly byte[] _plain = new byte[BodyAt + WireLimits.DatagramBytesMax];
    private readonly byte[] _codes = new byte[WireLimits.DatagramBytesMax];
    private readonly byte[] _packed = new byte[ChecksumHeadBytes + WireLimits.DatagramBytesMax];

    // Larger than a datagram: a key may come while a packet is filled that counted on none.
    private readonly byte[] _sealed = new byte[WireLimits.DatagramBytesMax + SealBytesMax];
    private int _bodyBytes;

    public PacketWriter(WireOptions options, WireLabel label, Keyring keyring)
    {
        _options = options;
        _label = label;
        _sealer = new PacketSealer(keyring, options.PadEncrypted);
    }

    public int Count { get; private set; }

    public int Room => Math.Max(0, RoomFor(Count == 0 ? WireLimits.DatagramBytesMax : _options.PacketBytes));

    private bool Seals => _options.EncryptVerifyOutgoing && _sealer.HasKey;

    public bool TryAdd(SwimMessage message)
    {
        int room = Room;
        if (Count == WireLimits.CompoundMessagesMax
            || !SwimWriter.TryWritePacketMessage(message, _plain.AsSpan(BodyAt + _bodyBytes, room), out int length))
        {
            return false;
        }
        Added(length);
        return true;
    }

    public bool TryAdd(ReadOnlySpan<byte> encoded)
    {
        if (Count == WireLimits.CompoundMessagesMax || encoded.Length > Room)
        {
            return false;
        }
        encoded.CopyTo(_plain.AsSpan(BodyAt + _bodyBytes));
        Added(encoded.Length);
        return true;
    }

    public byte[] Encode(SwimMessage message)
    {
        int room = WireLimits.DatagramBytesMax - Around;
        if (!SwimWriter.TryWritePacketMessage(message, _codes.AsSpan(0, room), out int length))
        {
            throw new ArgumentException(
                $"A {message.GetType().Name} of more than {room} bytes does not fit a packet.", nameof(message));
        }
        return _codes.AsSpan(0, length).ToArray();
    }

    public void Reset()
    {
        Count = 0;
        _bodyBytes = 0;
    }

    public ReadOnlyMemory<byte> Finish(bool checksum)
    {
        if (Count == 0)
        {
            return default;
        }
        Memory<byte> packet = Compressed(Compound());
        packet = checksum ? WithChecksum(packet) : packet[ChecksumHeadBytes..];
        Reset();
        return Outside(packet.Span);
    }

    public void Dispose() => _sealer.Dispose();

    // What comes around every packet.
    private int Around => _label.Header.Length + ChecksumHeadBytes + (Seals ? SealBytesMax : 0);

    private int RoomFor(int packetBytes)
    {
        // The second message makes a compound of the packet.
        int compound = Count == 0 ? 0 : CompoundHeadBytes + (Count + 1) * sizeof(ushort);
        return packetBytes - Around - compound - _bodyBytes;
    }

    private void Added(int length)
    {
        _lengths[Count++] = (ushort)length;
        _bodyBytes += length;
    }

    // This and the next one return the message with room for the checksum's head in front.
    private Memory<byte> Compound()
    {
        int at = BodyAt;
        if (Count > 1)
        {
            at -= CompoundHeadBytes + Count * sizeof(ushort);
            _plain[at] = (byte)SwimMessageType.Compound;
            _plain[at + 1] = (byte)Count;
            for (int i = 0; i < Count; i++)
            {
                BinaryPrimitives.WriteUInt16BigEndian(
                    _plain.AsSpan(at + CompoundHeadBytes + i * sizeof(ushort)), _lengths[i]);
            }
        }
        return _plain.AsMemory((at - ChecksumHeadBytes)..(BodyAt + _bodyBytes));
    }

    private Memory<byte> Compressed(Memory<byte> packet)
    {
        if (!_options.Compress || packet.Length - ChecksumHeadBytes < CompressedBytesMin)
        {
            return packet;
        }
        return Compression.TryWrap(
            _compressor, packet.Span[ChecksumHeadBytes..], _codes, _packed.AsSpan(ChecksumHeadBytes), out int length)
            ? _packed.AsMemory(0, ChecksumHeadBytes + length)
            : packet;
    }

    private static Memory<byte> WithChecksum(Memory<byte> packet)
    {
        Span<byte> bytes = packet.Span;
        bytes[0] = (byte)SwimMessageType.Checksum;
        BinaryPrimitives.WriteUInt32BigEndian(bytes[1..], Crc32.Compute(bytes[ChecksumHeadBytes..]));
        return packet;
    }

    private ReadOnlyMemory<byte> Outside(ReadOnlySpan<byte> packet)
    {
        int head = _label.Header.Length;
        _label.Header.CopyTo(_sealed, 0);
        if (!Seals)
        {
            packet.CopyTo(_sealed.AsSpan(head));
            return _sealed.AsMemory(0, head + packet.Length);
        }
        int length = _sealer.SealedLength(packet.Length);
        _sealer.Seal(packet, _label.Text, _sealed.AsSpan(head, length));
        return _sealed.AsMemory(0, head + length);
    }
}
