using System.Text;
using System.Text.RegularExpressions;

namespace Languages;

/// <summary>
/// Regular expressions as Go's RE2 reads them, run by .NET's engine without backtracking: time grows with the text
/// only,
/// whatever the expression. What RE2 lacks (lookaround, back references) is refused here as there.
/// </summary>
public static class GoRegex
{
    /// <summary>Longest expression, in characters; building one costs time and memory.</summary>
    public const int LengthMax = 4096;

    /// <summary>Longest time one match may take; without backtracking only huge texts come near.</summary>
    public static readonly TimeSpan MatchTimeMax = TimeSpan.FromSeconds(1);

    private const int RepeatMax = 1000;

    private static readonly Dictionary<string, string> PosixClasses = new(StringComparer.Ordinal)
    {
        ["alnum"] = "0-9A-Za-z",
        ["alpha"] = "A-Za-z",
        ["ascii"] = "\\x00-\\x7F",
        ["blank"] = "\\t ",
        ["cntrl"] = "\\x00-\\x1F\\x7F",
        ["digit"] = "0-9",
        ["graph"] = "!-~",
        ["lower"] = "a-z",
        ["print"] = " -~",
        ["punct"] = "!-/:-@\\[-`{-~",
        ["space"] = "\\t\\n\\v\\f\\r ",
        ["upper"] = "A-Z",
        ["word"] = "0-9A-Za-z_",
        ["xdigit"] = "0-9A-Fa-f",
    };

    /// <summary>Builds the expression.</summary>
    /// <param name="pattern">The expression in RE2's syntax.</param>
    /// <param name="regex">It, ready to match.</param>
    /// <param name="problem">Why not, in Go's words where they are known: "error parsing regexp: …".</param>
    public static bool TryCreate(string pattern, out Regex? regex, out string problem)
    {
        regex = null;
        if (pattern.Length > LengthMax)
        {
            problem = $"error parsing regexp: expression of {pattern.Length} characters, at most {LengthMax} are read";
            return false;
        }
        if (!TryTranslate(pattern, out var translated, out problem))
        {
            return false;
        }
        try
        {
            regex = new Regex(translated, RegexOptions.NonBacktracking | RegexOptions.CultureInvariant, MatchTimeMax);
            return true;
        }
        catch (RegexParseException refused)
        {
            problem = $"error parsing regexp: {InGoWords(refused.Error, pattern)}";
            return false;
        }
        catch (NotSupportedException)
        {
            problem = $"error parsing regexp: expression too large or not regular: `{pattern}`";
            return false;
        }
    }

    private static string InGoWords(RegexParseError error, string pattern) => error switch
    {
        RegexParseError.InsufficientClosingParentheses => $"missing closing ): `{pattern}`",
        RegexParseError.InsufficientOpeningParentheses => $"unexpected ): `{pattern}`",
        RegexParseError.UnterminatedBracket => $"missing closing ]: `{pattern[pattern.LastIndexOf('[')..]}`",
        RegexParseError.QuantifierAfterNothing => $"missing argument to repetition operator: `{FirstRepeat(pattern)}`",
        RegexParseError.NestedQuantifiersNotParenthesized => $"invalid nested repetition operator: `{pattern}`",
        RegexParseError.UnescapedEndingBackslash => "trailing backslash at end of expression: ``",
        RegexParseError.ReversedCharacterRange => $"invalid character class range: `{pattern}`",
        RegexParseError.UnrecognizedEscape => $"invalid escape sequence: `{pattern}`",
        _ => $"invalid or unsupported Perl syntax: `{pattern}`",
    };

    private static char FirstRepeat(string pattern)
    {
        var at = pattern.IndexOfAny(['*', '+', '?']);
        return at < 0 ? '*' : pattern[at];
    }

    /// <summary>Writes RE2's expression as .NET's where the two differ; passes everything else on.</summary>
    private static bool TryTranslate(string pattern, out string translated, out string problem)
    {
        translated = problem = "";
        var text = new StringBuilder();
        var multiline = HasFlag(pattern, 'm');
        for (var i = 0; i < pattern.Length; i++)
        {
            var taken = pattern[i] switch
            {
                '\\' => TakeEscape(pattern, i, text, inClass: false),
                '[' => TakeClass(pattern, i, text),
                // Go's $ is the very end of the text; .NET's allows a line end after it.
                '$' when !multiline => Replace(text, "\\z"),
                '(' when pattern.AsSpan(i).StartsWith("(?P<", StringComparison.Ordinal) => Replace(text, "(?<", 4),
                '(' when IsForeignGroup(pattern, i) => 0,
                '{' when RepeatAt(pattern, i) > RepeatMax => -1,
                _ => Replace(text, pattern[i].ToString()),
            };
            if (taken <= 0)
            {
                problem = taken == 0
                    ? "error parsing regexp: invalid or unsupported Perl syntax: "
                        + $"`{pattern.AsSpan(i, Math.Min(3, pattern.Length - i))}`"
                    : $"error parsing regexp: invalid repeat count: `{pattern[i..]}`";
                return false;
            }
            i += taken - 1;
        }
        translated = text.ToString();
        return true;
    }

