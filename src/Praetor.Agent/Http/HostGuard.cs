using System.Net;
using System.Net.Sockets;

namespace Praetor.Agent.Http;

/// <summary>Who may ask what, whatever token comes along. Replaced whole by a reload.</summary>
internal sealed record GuardRules
{
    /// <summary>Names that Host may carry on loopback, lower case; with a dot in front, all below it.</summary>
    public required IReadOnlySet<string> HostNames { get; init; }

    /// <summary>Paths that begin so are refused (<c>http_config.block_endpoints</c>).</summary>
    public IReadOnlyList<string> BlockedPrefixes { get; init; } = [];

    /// <summary>Networks that may change something (<c>http_config.allow_write_http_from</c>). Empty: all.</summary>
    public IReadOnlyList<IPNetwork> WriteNetworks { get; init; } = [];
}

/// <summary>What of a request decides whether it goes on.</summary>
/// <param name="Path">The path, as it came.</param>
/// <param name="Host">The Host header.</param>
/// <param name="Origin">The Origin header; empty: none, as from every client that is no browser.</param>
/// <param name="Writes">Whether the request may change something.</param>
/// <param name="OnLoopback">Whether it came in on a loopback address.</param>
/// <param name="Client">Whence it came. Null: over a unix socket.</param>
internal readonly record struct Visit(
    string Path, string Host, string Origin, bool Writes, bool OnLoopback, IPAddress? Client);

/// <summary>
/// Keeps web pages from driving the agent. A page in an operator's browser can make the browser talk to the loopback
/// address, but it can neither hide the name that it used (Host) nor the place that it came from (Origin).
/// </summary>
internal sealed class HostGuard(GuardRules rules)
{
    private const int ShownMax = 100;

    private volatile GuardRules _rules = rules;

    /// <summary>What holds from now on.</summary>
    public GuardRules Rules
    {
        get => _rules;
        set => _rules = value;
    }

    /// <summary>Why a request must not go on. Null: it may.</summary>
    public string? Refuses(in Visit visit)
    {
        var rules = _rules;
        if (visit.OnLoopback && !IsAllowed(rules, NameOf(visit.Host)))
        {
            return $"Host \"{Shown(visit.Host)}\" is not a name of this agent: use localhost or an address, "
                + "or add the name to http_config.allowed_hosts";
        }

        if (visit.Writes && visit.Origin.Length > 0 && !IsSameOrigin(visit.Origin, visit.Host))
        {
            return $"Origin \"{Shown(visit.Origin)}\" may not change anything here: "
                + "requests of web pages are taken from this agent's own pages only";
        }

        if (visit.Writes && rules.WriteNetworks.Count > 0 && !IsIn(rules.WriteNetworks, visit.Client))
        {
            return "Access is restricted";
        }

        return rules.BlockedPrefixes.Count > 0 && IsBlocked(rules.BlockedPrefixes, visit.Path)
            ? "Endpoint is blocked by agent configuration"
            : null;
    }

    // The router decodes, so what is blocked is the decoded path; what cannot be decoded has no endpoint.
    private static bool IsBlocked(IReadOnlyList<string> prefixes, string path) =>
        PercentCoding.TryDecode(path, plusIsSpace: false, out var decoded)
        && prefixes.Any(prefix => decoded.StartsWith(prefix, StringComparison.Ordinal));

    private static string Shown(string text) => text.Length <= ShownMax ? text : text[..ShownMax];

    // Who has access to the unix socket has been let in by its mode.
    private static bool IsIn(IReadOnlyList<IPNetwork> networks, IPAddress? client)
    {
        if (client is null)
        {
            return true;
        }

        var plain = client.IsIPv4MappedToIPv6 ? client.MapToIPv4() : client;
        return networks.Any(n => n.BaseAddress.AddressFamily == plain.AddressFamily && n.Contains(plain))
            && plain.AddressFamily is AddressFamily.InterNetwork or AddressFamily.InterNetworkV6;
    }

    private static bool IsAllowed(GuardRules rules, string name) =>
        name.Length == 0
        || IPAddress.TryParse(name, out _)
        || name.Equals("localhost", StringComparison.OrdinalIgnoreCase)
        || name.EndsWith(".localhost", StringComparison.OrdinalIgnoreCase)
        || rules.HostNames.Contains(name.ToLowerInvariant())
        || rules.HostNames.Any(allowed => allowed.StartsWith('.')
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
