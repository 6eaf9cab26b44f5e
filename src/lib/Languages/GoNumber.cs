using System.Globalization;
using System.Numerics;

namespace Languages;

/// <summary>Whole numbers as Go's strconv reads them with base 0: 10, 0x1f, 017, 0o17, 0b11, 1_000.</summary>
public static class GoNumber
{
    /// <summary>Reads a signed number.</summary>
    /// <param name="text">The text.</param>
    /// <param name="value">The number.</param>
    /// <param name="problem">Go's words: "invalid syntax" or "value out of range".</param>
    /// <param name="bits">How many bits it may have, 8 to 64.</param>
    public static bool TryParseLong(string text, out long value, out string problem, int bits = 64)
    {
        value = 0;
        var negative = text.StartsWith('-');
        var digits = negative || text.StartsWith('+') ? text[1..] : text;
        if (!TryParseDigits(digits, out var size, out problem))
        {
            return false;
        }
        var signed = negative ? -size : size;
        var limit = BigInteger.One << (bits - 1);
        if (signed >= limit || signed < -limit)
        {
            problem = "value out of range";
            return false;
        }
        value = (long)signed;
        return true;
    }

    /// <summary>Reads an unsigned number.</summary>
    /// <inheritdoc cref="TryParseLong"/>
    public static bool TryParseULong(string text, out ulong value, out string problem, int bits = 64)
    {
        value = 0;
        if (!TryParseDigits(text, out var size, out problem))
        {
            return false;
        }
        if (size >= BigInteger.One << bits)
        {
            problem = "value out of range";
            return false;
        }
        value = (ulong)size;
        return true;
    }

    private static bool TryParseDigits(string text, out BigInteger value, out string problem)
    {
        value = BigInteger.Zero;
        problem = "invalid syntax";
        var (numberBase, skip) = text switch
        {
            ['0', 'x' or 'X', ..] => (16, 2),
            ['0', 'b' or 'B', ..] => (2, 2),
            ['0', 'o' or 'O', ..] => (8, 2),
            ['0', _, ..] => (8, 1),
            _ => (10, 0),
        };
        var digits = skip == 0 ? text.AsSpan() : text.AsSpan(skip);
        // Base 0 allows underscores between digits and after the prefix, never doubled and never last.
        if (digits.IsEmpty || digits[^1] == '_' || digits.Contains("__", StringComparison.Ordinal)
            || (skip == 0 && digits[0] == '_'))
        {
            return false;
        }
        foreach (var digit in digits)
        {
            if (digit == '_')
            {
                continue;
            }
            if (!char.IsAsciiHexDigit(digit) || HexValue(digit) >= numberBase)
            {
                return false;
            }
            // Beyond 64 bits only the fact matters, so the number stops growing there.
            value = value > ulong.MaxValue ? value : (value * numberBase) + HexValue(digit);
        }
        problem = value > ulong.MaxValue ? "value out of range" : "";
        return problem.Length == 0;
    }

    private static int HexValue(char digit) => int.Parse([digit], NumberStyles.AllowHexSpecifier,
        CultureInfo.InvariantCulture);
}
