using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace Praetor.Agent.Dns;

/// <summary>Where an asker is, as far as it decides what it is given.</summary>
internal enum AskerPlace
{
    /// <summary>On this machine.</summary>
    Loopback = 0,

    /// <summary>In a network that recursion is for.</summary>
    Near = 1,

    /// <summary>Anywhere else.</summary>
    Far = 2,
}

/// <summary>Tells askers apart, without allocating for those that a datagram came from.</summary>
internal static class DnsAsker
{
    private const int IPv4Bytes = 4, IPv6Bytes = 16, IPv4At = 4, IPv6At = 8, MappedBytes = 12;

    private static ReadOnlySpan<byte> Mapped => [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF];

    public static AskerPlace PlaceOf(SocketAddress from, DnsSettings settings)
    {
        ReadOnlySpan<byte> raw = from.Buffer.Span;
        return PlaceOf(
            from.Family == AddressFamily.InterNetwork ? raw.Slice(IPv4At, IPv4Bytes) : raw.Slice(IPv6At, IPv6Bytes),
            settings);
    }

    public static AskerPlace PlaceOf(IPAddress address, DnsSettings settings)
    {
        Span<byte> raw = stackalloc byte[IPv6Bytes];
        address.TryWriteBytes(raw, out int length);
        return PlaceOf(raw[..length], settings);
    }

    public static IPAddress AddressOf(SocketAddress from) => Plain(
        ((IPEndPoint)new IPEndPoint(IPAddress.Any, 0).Create(from)).Address);

    public static IPAddress AddressOf(Socket connection) =>
        connection.RemoteEndPoint is IPEndPoint at ? Plain(at.Address) : IPAddress.None;

    private static IPAddress Plain(IPAddress address) =>
        address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;

    private static AskerPlace PlaceOf(ReadOnlySpan<byte> raw, DnsSettings settings)
    {
        if (raw.Length == IPv6Bytes && raw[..MappedBytes].SequenceEqual(Mapped))
        {
            raw = raw[MappedBytes..];
        }

        const int LoopbackNet = 127;
        bool isLoopback = raw.Length == IPv4Bytes
            ? raw[0] == LoopbackNet
            : BinaryPrimitives.ReadUInt128BigEndian(raw) == UInt128.One;
        // Where nobody recurses it makes no difference, and costs nothing.
        return isLoopback ? AskerPlace.Loopback
            : !settings.CanRecurse ? AskerPlace.Far
            : settings.MayRecurse(new IPAddress(raw)) ? AskerPlace.Near : AskerPlace.Far;
    }
}
