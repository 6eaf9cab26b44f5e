using System.Globalization;
using System.Net.Sockets;
using System.Text;
using Microsoft.Extensions.Logging;

namespace Praetor.Agent.Logging;

/// <summary>How lines go to the system's log.</summary>
/// <param name="Facility">The facility, 0 to 23.</param>
/// <param name="Tag">What the program calls itself there.</param>
public sealed record SyslogOptions(int Facility, string Tag)
{
    /// <summary>Where the system listens. Default <c>/dev/log</c>.</summary>
    public string Path { get; init; } = "/dev/log";
}

/// <summary>Writes to the system's log as RFC 3164 says. Used by one thread.</summary>
/// <remarks>
/// The system's log may be restarted or not be there: then lines are lost, which the console says once, and it is tried
/// again every few seconds. Nobody waits for it.
/// </remarks>
internal sealed class Syslog(SyslogOptions options, TimeProvider time) : IDisposable
{
    /// <summary>What a message may weigh, as rsyslog takes it; longer ones are cut.</summary>
    public const int MessageBytesMax = 8 * 1024;

    private const int SeverityBits = 3;

    private static readonly TimeSpan RetryEvery = TimeSpan.FromSeconds(5);

    private static readonly Dictionary<string, int> Facilities = new(StringComparer.OrdinalIgnoreCase)
    {
        ["KERN"] = 0,
        ["USER"] = 1,
        ["MAIL"] = 2,
        ["DAEMON"] = 3,
        ["AUTH"] = 4,
        ["SYSLOG"] = 5,
        ["LPR"] = 6,
        ["NEWS"] = 7,
        ["UUCP"] = 8,
        ["CRON"] = 9,
        ["AUTHPRIV"] = 10,
        ["FTP"] = 11,
        ["LOCAL0"] = 16,
        ["LOCAL1"] = 17,
        ["LOCAL2"] = 18,
        ["LOCAL3"] = 19,
        ["LOCAL4"] = 20,
        ["LOCAL5"] = 21,
        ["LOCAL6"] = 22,
        ["LOCAL7"] = 23,
    };

    private Socket? _socket;
    private DateTimeOffset _retryAt;
    private bool _isLost;

    /// <summary>A facility by its name. Null: there is none.</summary>
    public static int? FacilityOf(string name) => Facilities.TryGetValue(name, out var number) ? number : null;

    /// <summary>Sends a line.</summary>
    /// <returns>Why lines are lost from now on; null: it was sent, or was lost and that has been said.</returns>
    public string? Write(LogLine line, string text)
    {
        var message = MessageOf(line, text);
        try
        {
            if (_socket is null)
            {
                if (time.GetUtcNow() < _retryAt)
                {
                    return null;
                }

                Connect();
            }

            _socket!.Send(message);
            _isLost = false;
            return null;
        }
        catch (SocketException e)
            when (e.SocketErrorCode is SocketError.WouldBlock or SocketError.NoBufferSpaceAvailable)
        {
            // It is slower than we are.
            return null;
        }
        catch (SocketException e)
        {
            _socket?.Dispose();
            (_socket, _retryAt) = (null, time.GetUtcNow() + RetryEvery);
            var isNews = !_isLost;
            _isLost = true;
            var why = File.Exists(options.Path) ? e.Message : "there is no such socket";
            return isNews ? $"{options.Path}: {why}" : null;
        }
    }

    public void Dispose() => _socket?.Dispose();

    internal byte[] MessageOf(LogLine line, string text)
    {
        var priority = (options.Facility << SeverityBits) | SeverityOf(line.Level);
        var stamp = TimeZoneInfo.ConvertTime(line.Time, time.LocalTimeZone);
        var day = stamp.Day.ToString(CultureInfo.InvariantCulture).PadLeft(2);
        var head = string.Create(
            CultureInfo.InvariantCulture, $"<{priority}>{stamp:MMM} {day} {stamp:HH:mm:ss} {options.Tag}");
        var bytes = Encoding.UTF8.GetBytes($"{head}[{Environment.ProcessId}]: {text}");
        return bytes.Length <= MessageBytesMax ? bytes : bytes[..MessageBytesMax];
    }

    private static int SeverityOf(LogLevel level) => level switch
    {
        LogLevel.Critical => 2,
        LogLevel.Error => 3,
        LogLevel.Warning => 4,
        LogLevel.Information => 6,
        _ => 7,
    };

    private void Connect()
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified) { Blocking = false };
        try
        {
            socket.Connect(new UnixDomainSocketEndPoint(options.Path));
        }
        catch
        {
            socket.Dispose();
            throw;
        }

        _socket = socket;
    }
}
