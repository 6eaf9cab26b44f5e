using System.Globalization;
using System.Text;
using System.Text.Unicode;

namespace Praetor.Agent.Http;

/// <summary>
/// Makes the strings of a JSON body readable: what is no text in them becomes U+FFFD, as Go's decoder does. .NET's
/// reader throws when such a string is taken out, long after the body was found to be well-formed.
/// </summary>
internal static class JsonText
{
    private const int EscapeLength = 6;
    private const ushort HighFirst = 0xd800;
    private const ushort LowFirst = 0xdc00;
    private const ushort LowLast = 0xdfff;

    /// <summary>Gives the body, mended where that was needed; may write into it.</summary>
    public static byte[] Mend(byte[] body)
    {
        var text = Utf8.IsValid(body) ? body : Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(body));
        MendEscapes(text);
        return text;
    }

    // The halves of a character outside the first plane are written as two escapes; one without the other is none.
    private static void MendEscapes(Span<byte> text)
    {
        for (var rest = text; rest.IndexOf((byte)'\\') is >= 0 and var at;)
        {
            rest = rest[at..];
            if (UnitOf(rest) is not { } unit)
            {
                rest = rest[Math.Min(2, rest.Length)..];
                continue;
            }

            var isPair = unit is >= HighFirst and < LowFirst
                && UnitOf(rest[EscapeLength..]) is >= LowFirst and <= LowLast;
            if (!isPair && unit is >= HighFirst and <= LowLast)
            {
                "fffd"u8.CopyTo(rest[2..]);
            }

            rest = rest[(isPair ? 2 * EscapeLength : EscapeLength)..];
        }
    }

    private static ushort? UnitOf(ReadOnlySpan<byte> escape) =>
        escape.Length >= EscapeLength && escape[0] == '\\' && escape[1] == 'u'
        && ushort.TryParse(
            escape[2..EscapeLength], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var unit)
            ? unit
            : null;
}
