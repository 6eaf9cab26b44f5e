using System.Globalization;
using System.Text;

namespace Languages;

/// <summary>
/// JSON with places. As Go's decoder: bad UTF-8 was replaced before, a name given twice keeps its last value, error
/// texts are Go's, because clients see them.
/// </summary>
internal sealed class JsonParser(TextScanner scanner)
{
    private LanguageError? _error;

    public Parsed<ConfigNode> ParseDocument()
    {
        SkipSpace();
        var value = ParseValue(0);
        SkipSpace();
        if (value is not null && !scanner.AtEnd)
        {
            Fail($"invalid character {Quoted()} after top-level value",
                "a file holds one value: remove what follows it");
        }
        return _error is null ? value! : _error;
    }

    private ConfigNode? ParseValue(int depth)
    {
        var at = scanner.Here;
        if (depth > ConfigParser.DepthMax)
        {
            return Fail($"nested deeper than {ConfigParser.DepthMax} levels", "flatten it");
        }
        switch (scanner.Current)
        {
            case '{':
                return ParseObject(depth, at);
            case '[':
                return ParseList(depth, at);
            case '"':
                return ParseString() is { } text ? ConfigNode.OfString(text, at) : null;
            case '-' or (>= '0' and <= '9'):
                return ParseNumber(at);
            default:
                return ParseWord(at);
        }
    }

    private ConfigNode? ParseWord(Position at)
    {
        if (scanner.TryTake("true"))
        {
            return ConfigNode.OfBool(true, at);
        }
        if (scanner.TryTake("false"))
        {
            return ConfigNode.OfBool(false, at);
        }
        return scanner.TryTake("null") ? ConfigNode.OfNull(at) : WrongWord();
    }

    // Go names the letter at which a word stops to be one that it knows.
    private ConfigNode? WrongWord()
    {
        const string Remedy = "a value is an object, a list, a string, a number, true, false or null";
        var word = scanner.Current switch { 't' => "true", 'f' => "false", 'n' => "null", _ => "" };
        var right = 0;
        while (right < word.Length && scanner.TryTake(word[right]))
        {
            right++;
        }
        return right == 0
            ? Unexpected("looking for beginning of value", Remedy)
            : Unexpected($"in literal {word} (expecting '{word[right]}')", Remedy);
    }

    private ConfigNode? ParseObject(int depth, Position at)
    {
        scanner.Offset++;
        var members = new List<ConfigMember>();
        var places = new Dictionary<string, int>(StringComparer.Ordinal);
        SkipSpace();
        if (scanner.TryTake('}'))
        {
            return ConfigNode.OfObject(members, at);
        }
        while (true)
        {
            SkipSpace();
            if (ParseMember(depth) is not { } member)
            {
                return null;
            }
            if (places.TryAdd(member.Name, members.Count))
            {
                members.Add(member);
            }
            else
            {
                members[places[member.Name]] = member;
            }
            SkipSpace();
            if (scanner.TryTake('}'))
            {
                return ConfigNode.OfObject(members, at);
            }
            if (!scanner.TryTake(','))
            {
                return Unexpected("after object key:value pair", "separate members by commas, close the object by }");
            }
        }
    }

    private ConfigMember? ParseMember(int depth)
    {
        var at = scanner.Here;
        if (scanner.Current != '"')
        {
            Unexpected("looking for beginning of object key string",
                "names stand in double quotes; no comma follows the last member");
            return null;
        }
        if (ParseString() is not { } name)
        {
            return null;
        }
        SkipSpace();
        if (!scanner.TryTake(':'))
        {
            Unexpected("after object key", "write \"name\": value");
            return null;
        }
        SkipSpace();
        return ParseValue(depth + 1) is { } value ? new ConfigMember(name, at, value) : null;
    }

    private ConfigNode? ParseList(int depth, Position at)
    {
        scanner.Offset++;
        var items = new List<ConfigNode>();
        SkipSpace();
        if (scanner.TryTake(']'))
        {
            return ConfigNode.OfList(items, at);
        }
        while (true)
        {
            SkipSpace();
            if (ParseValue(depth + 1) is not { } item)
            {
                return null;
            }
            items.Add(item);
            SkipSpace();
            if (scanner.TryTake(']'))
            {
                return ConfigNode.OfList(items, at);
            }
            if (!scanner.TryTake(','))
            {
                return Unexpected("after array element", "separate items by commas, close the list by ]");
            }
        }
    }

