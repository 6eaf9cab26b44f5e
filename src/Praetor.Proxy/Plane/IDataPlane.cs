using System.Net;
using Praetor.Proxy.Identity;

namespace Praetor.Proxy.Plane;

/// <summary>What moves the bytes of all proxies of a host. The seam for planes other than epoll and OpenSSL.</summary>
internal interface IDataPlane : IAsyncDisposable
{
    /// <summary>Makes an identity ready for handshakes.</summary>
    /// <exception cref="System.Security.Cryptography.CryptographicException">It cannot be used.</exception>
    IReadyIdentity Prepare(MeshIdentity identity);

    /// <summary>Listens for the mesh, on behalf of a local service.</summary>
    /// <exception cref="System.Net.Sockets.SocketException">The address cannot be listened on.</exception>
    IPlaneListener Listen(InboundEdge edge, IPEndPoint at);

    /// <summary>Listens for a local service that wants to reach an upstream.</summary>
    /// <exception cref="System.Net.Sockets.SocketException">The address cannot be listened on.</exception>
    IPlaneListener Listen(OutboundEdge edge, IPEndPoint at);
}

/// <summary>An identity as a plane wants it.</summary>
internal interface IReadyIdentity
{
    /// <summary>What it was made from.</summary>
    MeshIdentity Identity { get; }
}

/// <summary>An open listener and the connections that came through it.</summary>
internal interface IPlaneListener
{
    /// <summary>Where it listens.</summary>
    IPEndPoint Address { get; }

    /// <summary>How many connections there are that came through it.</summary>
    int Connections { get; }

    /// <summary>The edge's settings, identity or policy changed: look at what that means for connections.</summary>
    void EdgeChanged();

    /// <summary>Who is connected, one of each identity.</summary>
    Task<IReadOnlyList<Net.Peer>> ActivePeersAsync();

    /// <summary>Ends the connections of an identity, as policy denies them now.</summary>
    Task DenyAsync(Net.Peer peer);

    /// <summary>Stops listening. May be called again to end what lived on.</summary>
    /// <param name="endConnections">Whether established connections end too, or live on by themselves.</param>
    Task CloseAsync(bool endConnections);
}
