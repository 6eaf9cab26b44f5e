namespace Praetor.CommandLine;

/// <summary>Texts of the form <c>host:port</c>, as Go's network library takes and refuses them.</summary>
internal static class HostPort
{
    /// <summary>What is wrong with the text. Null: nothing.</summary>
    public static string? Problem(string text)
    {
        var colon = text.LastIndexOf(':');
        if (colon < 0 || (text.StartsWith('[') && text.EndsWith(']')))
        {
            return $"address {text}: missing port in address";
        }

        return !text.StartsWith('[') && text.IndexOf(':', StringComparison.Ordinal) != colon
            ? $"address {text}: too many colons in address"
            : null;
    }

    /// <summary>The two parts of a text without <see cref="Problem"/>; brackets around an IPv6 address are
    /// gone.</summary>
    public static (string Host, string Port) Split(string text)
    {
        var colon = text.LastIndexOf(':');
        return (text[..colon].Trim('[', ']'), text[(colon + 1)..]);
    }
}
