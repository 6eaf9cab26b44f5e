using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Codecs.Dns;

namespace Praetor.Agent.Dns;

/// <summary>Who answers for a name.</summary>
internal enum ZoneKind
{
    /// <summary>Somebody else: a recursor, if there is one.</summary>
    Foreign = 0,

    /// <summary>We: it is in the domain or the alternate domain.</summary>
    Own = 1,

    /// <summary>We, when we know the address, else a recursor.</summary>
    Reverse = 2,
}

/// <summary>Tells whose a name is and takes names apart.</summary>
internal static class DnsZone
{
    private const int IPv4Octets = 4;
    private const int IPv6Nibbles = 32;
    private const int IPv4HexDigits = 8;

    public static ZoneKind KindOf(DnsSettings settings, ReadOnlySpan<string> labels, out ReadOnlySpan<string> inner)
    {
        if (EndsWith(labels, settings.DomainLabels, out inner)
            || settings.AltDomainLabels is { } alt && EndsWith(labels, alt, out inner))
        {
            return ZoneKind.Own;
        }
        inner = labels;
        return labels is [.., "arpa"] ? ZoneKind.Reverse : ZoneKind.Foreign;
    }

    /// <summary>The address that a name under in-addr.arpa or ip6.arpa stands for; null for any other name.</summary>
    public static IPAddress? ReverseAddress(ReadOnlySpan<string> labels) => labels switch
    {
        [.. var octets, "in-addr", "arpa"] when octets.Length == IPv4Octets => FromOctets(octets),
        [.. var nibbles, "ip6", "arpa"] when nibbles.Length == IPv6Nibbles => FromNibbles(nibbles),
        _ => null,
    };

    /// <summary>The digits of an <c>addr</c> name; the opposite of <see cref="FromHex"/>.</summary>
    public static string ToHex(IPAddress address) => Convert.ToHexStringLower(address.GetAddressBytes());

    /// <summary>The address in an <c>addr</c> name; null when the digits are not all hexadecimal.</summary>
    public static IPAddress? FromHex(string digits)
    {
        if (digits.Length is not (IPv4HexDigits or IPv6Nibbles))
        {
            return null;
        }
        var bytes = new byte[digits.Length / 2];
        return Convert.FromHexString(digits, bytes, out _, out int written) == System.Buffers.OperationStatus.Done
            && written == bytes.Length ? new IPAddress(bytes) : null;
    }

    /// <summary>An address, written in full; null for anything else, a host name for example.</summary>
    public static IPAddress? ParseAddress(string text)
    {
        if (!IPAddress.TryParse(text, out IPAddress? address))
        {
            return null;
        }
        if (address.AddressFamily == AddressFamily.InterNetworkV6)
        {
            return address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
        }
        // The parser takes "10.1" for an address too; to everybody else it is a name.
        return text.Count(c => c == '.') == IPv4Octets - 1 ? address : null;
    }

    private static bool EndsWith(ReadOnlySpan<string> labels, string[] domain, out ReadOnlySpan<string> inner)
    {
        inner = labels;
        if (labels.Length < domain.Length || !labels[^domain.Length..].SequenceEqual(domain))
        {
            return false;
        }
        inner = labels[..^domain.Length];
        return true;
    }

    private static IPAddress? FromOctets(ReadOnlySpan<string> octets)
    {
        var bytes = new byte[IPv4Octets];
        for (int i = 0; i < IPv4Octets; i++)
        {
            string text = octets[IPv4Octets - 1 - i];
            bool sound = byte.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out bytes[i])
                && (text.Length == 1 || text[0] != '0');
            if (!sound)
            {
                return null;
            }
        }
        return new IPAddress(bytes);
    }

    private static IPAddress? FromNibbles(ReadOnlySpan<string> nibbles)
    {
        Span<char> digits = stackalloc char[IPv6Nibbles];
        for (int i = 0; i < IPv6Nibbles; i++)
        {
            string text = nibbles[IPv6Nibbles - 1 - i];
            if (text.Length != 1)
            {
                return null;
            }
            digits[i] = text[0];
        }
        return FromHex(new string(digits));
    }
}
