using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Praetor.Agent.Membership;

/// <summary>Turns addresses to join, as people write them, into addresses to connect to.</summary>
internal static class SeedAddresses
{
    /// <summary>How many addresses of one host name are tried.</summary>
    private const int PerNameMax = 32;

    /// <summary>How long a name may take to be looked up.</summary>
    private static readonly TimeSpan LookupTime = TimeSpan.FromSeconds(10);

    /// <summary>Why a cloud's list of machines is not asked, and what to do instead.</summary>
    public const string CloudProblem = "cloud auto-join (provider=…) is not supported: give addresses, or a DNS name "
        + "that has the address of each server";

    /// <summary>Whether the text asks a cloud for its machines, as Consul can.</summary>
    public static bool IsCloud(string written) => written.Contains("provider=", StringComparison.Ordinal);

    /// <summary>The addresses behind a host, host:port or address.</summary>
    /// <returns>The addresses, or why there are none.</returns>
    public static async Task<(IReadOnlyList<IPEndPoint> Found, string? Problem)> ResolveAsync(
        string written, int portDefault, TimeProvider time, CancellationToken stop)
    {
        if (IsCloud(written))
        {
            return ([], CloudProblem);
        }

        // In the WAN a name may come first: "server-1.dc1/10.0.0.1:8302".
        var slash = written.IndexOf('/');
        var (host, port) = Split(slash < 0 ? written : written[(slash + 1)..], portDefault);
        if (port is < 1 or > ushort.MaxValue)
        {
            return ([], "the port is not a number from 1 to 65535");
        }

        if (IPAddress.TryParse(host, out var literal))
        {
            return ([new IPEndPoint(literal, port)], null);
        }

        try
        {
            var all = await System.Net.Dns.GetHostAddressesAsync(host, stop).WaitAsync(LookupTime, time, stop);
            return ([.. all.Take(PerNameMax).Select(address => new IPEndPoint(address, port))], null);
        }
        catch (Exception e) when (e is SocketException or TimeoutException or ArgumentException)
        {
            return ([], $"lookup {host}: {e.Message}");
        }
    }

    // "host", "host:port", "1.2.3.4:port", "::1", "[::1]", "[::1]:port".
    private static (string Host, int Port) Split(string text, int portDefault)
    {
        if (text.StartsWith('[') && text.IndexOf(']') is > 0 and var end)
        {
            var rest = text[(end + 1)..];
            return (text[1..end], rest.StartsWith(':') ? Number(rest[1..]) : portDefault);
        }

        var colon = text.IndexOf(':');
        return colon < 0 || colon != text.LastIndexOf(':')
            ? (text, portDefault)
            : (text[..colon], Number(text[(colon + 1)..]));
    }

    private static int Number(string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : 0;
}
