using System.Globalization;
using System.Text;

namespace Praetor.Agent.Http;

/// <summary>The parameters behind the question mark, in order, decoded. Names may repeat.</summary>
internal sealed class QueryParameters
{
    /// <summary>How many parameters are read; what follows is ignored, as no request of ours has nearly as
    /// many.</summary>
    public const int ParametersMax = 256;

    public static readonly QueryParameters None = new([]);

    private readonly List<KeyValuePair<string, string>> _pairs;

    private QueryParameters(List<KeyValuePair<string, string>> pairs) => _pairs = pairs;

    public IReadOnlyList<KeyValuePair<string, string>> Pairs => _pairs;

    public static QueryParameters Parse(ReadOnlySpan<char> text)
    {
        if (text.IsEmpty)
        {
            return None;
        }

        var pairs = new List<KeyValuePair<string, string>>();
        foreach (var range in text.Split('&'))
        {
            var part = text[range];
            if (part.IsEmpty || pairs.Count == ParametersMax)
            {
                continue;
            }

            var equals = part.IndexOf('=');
            var name = equals < 0 ? part : part[..equals];
            var value = equals < 0 ? default : part[(equals + 1)..];
            pairs.Add(new KeyValuePair<string, string>(Decode(name), Decode(value)));
        }

        return new QueryParameters(pairs);
    }

    public bool Has(string name) => IndexOf(name) >= 0;

    /// <summary>The first value of a parameter; empty when it is absent or bare.</summary>
    public string this[string name] => IndexOf(name) is var at and >= 0 ? _pairs[at].Value : "";

    public IEnumerable<string> All(string name)
    {
        foreach (var (key, value) in _pairs)
        {
            if (key == name)
            {
                yield return value;
            }
        }
    }

    /// <summary>A parameter that is a number. Null: it is absent.</summary>
    /// <returns>False: it is none; the problem has Go's words.</returns>
    public bool TryUnsigned(string name, out ulong? number, out string problem)
    {
        (number, problem) = (null, "");
        if (!Has(name))
        {
            return true;
        }

        var text = this[name];
        if (ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var parsed))
        {
            number = parsed;
            return true;
        }

        var isTooLarge = text.Length > 0 && text.All(char.IsAsciiDigit);
        problem = $"strconv.ParseUint: parsing \"{text}\": {(isTooLarge ? "value out of range" : "invalid syntax")}";
        return false;
    }

    /// <summary>All of them as in a URL, ordered by name, as Go writes them.</summary>
    public string Encode() => string.Join('&', _pairs.OrderBy(static p => p.Key, StringComparer.Ordinal)
        .Select(static p => $"{Escape(p.Key)}={Escape(p.Value)}"));

    private static string Escape(string text) =>
        Uri.EscapeDataString(text).Replace("%20", "+", StringComparison.Ordinal);

    private static string Decode(ReadOnlySpan<char> text)
    {
        if (text.IndexOfAny('%', '+') < 0)
        {
            return text.ToString();
        }

        return PercentCoding.TryDecode(text, plusIsSpace: true, out var decoded) ? decoded : text.ToString();
    }

    private int IndexOf(string name)
    {
        for (var i = 0; i < _pairs.Count; i++)
        {
            if (_pairs[i].Key == name)
            {
                return i;
            }
        }

        return -1;
    }
}

/// <summary>Percent-encoding of URLs. One string means one string: what is not UTF-8 is refused, not
/// replaced.</summary>
internal static class PercentCoding
{
    private static readonly UTF8Encoding Strict = new(false, throwOnInvalidBytes: true);

    public static bool TryDecode(ReadOnlySpan<char> text, bool plusIsSpace, out string decoded)
    {
        decoded = "";
        if (text.IndexOf('%') < 0 && (!plusIsSpace || text.IndexOf('+') < 0))
        {
            decoded = text.ToString();
            return true;
        }

        var bytes = new byte[Encoding.UTF8.GetMaxByteCount(text.Length)];
        var length = 0;
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] == '%')
            {
                if (i + 2 >= text.Length || !TryHex(text[i + 1], text[i + 2], out bytes[length]))
                {
                    return false;
                }

                length++;
                i += 2;
                continue;
            }

            var c = plusIsSpace && text[i] == '+' ? ' ' : text[i];
            length += Encoding.UTF8.GetBytes([c], bytes.AsSpan(length));
        }

        try
        {
            decoded = Strict.GetString(bytes, 0, length);
            return true;
        }
        catch (DecoderFallbackException)
        {
            return false;
        }
    }

    private static bool TryHex(char high, char low, out byte value)
    {
        value = 0;
        if (!char.IsAsciiHexDigit(high) || !char.IsAsciiHexDigit(low))
        {
            return false;
        }

        value = (byte)((Convert.ToInt32(high.ToString(), 16) << 4) | Convert.ToInt32(low.ToString(), 16));
        return true;
    }
}