    private static bool HasFlag(string pattern, char flag)
    {
        var at = pattern.IndexOf("(?", StringComparison.Ordinal);
        return at >= 0 && pattern.AsSpan(at + 2).IndexOfAny(")-:<=!") is var end and >= 0
            && pattern.AsSpan(at + 2, end).Contains(flag);
    }

    private static bool IsForeignGroup(string pattern, int at) =>
        at + 2 < pattern.Length && pattern[at + 1] == '?' && !"imsU-:".Contains(pattern[at + 2]);

    private static int RepeatAt(string pattern, int at)
    {
        var largest = 0;
        var number = 0;
        foreach (var c in pattern.AsSpan(at + 1))
        {
            if (!char.IsAsciiDigit(c) && c != ',')
            {
                break;
            }
            number = c == ',' ? 0 : Math.Min((number * 10) + (c - '0'), RepeatMax + 1);
            largest = Math.Max(largest, number);
        }
        return largest;
    }

    private static int Replace(StringBuilder text, string by, int taken = 1)
    {
        text.Append(by);
        return taken;
    }

    private static int TakeEscape(string pattern, int at, StringBuilder text, bool inClass)
    {
        if (at + 1 >= pattern.Length)
        {
            return Replace(text, "\\");
        }
        var c = pattern[at + 1];
        if (char.IsAsciiDigit(c) && c != '0')
        {
            return 0;
        }
        return c switch
        {
            'd' => Replace(text, inClass ? "0-9" : "[0-9]", 2),
            'w' => Replace(text, inClass ? "0-9A-Za-z_" : "[0-9A-Za-z_]", 2),
            's' => Replace(text, inClass ? "\\t\\n\\f\\r " : "[\\t\\n\\f\\r ]", 2),
            'D' when !inClass => Replace(text, "[^0-9]", 2),
            'W' when !inClass => Replace(text, "[^0-9A-Za-z_]", 2),
            'S' when !inClass => Replace(text, "[^\\t\\n\\f\\r ]", 2),
            'Q' when !inClass => TakeQuoted(pattern, at, text),
            'x' when pattern.AsSpan(at + 2).StartsWith("{") => TakeCode(pattern, at, text),
            'p' or 'P' when at + 2 < pattern.Length && pattern[at + 2] != '{' =>
                Replace(text, $"\\{c}{{{pattern[at + 2]}}}", 3),
            'G' or 'Z' or 'k' or 'c' or 'e' or 'u' => 0,
            _ => Replace(text, $"\\{c}", 2),
        };
    }

    private static int TakeQuoted(string pattern, int at, StringBuilder text)
    {
        var end = pattern.IndexOf("\\E", at + 2, StringComparison.Ordinal);
        var quoted = end < 0 ? pattern[(at + 2)..] : pattern[(at + 2)..end];
        text.Append(Regex.Escape(quoted));
        return quoted.Length + (end < 0 ? 2 : 4);
    }

    private static int TakeCode(string pattern, int at, StringBuilder text)
    {
        var end = pattern.IndexOf('}', at);
        var isCode = int.TryParse(
            pattern.AsSpan(at + 3, Math.Max(0, end - at - 3)),
            System.Globalization.NumberStyles.AllowHexSpecifier,
            null,
            out var code);
        if (!isCode || code > char.MaxValue)
        {
            return 0;
        }
        text.Append("\\u").Append(code.ToString("X4", System.Globalization.CultureInfo.InvariantCulture));
        return end - at + 1;
    }

    private static int TakeClass(string pattern, int at, StringBuilder text)
    {
        var i = at + 1;
        text.Append('[');
        if (i < pattern.Length && pattern[i] == '^')
        {
            text.Append('^');
            i++;
        }
        for (var first = true; i < pattern.Length && (first || pattern[i] != ']'); first = false)
        {
            var taken = TakeClassItem(pattern, i, text);
            if (taken <= 0)
            {
                return taken;
            }
            i += taken;
        }
        if (i < pattern.Length)
        {
            text.Append(']');
            i++;
        }
        return i - at;
    }

    private static int TakeClassItem(string pattern, int at, StringBuilder text)
    {
        var c = pattern[at];
        if (c == '\\')
        {
            return TakeEscape(pattern, at, text, inClass: true);
        }
        var isPosix = c == '[' && at + 1 < pattern.Length && pattern[at + 1] == ':';
        var end = isPosix ? pattern.IndexOf(":]", at, StringComparison.Ordinal) : -1;
        if (end < 0)
        {
            // A lone [ would begin a subtraction in .NET.
            return Replace(text, c is '[' or ']' ? $"\\{c}" : c.ToString());
        }
        return PosixClasses.TryGetValue(pattern[(at + 2)..end], out var members)
            ? Replace(text, members, end + 2 - at)
            : 0;
    }
}
