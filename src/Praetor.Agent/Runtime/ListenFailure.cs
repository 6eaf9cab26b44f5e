using System.Net.Sockets;

namespace Praetor.Agent.Runtime;

/// <summary>Says why nothing can listen at an address, and what to do about it.</summary>
internal static class ListenFailure
{
    /// <summary>The error for the user.</summary>
    /// <param name="what">Who listens: DNS, HTTP.</param>
    /// <param name="where">The addresses.</param>
    /// <param name="setting">Which setting names the port.</param>
    /// <param name="failure">What the system said, perhaps within another exception.</param>
    public static IOException Of(string what, string where, string setting, Exception failure)
    {
        var socket = failure as SocketException ?? failure.GetBaseException() as SocketException;
        var remedy = socket?.SocketErrorCode switch
        {
            SocketError.AccessDenied => "ports below 1024 need the capability CAP_NET_BIND_SERVICE: give it by "
                + "AmbientCapabilities and CapabilityBoundingSet in the systemd unit, or allow the port to all by "
                + $"'sysctl net.ipv4.ip_unprivileged_port_start', or set {setting} to a port from 1024 on",
            SocketError.AddressNotAvailable => "this machine has no such address; see 'ip addr'",
            _ => $"set {setting} to another port",
        };
        var why = (socket ?? failure).Message.TrimEnd('.');
        return new IOException($"{what} cannot listen on {where}: {why}; {remedy}", failure);
    }
}
