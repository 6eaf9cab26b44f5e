using System.Globalization;

namespace Praetor.Agent.Checks;

/// <summary><c>host:port</c>, with an IPv6 address in brackets.</summary>
internal readonly record struct HostPort(string Host, int Port)
{
    public override string ToString() => Host.Contains(':') ? $"[{Host}]:{Port}" : $"{Host}:{Port}";

    /// <summary>Reads <c>host:port</c>; otherwise says what is wrong, in Go's words.</summary>
    public static bool TryParse(string text, out HostPort target, out string problem)
    {
        target = default;
        var colon = text.LastIndexOf(':');
        if (colon < 0 || text.EndsWith(']'))
        {
            problem = $"address {text}: missing port in address";
            return false;
        }

        var host = text[..colon];
        var isBracketed = host.StartsWith('[') && host.EndsWith(']');
        if (!isBracketed && host.Contains(':'))
        {
            problem = $"address {text}: too many colons in address";
            return false;
        }

        var digits = text[(colon + 1)..];
        if (!ushort.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var port))
        {
            problem = $"address {text}: invalid port \"{digits}\"";
            return false;
        }

        target = new HostPort(isBracketed ? host[1..^1] : host.Length == 0 ? "localhost" : host, port);
        problem = "";
        return true;
    }
}
