using System.Globalization;
using System.Text;

namespace Languages;

/// <summary>
/// Durations as Go writes them ("1h2m3.5s", "100ms"). Configuration files, query parameters and JSON bodies carry them,
/// and clients compare the text, so both directions follow Go exactly.
/// </summary>
/// <remarks>
/// Go counts in nanoseconds, <see cref="TimeSpan"/> in units of 100 ns. Text that must come back as it was goes through
/// <see cref="TryParseNanoseconds"/> and <see cref="FormatNanoseconds"/>; everything else through the short forms.
/// </remarks>
public static class GoDuration
{
    private const long Microsecond = 1_000;
    private const long Millisecond = 1_000_000;
    private const long Second = 1_000_000_000;
    private const long Minute = 60 * Second;
    private const long Hour = 60 * Minute;

    /// <summary>Reads "1h2m3.5s". Below 100 ns is cut off, as in <see cref="FromNanoseconds"/>.</summary>
    /// <returns>False: not a duration, or beyond about 292 years.</returns>
    public static bool TryParse(ReadOnlySpan<char> text, out TimeSpan duration)
    {
        var ok = TryParseNanoseconds(text, out var nanoseconds);
        duration = FromNanoseconds(nanoseconds);
        return ok;
    }

    /// <summary>Reads "1h2m3.5s" as nanoseconds.</summary>
    /// <returns>False: not a duration, or beyond about 292 years.</returns>
    public static bool TryParseNanoseconds(ReadOnlySpan<char> text, out long nanoseconds)
    {
        nanoseconds = 0;
        var rest = text;
        var negative = false;
        if (!rest.IsEmpty && rest[0] is '-' or '+')
        {
            negative = rest[0] == '-';
            rest = rest[1..];
        }
        if (rest is "0")
        {
            return true;
        }
        if (rest.IsEmpty)
        {
            return false;
        }
        Int128 total = 0;
        while (!rest.IsEmpty)
        {
            if (!TryReadTerm(ref rest, out var term))
            {
                return false;
            }
            total += term;
            if (total > long.MaxValue)
            {
                return false;
            }
        }
        nanoseconds = (long)(negative ? -total : total);
        return true;
    }

    /// <summary>Why a text is no duration, in Go's words.</summary>
    public static string Explain(string text)
    {
        var rest = text.AsSpan().TrimStart("+-");
        while (!rest.IsEmpty)
        {
            var digits = rest.IndexOfAnyExcept(".0123456789");
            if (digits == 0 || rest.StartsWith("."))
            {
                break;
            }
            if (digits < 0)
            {
                return $"time: missing unit in duration \"{text}\"";
            }
            rest = rest[digits..];
            var length = rest.IndexOfAny(".0123456789");
            var unit = rest[..(length < 0 ? rest.Length : length)];
            var known = unit;
            if (TakeUnit(ref known) == 0)
            {
                return $"time: unknown unit \"{unit}\" in duration \"{text}\"";
            }
            rest = rest[unit.Length..];
        }
        return $"time: invalid duration \"{text}\"";
    }

    /// <summary>Writes as Go's String(): "0s", "1.5ms", "1m0s", "1h0m0s".</summary>
    public static string Format(TimeSpan duration) => FormatNanoseconds(ToNanoseconds(duration));

    /// <summary>Writes nanoseconds as Go's String().</summary>
    public static string FormatNanoseconds(long nanoseconds)
    {
        if (nanoseconds == 0)
        {
            return "0s";
        }
        var text = new StringBuilder();
        if (nanoseconds < 0)
        {
            text.Append('-');
        }
        var size = nanoseconds < 0 ? (ulong)-(nanoseconds + 1) + 1 : (ulong)nanoseconds;
        return AppendSize(text, size).ToString();
    }

    /// <summary>Nanoseconds of a time span; beyond Go's range it is the end of that range.</summary>
    public static long ToNanoseconds(TimeSpan duration) =>
        (long)Int128.Clamp((Int128)duration.Ticks * TimeSpan.NanosecondsPerTick, long.MinValue, long.MaxValue);

