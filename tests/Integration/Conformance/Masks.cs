using System.Text.Json;
using System.Text.RegularExpressions;

namespace Integration.Conformance;

/// <summary>What a masked value of a recording may be in an answer.</summary>
/// <remarks>tests/conformance/record.py writes the masks.</remarks>
internal static class Masks
{
    private static readonly TimeSpan MatchLimit = TimeSpan.FromSeconds(5);

    private static readonly Dictionary<string, string> Patterns = new(StringComparer.Ordinal)
    {
        ["uuid"] = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
        ["time"] = @"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z| \+0000 UTC|[+-]\d\d:\d\d)?",
        ["pem"] = @"(-----BEGIN [A-Z ]+-----[\s\S]+?-----END [A-Z ]+-----\n?)+",
        ["hex"] = "[0-9a-f]{2}(:?[0-9a-f]{2})*",
        ["hash"] = "[0-9a-f]{1,16}",
        ["base64"] = "[A-Za-z0-9+/=]+",
        ["port"] = @"\d+",
        ["number"] = @"\d+",
        ["version"] = @"\d+\.\d+\.\d+(:[0-9a-f]*)?",
        ["any"] = @"[\s\S]*",
    };

    /// <summary>Whether a number may stand where the recording has this mask. Null: it is no mask of numbers.</summary>
    public static bool? TakesNumber(string mask, JsonElement number) => mask switch
    {
        "<index>" => number.TryGetUInt64(out var index) && index > 0,
        "<port>" => number.TryGetInt32(out var port) && port is >= -1 and <= ushort.MaxValue,
        "<number>" => true,
        _ => null,
    };

    /// <summary>Whether a text is what was recorded, masks and all.</summary>
    public static bool Takes(string recorded, string actual)
    {
        if (!recorded.Contains('<', StringComparison.Ordinal))
        {
            return string.Equals(recorded, actual, StringComparison.Ordinal);
        }

        var pattern = Regex.Replace(
            Regex.Escape(recorded), "<(?<mask>[a-z0-9]+)>",
            mask => Patterns.TryGetValue(mask.Groups["mask"].Value, out var known) ? known : mask.Value,
            RegexOptions.None, MatchLimit);
        return Regex.IsMatch(actual, $@"\A(?:{pattern})\z", RegexOptions.None, MatchLimit);
    }
}
