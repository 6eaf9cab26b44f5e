using System.Net;
using System.Net.Sockets;
using Praetor.Proxy.Native;

namespace Praetor.Proxy.Net;

/// <summary>Opens and configures the sockets that wires and listeners take over.</summary>
internal static unsafe class Sockets
{
    // A peer that vanished without a word is noticed after 30 s + 3 × 10 s of silence.
    private const int KeepIdleSeconds = 30;
    private const int KeepIntervalSeconds = 10;
    private const int KeepProbes = 3;

    private const int MaxAddressBytes = 128;
    private const int Type = LibC.SocketStream | LibC.SocketNonBlocking | LibC.SocketCloseOnExec;

    /// <summary>Listens at an address; port 0 takes a free one.</summary>
    /// <exception cref="SocketException">The address is taken or not ours.</exception>
    public static int Listen(IPEndPoint at, out IPEndPoint bound)
    {
        var fd = LibC.Socket(FamilyOf(at), Type, 0);
        if (fd < 0)
        {
            throw new SocketException(LibC.Errno, $"socket for {at}: {LibC.ErrorText}");
        }

        if (!TryBind(fd, at) || LibC.Listen(fd, Limits.Backlog) != 0)
        {
            var error = new SocketException(LibC.Errno, $"cannot listen on {at}: {LibC.ErrorText}");
            _ = LibC.Close(fd);
            throw error;
        }

        bound = NameOf(fd, at);
        return fd;
    }

    /// <summary>Whether somebody listens at an address, without disturbing who does or is about to.</summary>
    /// <remarks>Two sockets that both allow reuse may hold one address until one of them listens; ours never does. So
    /// this fails exactly when somebody listens there, and makes nobody else fail.</remarks>
    public static bool IsTaken(IPEndPoint at)
    {
        var fd = LibC.Socket(FamilyOf(at), Type, 0);
        if (fd < 0)
        {
            // Out of descriptors: a proxy that cannot look cannot serve either, and asks again.
            return true;
        }

        var isTaken = !TryBind(fd, at) && LibC.Errno == LibC.ErrnoAddressInUse;
        _ = LibC.Close(fd);
        return isTaken;
    }

    /// <summary>Starts connecting. -1 with the reason in <see cref="LibC.Errno"/> when that failed at once.</summary>
    public static int Connect(SocketAddress to)
    {
        var fd = LibC.Socket((int)FamilyOf(to.Family), Type, 0);
        if (fd < 0)
        {
            return -1;
        }

        fixed (byte* bytes = to.Buffer.Span)
        {
            if (LibC.Connect(fd, bytes, to.Size) != 0 && LibC.Errno is not LibC.ErrnoInProgress)
            {
                _ = LibC.Close(fd);
                return -1;
            }
        }

        if (to.Family != AddressFamily.Unix)
        {
            Configure(fd);
        }

        return fd;
    }

    /// <summary>What became of <see cref="Connect"/>; 0 is success.</summary>
    public static int ConnectError(int fd)
    {
        var error = 0;
        var size = sizeof(int);
        return LibC.GetOption(fd, LibC.LevelSocket, LibC.OptionError, &error, &size) == 0 ? error : LibC.Errno;
    }

    /// <summary>No delay (a handshake must not wait for a delayed acknowledgement) and keep-alive probes.</summary>
    public static void Configure(int fd)
    {
        Set(fd, LibC.LevelTcp, LibC.TcpNoDelay, 1);
        Set(fd, LibC.LevelSocket, LibC.OptionKeepAlive, 1);
        Set(fd, LibC.LevelTcp, LibC.TcpKeepIdle, KeepIdleSeconds);
        Set(fd, LibC.LevelTcp, LibC.TcpKeepInterval, KeepIntervalSeconds);
        Set(fd, LibC.LevelTcp, LibC.TcpKeepCount, KeepProbes);
    }

    /// <summary>Where a connection comes from: the IPv4 address, or the first half of the IPv6 one.</summary>
    public static ulong SourceOf(int fd)
    {
        var bytes = stackalloc byte[MaxAddressBytes];
        var size = MaxAddressBytes;
        if (LibC.GetPeerName(fd, bytes, &size) != 0)
        {
            return 0;
        }

        const int v4At = 4;
        const int v6At = 8;
        const int v4In6At = v6At + 12;
        if (*(ushort*)bytes != FamilyOf(AddressFamily.InterNetworkV6))
        {
            return *(uint*)(bytes + v4At);
        }

        var address = new IPAddress(new ReadOnlySpan<byte>(bytes + v6At, 16));
        return address.IsIPv4MappedToIPv6 ? *(uint*)(bytes + v4In6At) : *(ulong*)(bytes + v6At);
    }

    /// <summary>Closes an accepted connection with a reset.</summary>
    public static void Refuse(int fd)
    {
        LingerNot(fd);
        _ = LibC.Close(fd);
    }

    /// <summary>Makes the coming close a reset.</summary>
    public static void LingerNot(int fd)
    {
        var linger = stackalloc int[2] { 1, 0 };
        _ = LibC.SetOption(fd, LibC.LevelSocket, LibC.OptionLinger, linger, 2 * sizeof(int));
    }

    private static bool TryBind(int fd, IPEndPoint at)
    {
        Set(fd, LibC.LevelSocket, LibC.OptionReuseAddress, 1);
        if (at.AddressFamily == AddressFamily.InterNetworkV6)
        {
            Set(fd, LibC.LevelIpv6, LibC.Ipv6Only, at.Address.Equals(IPAddress.IPv6Any) ? 0 : 1);
        }

        var address = at.Serialize();
        fixed (byte* bytes = address.Buffer.Span)
        {
            return LibC.Bind(fd, bytes, address.Size) == 0;
        }
    }

    private static void Set(int fd, int level, int option, int value) =>
        _ = LibC.SetOption(fd, level, option, &value, sizeof(int));

    private static int FamilyOf(IPEndPoint at) => FamilyOf(at.AddressFamily);

    // Linux numbers: AF_UNIX 1, AF_INET 2, AF_INET6 10.
    private static int FamilyOf(AddressFamily family) => family switch
    {
        AddressFamily.InterNetworkV6 => 10,
        AddressFamily.Unix => LibC.AddressUnix,
        _ => 2,
    };

    private static IPEndPoint NameOf(int fd, IPEndPoint asked)
    {
        var address = new SocketAddress(asked.AddressFamily, MaxAddressBytes);
        fixed (byte* bytes = address.Buffer.Span)
        {
            var size = MaxAddressBytes;
            return LibC.GetSockName(fd, bytes, &size) == 0 ? (IPEndPoint)asked.Create(address) : asked;
        }
    }
}
