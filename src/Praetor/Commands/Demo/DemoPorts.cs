using System.Net;
using System.Net.Sockets;

namespace Praetor.Commands.Demo;

/// <summary>Where everything of the demo listens, on 127.0.0.1: at the usual ports, or at free ones when those are
/// taken.</summary>
internal sealed record DemoPorts(
    int Http, int Dns, int Grpc, int Server, int SerfLan, int SerfWan, int SidecarFirst,
    int Counting, int Dashboard, int Upstream)
{
    private const int UsualHttp = 8500;
    private const int UsualSidecar = 21_000;
    private const int SidecarsNeeded = 4;
    private const int SidecarSteps = 50;

    /// <summary>The default address of commands, so that they need no <c>-http-addr</c>.</summary>
    public bool IsUsualHttp => Http == UsualHttp;

    /// <summary>Finds ports that are free now.</summary>
    public static DemoPorts Find() => new(
        Free(UsualHttp), Free(8600), Free(8502), Free(8300), Free(8301), Free(8302), FreeSidecars(),
        Free(9001), Free(9002), Free(9003));

    /// <summary>As a block of the agent's configuration.</summary>
    public string ToHcl() =>
        $"ports {{ http = {Http} dns = {Dns} grpc = {Grpc} server = {Server} serf_lan = {SerfLan} " +
        $"serf_wan = {SerfWan} sidecar_min_port = {SidecarFirst} sidecar_max_port = {SidecarFirst + 255} }}";

    private static int Free(int usual) => IsFree(usual) ? usual : AnyFree();

    private static int FreeSidecars()
    {
        for (var step = 0; step < SidecarSteps; step++)
        {
            var first = UsualSidecar + (step * SidecarsNeeded);
            if (Enumerable.Range(first, SidecarsNeeded).All(IsFree))
            {
                return first;
            }
        }

        return UsualSidecar;
    }

    private static bool IsFree(int port)
    {
        try
        {
            using var tcp = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            tcp.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
            tcp.Bind(new IPEndPoint(IPAddress.Loopback, port));
            tcp.Listen();
            using var udp = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
            udp.Bind(new IPEndPoint(IPAddress.Loopback, port));
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private static int AnyFree()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }
}
