using System.Net;
using System.Net.Sockets;
using Codecs.MessagePack;

namespace Gossip.Wire;

/// <summary>Addresses as the wire has them: 4 bytes or 16, and a port.</summary>
internal static class WireAddress
{
    private const int Ipv4Bytes = 4;
    private const int Ipv6Bytes = 16;

    public static bool TryRead(ReadOnlySpan<byte> address, ushort port, out IPEndPoint? endPoint)
    {
        endPoint = null;
        if (address.Length is not (Ipv4Bytes or Ipv6Bytes))
        {
            return false;
        }
        var ip = new IPAddress(address);
        endPoint = new IPEndPoint(ip.IsIPv4MappedToIPv6 ? ip.MapToIPv4() : ip, port);
        return true;
    }

    public static void Write(ref MessagePackWriter writer, IPAddress address)
    {
        Span<byte> bytes = stackalloc byte[Ipv6Bytes];
        IPAddress plain = address.AddressFamily == AddressFamily.InterNetworkV6 && address.IsIPv4MappedToIPv6
            ? address.MapToIPv4()
            : address;
        plain.TryWriteBytes(bytes, out int length);
        writer.WriteRaw(bytes[..length]);
    }
}
