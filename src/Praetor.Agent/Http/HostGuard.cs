using System.Net;

namespace Praetor.Agent.Http;

/// <summary>
/// Keeps web pages from driving the agent. A page in an operator's browser can make the browser talk to the loopback
/// address, but it can neither hide the name that it used (Host) nor the place that it came from (Origin).
/// </summary>
internal sealed class HostGuard(IReadOnlySet<string> allowedNames)
{
    /// <summary>Why a request must not go on. Null: it may.</summary>
    /// <param name="host">The Host header.</param>
    /// <param name="origin">The Origin header; empty: none, as from every client that is no browser.</param>
    /// <param name="writes">Whether the request may change something.</param>
    /// <param name="onLoopback">Whether it came in on a loopback address.</param>
    public string? Refuses(string host, string origin, bool writes, bool onLoopback)
    {
        if (onLoopback && !IsAllowed(NameOf(host)))
        {
            return $"Host \"{Shown(host)}\" is not a name of this agent: use localhost or an address, "
                + "or add the name to http_config.allowed_hosts";
        }

        if (writes && origin.Length > 0 && !IsSameOrigin(origin, host))
        {
            return $"Origin \"{Shown(origin)}\" may not change anything here: "
                + "requests of web pages are taken from this agent's own pages only";
        }

        return null;
    }

    private static string Shown(string text) => text.Length <= 100 ? text : text[..100];

    private bool IsAllowed(string name) =>
        name.Length == 0
        || IPAddress.TryParse(name, out _)
        || name.Equals("localhost", StringComparison.OrdinalIgnoreCase)
        || name.EndsWith(".localhost", StringComparison.OrdinalIgnoreCase)
        || allowedNames.Contains(name.ToLowerInvariant())
        || allowedNames.Any(allowed => allowed.StartsWith('.')
            && name.EndsWith(allowed, StringComparison.OrdinalIgnoreCase));

    private static bool IsSameOrigin(string origin, string host)
    {
        var scheme = origin.IndexOf("://", StringComparison.Ordinal);
        return scheme > 0 && origin.AsSpan(scheme + 3).Equals(host, StringComparison.OrdinalIgnoreCase);
    }

    // Host is name, name:port, [v6] or [v6]:port.
    private static string NameOf(string host)
    {
        if (host.StartsWith('['))
        {
            var end = host.IndexOf(']');
            return end > 0 ? host[1..end] : host;
        }

        var colon = host.LastIndexOf(':');
        var name = colon >= 0 ? host[..colon] : host;
        return name.TrimEnd('.');
    }
}
