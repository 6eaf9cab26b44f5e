using System.Text;

namespace Languages.Filters;

/// <summary>
/// Reads filter expressions as go-bexpr does. Its error texts list what could have followed at the farthest place that
/// was reached, and clients show them, so this reader tries the same alternatives in the same order and notes each
/// failed try at the farthest place, as a parser of that kind (PEG) does. Each alternative is tried once only, where a
/// naive PEG tries it again at each level of parentheses and takes exponential time.
/// </summary>
internal sealed class FilterParser
{
    /// <summary>Longest expression in characters.</summary>
    public const int LengthMax = 64 << 10;

    /// <summary>Deepest nesting of parentheses and "not".</summary>
    public const int DepthMax = 100;

    private const string SpaceClass = "[ \\t\\r\\n]";

    private readonly TextScanner _scanner;
    private readonly HashSet<string> _expected = new(StringComparer.Ordinal);
    private readonly List<string> _errors = [];
    private int _farthest;

    private FilterParser(string text) => _scanner = new TextScanner("filter", text);

    public static Parsed<FilterSyntax> Parse(string text)
    {
        if (text.Length > LengthMax)
        {
            return new LanguageError(
                new Position("filter", 1, 1), $"expression of {text.Length} characters, at most {LengthMax} are read");
        }
        var parser = new FilterParser(text);
        parser.SkipSpace();
        var syntax = parser.ParseOr(0);
        parser.SkipSpace();
        if (syntax is not null && parser._errors.Count == 0 && parser.AtEnd())
        {
            return syntax;
        }
        return new LanguageError(parser._scanner.PositionAt(parser._farthest), parser.ErrorText());
    }

    private FilterSyntax? ParseOr(int depth)
    {
        var left = ParseAnd(depth);
        for (var start = _scanner.Offset; left is not null; start = _scanner.Offset)
        {
            if (!TryWord("or", spaceAfter: true) || ParseAnd(depth) is not { } right)
            {
                _scanner.Offset = start;
                return left;
            }
            left = new FilterSyntax.Or(left, right);
        }
        return null;
    }

    private FilterSyntax? ParseAnd(int depth)
    {
        var left = ParseNot(depth);
        for (var start = _scanner.Offset; left is not null; start = _scanner.Offset)
        {
            if (!TryWord("and", spaceAfter: true) || ParseNot(depth) is not { } right)
            {
                _scanner.Offset = start;
                return left;
            }
            left = new FilterSyntax.And(left, right);
        }
        return null;
    }

    private FilterSyntax? ParseNot(int depth)
    {
        if (depth > DepthMax)
        {
            return Fail("grouping", $"nested deeper than {DepthMax} levels");
        }
        var start = _scanner.Offset;
        if (TryLiteral("not") && TrySpace() && ParseNot(depth + 1) is { } operand)
        {
            return new FilterSyntax.Not(operand);
        }
        _scanner.Offset = start;
        return ParseGroup(depth);
    }

    private FilterSyntax? ParseGroup(int depth)
    {
        var start = _scanner.Offset;
        if (!TryLiteral("("))
        {
            return ParseMatch();
        }
        SkipSpace();
        var inner = ParseOr(depth + 1);
        if (inner is not null)
        {
            SkipSpace();
            if (TryLiteral(")"))
            {
                return inner;
            }
            Fail("grouping", "Unmatched parentheses");
        }
        _scanner.Offset = start;
        return ParseMatch();
    }

    private FilterSyntax? ParseMatch()
    {
        var start = _scanner.Offset;
        if (ParseSelector() is { } selector)
        {
            var afterSelector = _scanner.Offset;
            if (TryBinaryOperator() is { } binary && ParseValue() is { } value)
            {
                return new FilterSyntax.Match(selector, binary, value);
            }
            _scanner.Offset = afterSelector;
            if (TryUnaryOperator() is { } unary)
            {
                return new FilterSyntax.Match(selector, unary, "");
            }
        }
        _scanner.Offset = start;
        return ParseValue() is { } wanted ? ParseValueFirst(wanted) : null;
    }

