using System.Globalization;
using System.Net.Sockets;

namespace Praetor.Agent.Checks;

/// <summary>
/// Durations and network errors in the words that readers of check outputs, people and scripts, know.
/// </summary>
internal static class GoText
{
    /// <summary><c>1h2m3s</c>, <c>1.5s</c>, <c>100ms</c></summary>
    public static string Duration(TimeSpan span)
    {
        if (span.Ticks is > 0 and < TimeSpan.TicksPerSecond)
        {
            return span.Ticks >= TimeSpan.TicksPerMillisecond
                ? string.Create(CultureInfo.InvariantCulture, $"{span.TotalMilliseconds}ms")
                : string.Create(CultureInfo.InvariantCulture, $"{span.TotalMicroseconds}µs");
        }

        var hours = (long)span.TotalHours;
        var seconds = (span - TimeSpan.FromMinutes((long)span.TotalMinutes)).TotalSeconds;
        var minutes = hours > 0 || span.Minutes > 0 ? $"{span.Minutes}m" : "";
        return string.Create(
            CultureInfo.InvariantCulture, $"{(hours > 0 ? $"{hours}h" : "")}{minutes}{seconds:0.#######}s");
    }

    /// <summary>The system call's error: <c>connection refused</c>.</summary>
    public static string Of(SocketError error) => error switch
    {
        SocketError.ConnectionRefused => "connection refused",
        SocketError.ConnectionReset => "connection reset by peer",
        SocketError.NetworkUnreachable => "network is unreachable",
        SocketError.HostUnreachable => "no route to host",
        SocketError.TimedOut => "connection timed out",
        SocketError.HostNotFound or SocketError.NoData => "no such host",
        SocketError.TryAgain => "server misbehaving",
        SocketError.AddressNotAvailable => "cannot assign requested address",
        SocketError.AccessDenied => "permission denied",
        SocketError.Shutdown => "broken pipe",
        SocketError.TooManyOpenSockets => "too many open files",
        _ => error.ToString(),
    };
}