    private ConfigNode? ParseNumber(Position at)
    {
        var start = scanner.Offset;
        scanner.TryTake('-');
        var digits = scanner.Offset;
        if (!scanner.TryTake('0'))
        {
            scanner.TakeWhile(char.IsAsciiDigit);
        }
        if (scanner.Offset == digits)
        {
            return Unexpected("in numeric literal", "write a digit after the minus sign");
        }
        if (scanner.TryTake('.') && scanner.TakeWhile(char.IsAsciiDigit).IsEmpty)
        {
            return Unexpected("after decimal point in numeric literal", "write a digit after the point");
        }
        if ((scanner.TryTake('e') || scanner.TryTake('E')) && !TakeExponent())
        {
            return Unexpected("in exponent of numeric literal", "write a digit after the e");
        }
        var text = scanner.Text.AsSpan(start, scanner.Offset - start);
        if (long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var whole))
        {
            return ConfigNode.OfWhole(whole, at);
        }
        var value = double.Parse(text, NumberStyles.Float, CultureInfo.InvariantCulture);
        return double.IsFinite(value) ? ConfigNode.OfNumber(value, at) : Fail($"number {text} out of range",
            "use a smaller one");
    }

    private bool TakeExponent()
    {
        _ = scanner.TryTake('+') || scanner.TryTake('-');
        return !scanner.TakeWhile(char.IsAsciiDigit).IsEmpty;
    }

    private string? ParseString()
    {
        scanner.Offset++;
        var text = new StringBuilder();
        while (true)
        {
            var run = scanner.TakeWhile(static c => c is not ('"' or '\\') && c >= ' ');
            text.Append(run);
            if (scanner.AtEnd)
            {
                Fail("unexpected end of JSON input", "close the string by a double quote");
                return null;
            }
            if (scanner.TryTake('"'))
            {
                return text.ToString();
            }
            if (scanner.Current != '\\')
            {
                Unexpected("in string literal", "write control characters as escapes: \\n, \\t, \\u0007");
                return null;
            }
            scanner.Offset++;
            if (!TakeEscape(text))
            {
                return null;
            }
        }
    }

    private bool TakeEscape(StringBuilder text)
    {
        var c = scanner.Current;
        if (c == 'u')
        {
            return TakeUnicode(text);
        }
        var meaning = c switch
        {
            'n' => '\n',
            't' => '\t',
            'r' => '\r',
            'b' => '\b',
            'f' => '\f',
            '"' or '\\' or '/' => c,
            _ => TextScanner.End,
        };
        if (meaning == TextScanner.End)
        {
            Unexpected("in string escape code", "escapes are \\\" \\\\ \\/ \\b \\f \\n \\r \\t \\uXXXX");
            return false;
        }
        scanner.Offset++;
        text.Append(meaning);
        return true;
    }

    private bool TakeUnicode(StringBuilder text)
    {
        scanner.Offset++;
        var value = 0;
        for (var i = 0; i < 4; i++, scanner.Offset++)
        {
            if (!char.IsAsciiHexDigit(scanner.Current))
            {
                Unexpected("in \\u hexadecimal character escape", "write four hexadecimal digits");
                return false;
            }
            value = (value << 4) | Convert.ToInt32(scanner.Current.ToString(), 16);
        }
        AppendUnit(text, (char)value);
        return true;
    }

    /// <summary>Half a surrogate pair becomes the replacement character, as in Go, as soon as it is certain.</summary>
    private void AppendUnit(StringBuilder text, char unit)
    {
        const char Replacement = '\ufffd';
        var isLow = char.IsLowSurrogate(unit);
        if (isLow && text.Length > 0 && char.IsHighSurrogate(text[^1]))
        {
            text.Append(unit);
            return;
        }
        var pairFollows = char.IsHighSurrogate(unit) && scanner.Current == '\\' && scanner.Next == 'u'
            && scanner.Offset + 6 <= scanner.Text.Length
            && int.TryParse(scanner.Text.AsSpan(scanner.Offset + 2, 4), NumberStyles.AllowHexSpecifier, null,
                out var next)
            && char.IsLowSurrogate((char)next);
        text.Append(isLow || (char.IsHighSurrogate(unit) && !pairFollows) ? Replacement : unit);
    }

    private void SkipSpace() => scanner.TakeWhile(static c => c is ' ' or '\t' or '\r' or '\n');

    private string Quoted() => scanner.Current == '\'' ? "'\\''" : $"'{scanner.Current}'";

    private ConfigNode? Unexpected(string context, string remedy) => scanner.AtEnd
        ? Fail("unexpected end of JSON input", remedy)
        : Fail($"invalid character {Quoted()} {context}", remedy);

    private ConfigNode? Fail(string what, string remedy)
    {
        _error ??= new LanguageError(scanner.Here, what, remedy);
        return null;
    }
}
