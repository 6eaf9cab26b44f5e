using System.Net;
using System.Net.Sockets;

namespace Praetor.Proxy.Control;

/// <summary>Looks up host names that come from registrations, so from anybody.</summary>
internal static class HostNames
{
    /// <summary>The addresses of a host.</summary>
    /// <exception cref="SocketException">It has none, is no host name at all, or the time is over.</exception>
    public static async Task<IPAddress[]> FindAsync(
        string host, TimeSpan limit, TimeProvider time, CancellationToken stop)
    {
        if (IPAddress.TryParse(host, out var ip))
        {
            return [ip];
        }

        try
        {
            // A look-up runs in a system call that nobody can stop; it is left behind when the time is over.
            return await Dns.GetHostAddressesAsync(host, stop).WaitAsync(limit, time, stop);
        }
        catch (ArgumentException)
        {
            throw new SocketException((int)SocketError.HostNotFound, "not a host name");
        }
        catch (TimeoutException)
        {
            throw new SocketException((int)SocketError.TimedOut, "looking up its address took too long");
        }
    }
}
