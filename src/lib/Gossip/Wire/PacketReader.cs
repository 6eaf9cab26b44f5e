using System.Buffers.Binary;
using Codecs.Checksums;

namespace Gossip.Wire;

/// <summary>Reads packets; see <see cref="PacketCodec"/>.</summary>
/// <remarks>
/// What honest members wrap has one order, and each wrapping stands there once at most. Only that is taken, so no
/// packet makes work beyond its size: there is no recursion, and expansion ends at a datagram's size, which no
/// sender can have compressed more than.
/// </remarks>
internal sealed class PacketReader : IDisposable
{
    private readonly WireOptions _options;
    private readonly WireLabel _label;
    private readonly PacketOpener _opener;
    private readonly byte[] _opened = new byte[WireLimits.DatagramBytesMax];
    private readonly byte[] _scratch = new byte[WireLimits.DatagramBytesMax];

    public PacketReader(WireOptions options, WireLabel label, Keyring keyring)
    {
        _options = options;
        _label = label;
        _opener = new PacketOpener(keyring);
    }

    public WireError Read(ReadOnlySpan<byte> datagram, ICollection<SwimMessage> messages)
    {
        if (datagram.Length > WireLimits.DatagramBytesMax)
        {
            return WireError.TooLarge;
        }
        WireError error = _label.Remove(datagram, out int label);
        if (error != WireError.None)
        {
            return error;
        }
        ReadOnlySpan<byte> packet = datagram[label..];
        if (_opener.HasKeys)
        {
            if (_opener.TryOpen(packet, _label.Text, _opened, _scratch, out int length))
            {
                packet = _opened.AsSpan(0, length);
            }
            else if (_options.EncryptVerifyIncoming)
            {
                return WireError.NotDecryptable;
            }
        }
        error = TakeChecksum(ref packet);
        return error == WireError.None ? ReadMessages(packet, messages) : error;
    }

    public void Dispose() => _opener.Dispose();

    private static WireError TakeChecksum(ref ReadOnlySpan<byte> packet)
    {
        const int Head = PacketWriter.ChecksumHeadBytes;
        if (packet.IsEmpty || packet[0] != (byte)SwimMessageType.Checksum)
        {
            return WireError.None;
        }
        if (packet.Length < Head)
        {
            return WireError.Malformed;
        }
        uint expected = BinaryPrimitives.ReadUInt32BigEndian(packet[1..]);
        packet = packet[Head..];
        return Crc32.Compute(packet) == expected ? WireError.None : WireError.BadChecksum;
    }

    private WireError ReadMessages(ReadOnlySpan<byte> packet, ICollection<SwimMessage> messages)
    {
        if (packet.IsEmpty)
        {
            return WireError.Empty;
        }
        if (packet[0] == (byte)SwimMessageType.Compressed)
        {
            WireError error = Compression.Codes(packet, out ReadOnlySpan<byte> codes);
            if (error != WireError.None)
            {
                return error;
            }
            error = Compression.Inflate(codes, _scratch, out int length);
            if (error != WireError.None)
            {
                return error;
            }
            packet = _scratch.AsSpan(0, length);
        }
        return !packet.IsEmpty && packet[0] == (byte)SwimMessageType.Compound
            ? ReadCompound(packet[1..], messages)
            : ReadOne(packet, messages);
    }

    private WireError ReadCompound(ReadOnlySpan<byte> compound, ICollection<SwimMessage> messages)
    {
        if (compound.IsEmpty)
        {
            return WireError.Empty;
        }
        int count = compound[0];
        int at = 1 + count * sizeof(ushort);
        if (at > compound.Length)
        {
            return WireError.Malformed;
        }
        WireError first = count == 0 ? WireError.Empty : WireError.None;
        for (int i = 0; i < count; i++)
        {
            int size = BinaryPrimitives.ReadUInt16BigEndian(compound[(1 + i * sizeof(ushort))..]);
            if (size > compound.Length - at)
            {
                return first == WireError.None ? WireError.Malformed : first; // the packet was cut
            }
            WireError error = ReadOne(compound.Slice(at, size), messages);
            first = first == WireError.None ? error : first;
            at += size;
        }
        return first;
    }

    private WireError ReadOne(ReadOnlySpan<byte> bytes, ICollection<SwimMessage> messages)
    {
        if (!bytes.IsEmpty && (SwimMessageType)bytes[0] is SwimMessageType.Compound or SwimMessageType.Compressed
            or SwimMessageType.Encrypted or SwimMessageType.Checksum or SwimMessageType.Label)
        {
            return WireError.Nested;
        }
        WireError error = SwimReader.ReadPacketMessage(bytes, _options.DefaultPort, out SwimMessage? message);
        if (message is not null)
        {
            messages.Add(message);
        }
        return error;
    }
}