    /// <summary>The time span of so many nanoseconds; below 100 ns is cut off, but something never becomes
    /// nothing.</summary>
    public static TimeSpan FromNanoseconds(long nanoseconds)
    {
        var ticks = nanoseconds / TimeSpan.NanosecondsPerTick;
        return TimeSpan.FromTicks(ticks != 0 ? ticks : Math.Sign(nanoseconds));
    }

    private static bool TryReadTerm(scoped ref ReadOnlySpan<char> rest, out Int128 term)
    {
        term = 0;
        var whole = TakeDigits(ref rest);
        ReadOnlySpan<char> fraction = [];
        if (!rest.IsEmpty && rest[0] == '.')
        {
            rest = rest[1..];
            fraction = TakeDigits(ref rest);
        }
        if (whole.IsEmpty && fraction.IsEmpty)
        {
            return false;
        }
        var unit = TakeUnit(ref rest);
        if (unit == 0)
        {
            return false;
        }
        long count = 0;
        if (!whole.IsEmpty && !long.TryParse(whole, NumberStyles.None, CultureInfo.InvariantCulture, out count))
        {
            return false;
        }
        term = ((Int128)count * unit) + FractionOf(fraction, unit);
        return term <= long.MaxValue;
    }

    private static ReadOnlySpan<char> TakeDigits(scoped ref ReadOnlySpan<char> rest)
    {
        var length = rest.IndexOfAnyExceptInRange('0', '9');
        length = length < 0 ? rest.Length : length;
        var digits = rest[..length];
        rest = rest[length..];
        return digits;
    }

    private static long TakeUnit(scoped ref ReadOnlySpan<char> rest)
    {
        var length = rest.IndexOfAny(".0123456789");
        length = length < 0 ? rest.Length : length;
        var unit = rest[..length];
        rest = rest[length..];
        return unit switch
        {
            "ns" => 1,
            // Both micro signs of Unicode: U+00B5 and the Greek letter U+03BC.
            "us" or "\u00b5s" or "\u03bcs" => Microsecond,
            "ms" => Millisecond,
            "s" => Second,
            "m" => Minute,
            "h" => Hour,
            _ => 0,
        };
    }

    private static long FractionOf(ReadOnlySpan<char> digits, long unit)
    {
        // Go stops counting digits when they no longer fit; 18 of them are below a nanosecond of an hour.
        const int DigitsKept = 18;
        Int128 value = 0;
        Int128 scale = 1;
        foreach (var digit in digits[..Math.Min(digits.Length, DigitsKept)])
        {
            value = (value * 10) + (digit - '0');
            scale *= 10;
        }
        return (long)(value * unit / scale);
    }

    private static StringBuilder AppendSize(StringBuilder text, ulong size)
    {
        if (size < (ulong)Second)
        {
            return size switch
            {
                < (ulong)Microsecond => text.Append(size).Append("ns"),
                < (ulong)Millisecond => AppendDecimal(text, size, (ulong)Microsecond).Append("\u00b5s"),
                _ => AppendDecimal(text, size, (ulong)Millisecond).Append("ms"),
            };
        }
        var hours = size / (ulong)Hour;
        var minutes = size / (ulong)Minute % 60;
        if (hours > 0)
        {
            text.Append(hours).Append('h');
        }
        if (hours > 0 || minutes > 0)
        {
            text.Append(minutes).Append('m');
        }
        return AppendDecimal(text, size % (ulong)Minute, (ulong)Second).Append('s');
    }

    private static StringBuilder AppendDecimal(StringBuilder text, ulong value, ulong unit)
    {
        text.Append(value / unit);
        var fraction = value % unit;
        if (fraction == 0)
        {
            return text;
        }
        var digits = (unit + fraction).ToString(CultureInfo.InvariantCulture);
        return text.Append('.').Append(digits.AsSpan(1).TrimEnd('0'));
    }
}
