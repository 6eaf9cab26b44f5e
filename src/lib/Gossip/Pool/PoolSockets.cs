using System.Net;
using System.Net.Sockets;

namespace Gossip.Pool;

/// <summary>The UDP and the TCP socket of a pool, on the same port.</summary>
internal sealed class PoolSockets : IDisposable
{
    /// <summary>Room for bursts while the process is busy; the kernel may grant less.</summary>
    private const int ReceiveBufferBytes = 2 * 1024 * 1024;

    /// <summary>How often a free port is looked for that both sockets can have.</summary>
    private const int PortTries = 16;

    private PoolSockets(Socket packets, Socket streams)
    {
        (Packets, Streams) = (packets, streams);
        Port = ((IPEndPoint)packets.LocalEndPoint!).Port;
    }

    public Socket Packets { get; }

    public Socket Streams { get; }

    public int Port { get; }

    /// <exception cref="SocketException">The port is taken, or the address is not this machine's.</exception>
    public static PoolSockets Open(IPEndPoint bind)
    {
        for (var tries = 1; ; tries++)
        {
            var streams = Bound(bind, SocketType.Stream, ProtocolType.Tcp);
            try
            {
                var same = new IPEndPoint(bind.Address, ((IPEndPoint)streams.LocalEndPoint!).Port);
                var packets = Bound(same, SocketType.Dgram, ProtocolType.Udp);
                packets.ReceiveBufferSize = ReceiveBufferBytes;
                streams.Listen();
                return new PoolSockets(packets, streams);
            }
            catch (SocketException) when (bind.Port == 0 && tries < PortTries)
            {
                streams.Dispose();
            }
            catch (SocketException)
            {
                streams.Dispose();
                throw;
            }
        }
    }

    public void Dispose()
    {
        Packets.Dispose();
        Streams.Dispose();
    }

    /// <summary>IPv4 addresses within IPv6 sockets are the IPv4 ones to everybody above.</summary>
    public static IPEndPoint Plain(EndPoint seen)
    {
        var end = (IPEndPoint)seen;
        return end.Address.IsIPv4MappedToIPv6 ? new IPEndPoint(end.Address.MapToIPv4(), end.Port) : end;
    }

    /// <summary>The address as this pool's sockets take it.</summary>
    public IPEndPoint Reachable(IPEndPoint to) =>
        Packets.AddressFamily == AddressFamily.InterNetworkV6 && to.AddressFamily == AddressFamily.InterNetwork
            ? new IPEndPoint(to.Address.MapToIPv6(), to.Port)
            : to;

    private static Socket Bound(IPEndPoint bind, SocketType type, ProtocolType protocol)
    {
        var socket = new Socket(bind.AddressFamily, type, protocol);
        try
        {
            if (bind.Address.Equals(IPAddress.IPv6Any))
            {
                socket.DualMode = true;
            }

            if (type == SocketType.Stream)
            {
                // A restarted agent takes its port again although old connections still linger.
                socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
            }

            socket.Bind(bind);
            return socket;
        }
        catch (SocketException)
        {
            socket.Dispose();
            throw;
        }
    }
}
