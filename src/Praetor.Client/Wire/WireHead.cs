using System.Globalization;
using System.Text;

namespace Praetor.Client.Wire;

/// <summary>Status line and headers of an answer.</summary>
internal sealed record WireHead(int Status, bool IsOld, List<KeyValuePair<string, string>> Headers)
{
    private const string Version = "HTTP/1.";
    private const int StatusDigits = 3;

    /// <summary>Whether the connection may be used again.</summary>
    public bool KeepsConnection =>
        !IsOld && !(Value("Connection")?.Contains("close", StringComparison.OrdinalIgnoreCase) ?? false);

    public bool IsChunked => Value("Transfer-Encoding") is { } coding
        && coding.EndsWith("chunked", StringComparison.OrdinalIgnoreCase);

    /// <summary>The body's length; null: it is chunked, or goes on until the connection ends.</summary>
    public long? Length => !IsChunked && Value("Content-Length") is { } text
        && long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var length)
            ? length
            : null;

    /// <summary>Reads a head without the empty line behind it; null: it is none.</summary>
    public static WireHead? Parse(ReadOnlySpan<byte> bytes)
    {
        var text = Encoding.Latin1.GetString(bytes).AsSpan();
        var line = NextLine(ref text);
        // HTTP/1.1 200 OK
        if (line.Length < Version.Length + StatusDigits + 2 || !line.StartsWith(Version, StringComparison.Ordinal)
            || line[Version.Length + 1] != ' '
            || !int.TryParse(
                line.Slice(Version.Length + 2, StatusDigits), NumberStyles.None, CultureInfo.InvariantCulture,
                out var status))
        {
            return null;
        }

        var head = new WireHead(status, line[Version.Length] == '0', []);
        while (!text.IsEmpty)
        {
            line = NextLine(ref text);
            var colon = line.IndexOf(':');
            if (colon <= 0)
            {
                return null;
            }

            head.Headers.Add(new(line[..colon].ToString(), line[(colon + 1)..].Trim().ToString()));
        }

        return head;
    }

    private static ReadOnlySpan<char> NextLine(ref ReadOnlySpan<char> text)
    {
        var end = text.IndexOf("\r\n", StringComparison.Ordinal);
        var line = end < 0 ? text : text[..end];
        text = end < 0 ? [] : text[(end + 2)..];
        return line;
    }

    private string? Value(string name)
    {
        foreach (var (key, value) in Headers)
        {
            if (key.Equals(name, StringComparison.OrdinalIgnoreCase))
            {
                return value;
            }
        }

        return null;
    }
}
