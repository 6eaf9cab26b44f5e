using System.Collections.Concurrent;

namespace Praetor.Agent.Forwarding;

/// <summary>Gives names of headers, which HTTP/2 has in small letters only, the form that HTTP/1 clients of Consul
/// see.</summary>
internal static class HeaderNames
{
    /// <summary>Names beyond these are made by rule: more than this many different ones are no API's.</summary>
    private const int MadeMax = 256;

    // Where the rule (a capital after each dash) would be wrong.
    private static readonly Dictionary<string, string> Odd = new[]
    {
        "X-Consul-KnownLeader", "X-Consul-LastContact", "X-Consul-ContentHash", "X-Consul-Default-ACL-Policy",
        "X-Consul-Results-Filtered-By-ACLs", "X-Consul-KV-Warning", "ETag", "WWW-Authenticate",
    }.ToDictionary(static name => name.ToLowerInvariant(), StringComparer.OrdinalIgnoreCase);

    private static readonly ConcurrentDictionary<string, string> Made = new(Odd, StringComparer.OrdinalIgnoreCase);

    public static string Written(string name)
    {
        if (Made.TryGetValue(name, out var known))
        {
            return known;
        }

        var written = string.Create(name.Length, name, static (span, text) =>
        {
            for (var i = 0; i < text.Length; i++)
            {
                span[i] = i == 0 || text[i - 1] == '-' ? char.ToUpperInvariant(text[i]) : text[i];
            }
        });
        if (Made.Count < MadeMax)
        {
            Made.TryAdd(name, written);
        }

        return written;
    }
}
