using System.Globalization;

namespace Praetor.Server.Intentions;

/// <summary>Times as Go writes them in JSON.</summary>
internal static class IntentionTime
{
    public static string Write(DateTime time)
    {
        var text = time.ToString("yyyy-MM-dd'T'HH:mm:ss.FFFFFFF", CultureInfo.InvariantCulture);
        return text + "Z";
    }

    public static DateTime Read(string text) =>
        DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time)
            ? time.UtcDateTime
            : default;
}
