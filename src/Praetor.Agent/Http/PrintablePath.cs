using System.Globalization;
using System.Text;

namespace Praetor.Agent.Http;

/// <summary>Refuses paths in which a character cannot be seen, unless
/// <c>disable_http_unprintable_char_filter</c> is on.</summary>
/// <remarks>
/// A key with such a character looks like another one wherever it is shown, and a line break in it forges lines in
/// logs. What counts as printable is what Go does: letters, marks, numbers, punctuation, symbols, and of all spaces the
/// usual one.
/// </remarks>
internal static class PrintablePath
{
    /// <summary>Whether all of a path can be seen once it is decoded. What cannot be decoded is judged where it is
    /// routed.</summary>
    public static bool Holds(ReadOnlySpan<char> rawPath)
    {
        // Nearly all paths: everything stands for itself.
        if (!rawPath.Contains('%') && !rawPath.ContainsAnyExceptInRange(' ', '~'))
        {
            return true;
        }

        if (!PercentCoding.TryDecode(rawPath, plusIsSpace: false, out var path))
        {
            return true;
        }

        foreach (var rune in path.EnumerateRunes())
        {
            if (!IsPrintable(rune))
            {
                return false;
            }
        }

        return true;
    }

    private static bool IsPrintable(Rune rune) => rune.Value == ' ' || Rune.GetUnicodeCategory(rune) is not (
        UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.Surrogate or UnicodeCategory.PrivateUse
        or UnicodeCategory.OtherNotAssigned or UnicodeCategory.SpaceSeparator or UnicodeCategory.LineSeparator
        or UnicodeCategory.ParagraphSeparator);
}