    private FilterSyntax.Match? ParseValueFirst(string value)
    {
        var found = TryOne(FilterOperator.In, "in") ?? TryOne(FilterOperator.NotIn, "not", "in");
        if (found is not { } meaning)
        {
            return null;
        }
        if (ParseSelector() is { } selector)
        {
            return new FilterSyntax.Match(selector, meaning, value);
        }
        Fail("match", "Invalid selector");
        return null;
    }

    private FilterOperator? TryBinaryOperator() =>
        TrySign(FilterOperator.Equal, "==")
        ?? TrySign(FilterOperator.NotEqual, "!=")
        ?? TryOne(FilterOperator.In, "contains")
        ?? TryOne(FilterOperator.NotIn, "not", "contains")
        ?? TryOne(FilterOperator.Matches, "matches")
        ?? TryOne(FilterOperator.NotMatches, "not", "matches");

    private FilterOperator? TryUnaryOperator()
    {
        var start = _scanner.Offset;
        if (TryWords(["is", "empty"]))
        {
            return FilterOperator.IsEmpty;
        }
        _scanner.Offset = start;
        if (TryWords(["is", "not", "empty"]))
        {
            return FilterOperator.IsNotEmpty;
        }
        _scanner.Offset = start;
        return null;
    }

    private FilterOperator? TrySign(FilterOperator meaning, string sign)
    {
        var start = _scanner.Offset;
        SkipSpace();
        if (TryLiteral(sign))
        {
            SkipSpace();
            return meaning;
        }
        _scanner.Offset = start;
        return null;
    }

    private FilterOperator? TryOne(FilterOperator meaning, params string[] words)
    {
        var start = _scanner.Offset;
        if (TryWords(words) && TrySpace())
        {
            return meaning;
        }
        _scanner.Offset = start;
        return null;
    }

    private bool TryWords(string[] words) => Array.TrueForAll(words, word => TryWord(word, spaceAfter: false));

    private bool TryWord(string word, bool spaceAfter) => TrySpace() && TryLiteral(word) && (!spaceAfter || TrySpace());

    private string[]? ParseSelector()
    {
        if (ParseIdentifier() is not { } first)
        {
            return null;
        }
        var names = new List<string> { first };
        while (true)
        {
            var start = _scanner.Offset;
            if ((TryLiteral(".") ? ParseIdentifier() : ParseIndex()) is not { } next)
            {
                _scanner.Offset = start;
                return [.. names];
            }
            names.Add(next);
        }
    }

    private string? ParseIdentifier()
    {
        var start = _scanner.Offset;
        if (!TryClass("[a-zA-Z]", char.IsAsciiLetter))
        {
            return null;
        }
        while (TryClass("[a-zA-Z0-9_]", static c => char.IsAsciiLetterOrDigit(c) || c == '_'))
        {
        }
        return _scanner.Text[start.._scanner.Offset];
    }

    private string? ParseIndex()
    {
        if (!TryLiteral("["))
        {
            return null;
        }
        SkipSpace();
        if (ParseString() is not { } name)
        {
            Fail("index", "Invalid index");
            return null;
        }
        SkipSpace();
        if (TryLiteral("]"))
        {
            return name;
        }
        Fail("index", "Unclosed index expression");
        return null;
    }

    private string? ParseValue()
    {
        if (ParseSelector() is { } names)
        {
            return string.Join('.', names);
        }
        return ParseNumber() ?? ParseString();
    }

    private string? ParseNumber()
    {
        var start = _scanner.Offset;
        TryLiteral("-");
        if (!TryLiteral("0"))
        {
            if (!TryClass("[1-9]", static c => c is >= '1' and <= '9'))
            {
                _scanner.Offset = start;
                return null;
            }
            TakeDigits();
        }
        var whole = _scanner.Offset;
        if (!TryLiteral(".") || TakeDigits() == 0)
        {
            _scanner.Offset = whole;
        }
        if (TrySpaceAhead() || _scanner.AtEnd || PeekLiteral(")"))
        {
            return _scanner.Text[start.._scanner.Offset];
        }
        Fail("number", "Invalid number literal");
        _scanner.Offset = start;
        return null;
    }

    private int TakeDigits()
    {
        var start = _scanner.Offset;
        while (TryClass("[0-9]", char.IsAsciiDigit))
        {
        }
        return _scanner.Offset - start;
    }

