using System.Net;
using System.Net.Sockets;

namespace Support;

/// <summary>Hands out ports of 127.0.0.1 that are free for TCP and UDP, each at most once in this process.</summary>
/// <remarks>They lie below the range from which the kernel takes ports for outgoing connections, so that no
/// connection of another test sits on one before its agent listens there.</remarks>
public static class FreePorts
{
    private const int First = 10_000;
    private const int Last = 20_000;
    private static readonly Lock Gate = new();

    // Test processes that run side by side begin at different places.
    private static int _next = First + (Environment.ProcessId * 131 % (Last - First));

    /// <summary>The next free port.</summary>
    public static int Take() => TakeRange(1);

    /// <summary>The first of so many free ports in a row.</summary>
    public static int TakeRange(int count)
    {
        lock (Gate)
        {
            for (var tries = 0; tries < Last - First; tries++)
            {
                var start = _next + count < Last ? _next : First;
                _next = start + count;
                if (Enumerable.Range(start, count).All(IsFree))
                {
                    return start;
                }
            }
        }

        throw new InvalidOperationException($"no {count} free ports between {First} and {Last}");
    }

    private static bool IsFree(int port)
    {
        try
        {
            using var tcp = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            tcp.Bind(new IPEndPoint(IPAddress.Loopback, port));
            using var udp = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
            udp.Bind(new IPEndPoint(IPAddress.Loopback, port));
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