    private string? ParseString()
    {
        var start = _scanner.Offset;
        foreach (var quote in "`\"")
        {
            if (!TryLiteral(quote.ToString()))
            {
                continue;
            }
            _scanner.TakeWhile(c => c != quote);
            if (!_scanner.TryTake(quote))
            {
                Fail("string", "Unterminated string literal");
                _scanner.Offset = start;
                return null;
            }
            var body = _scanner.Text[(start + 1)..(_scanner.Offset - 1)];
            var text = quote == '`' ? body.Replace("\r", "", StringComparison.Ordinal) : Unquote(body);
            if (text is null)
            {
                FailAt(start, "string", "invalid syntax");
                _scanner.Offset = start;
            }
            return text;
        }
        return null;
    }

    /// <summary>The escapes of a Go string between double quotes. Null: one of them is none.</summary>
    private static string? Unquote(string body)
    {
        if (body.Contains('\n'))
        {
            return null;
        }
        if (!body.Contains('\\'))
        {
            return body;
        }
        // A quote never stands inside the body, so the HCL string reader, which knows the same escapes, can do it.
        var lexer = new HclLexer(new TextScanner("filter",
            $"\"{body.Replace("${", "\\x24{", StringComparison.Ordinal)}\""));
        var token = lexer.Read();
        return lexer.Error is null ? token.Text : null;
    }

    private bool AtEnd()
    {
        if (_scanner.AtEnd)
        {
            return true;
        }
        Expect("EOF");
        return false;
    }

    private bool TryLiteral(string literal)
    {
        if (_scanner.TryTake(literal))
        {
            return true;
        }
        Expect(literal switch
        {
            "\"" => "\"\\\"\"",
            _ => $"\"{literal}\"",
        });
        return false;
    }

    private bool PeekLiteral(string literal)
    {
        var start = _scanner.Offset;
        var found = TryLiteral(literal);
        _scanner.Offset = start;
        return found;
    }

    private bool TryClass(string name, Func<char, bool> members)
    {
        if (!_scanner.AtEnd && members(_scanner.Current))
        {
            _scanner.Offset++;
            return true;
        }
        Expect(name);
        return false;
    }

    private bool TrySpace()
    {
        var start = _scanner.Offset;
        while (TryClass(SpaceClass, static c => c is ' ' or '\t' or '\r' or '\n'))
        {
        }
        return _scanner.Offset > start;
    }

    private bool TrySpaceAhead()
    {
        var start = _scanner.Offset;
        var found = TrySpace();
        _scanner.Offset = start;
        return found;
    }

    private void SkipSpace() => TrySpace();

    private void Expect(string what)
    {
        if (_scanner.Offset < _farthest)
        {
            return;
        }
        if (_scanner.Offset > _farthest)
        {
            _expected.Clear();
            _farthest = _scanner.Offset;
        }
        _expected.Add(what);
    }

    private FilterSyntax? Fail(string rule, string what)
    {
        FailAt(_scanner.Offset, rule, what);
        return null;
    }

    private void FailAt(int offset, string rule, string what)
    {
        // One expression can go wrong in few ways at once; the bound is against one made for it.
        const int ErrorsMax = 10;
        var text = $"{PlaceText(offset)}: rule \"{rule}\": {what}";
        if (_errors.Count < ErrorsMax && !_errors.Contains(text))
        {
            _errors.Add(text);
        }
    }

    private string PlaceText(int offset)
    {
        var at = _scanner.PositionAt(offset);
        return $"{at.Line}:{at.Column} ({Encoding.UTF8.GetByteCount(_scanner.Text.AsSpan(0, offset))})";
    }

    private string ErrorText()
    {
        if (_errors.Count > 0)
        {
            return string.Join('\n', _errors);
        }
        var hasEnd = _expected.Remove("EOF");
        var list = _expected.Order(StringComparer.Ordinal).ToList();
        if (hasEnd)
        {
            list.Add("EOF");
        }
        var text = list.Count switch
        {
            0 => "",
            1 => list[0],
            _ => $"{string.Join(", ", list.Take(list.Count - 1))} or {list[^1]}",
        };
        return $"{PlaceText(_farthest)}: no match found, expected: {text}";
    }
}
