using System.Globalization;
using System.Text;

namespace Languages;

internal enum HclKind
{
    Eof,
    Ident,
    String,
    Number,
    Float,
    Bool,
    Heredoc,
    Assign,
    LeftBrace,
    RightBrace,
    LeftBracket,
    RightBracket,
    Comma,
    Illegal,
}

/// <summary>A token: its kind, its text after escapes were resolved, and where it begins.</summary>
internal readonly record struct HclToken(HclKind Kind, string Text, int Offset);

/// <summary>Cuts HCL 1 into tokens; comments disappear here. The first error stays and every later token is
/// Eof.</summary>
internal sealed class HclLexer(TextScanner scanner)
{
    public LanguageError? Error { get; private set; }

    public HclToken Read()
    {
        SkipSpaceAndComments();
        var start = scanner.Offset;
        if (Error is not null || scanner.AtEnd)
        {
            return new HclToken(HclKind.Eof, "", start);
        }
        var c = scanner.Current;
        if (IsLetter(c))
        {
            var text = scanner.TakeWhile(static c => IsLetter(c) || char.IsDigit(c) || c is '-' or '.').ToString();
            return new HclToken(text is "true" or "false" ? HclKind.Bool : HclKind.Ident, text, start);
        }
        if (char.IsAsciiDigit(c) || (c is '-' or '.' && char.IsAsciiDigit(scanner.Next)))
        {
            return ReadNumber(start);
        }
        return c switch
        {
            '"' => ReadString(start),
            '<' => ReadHeredoc(start),
            _ => ReadSign(c, start),
        };
    }

    public static string NameOf(HclKind kind) => kind switch
    {
        HclKind.Eof => "EOF",
        HclKind.Assign => "ASSIGN",
        HclKind.LeftBrace => "LBRACE",
        HclKind.RightBrace => "RBRACE",
        HclKind.LeftBracket => "LBRACK",
        HclKind.RightBracket => "RBRACK",
        _ => kind.ToString().ToUpperInvariant(),
    };

    private static bool IsLetter(char c) => char.IsAsciiLetter(c) || c == '_' || (c >= 0x80 && char.IsLetter(c));

    private HclToken ReadSign(char c, int start)
    {
        scanner.Offset++;
        var kind = c switch
        {
            '=' => HclKind.Assign,
            '{' => HclKind.LeftBrace,
            '}' => HclKind.RightBrace,
            '[' => HclKind.LeftBracket,
            ']' => HclKind.RightBracket,
            ',' => HclKind.Comma,
            _ => HclKind.Illegal,
        };
        if (kind == HclKind.Illegal)
        {
            scanner.Offset = start;
            return Fail($"illegal character '{c}'", "strings stand in double quotes, comments begin with # or //");
        }
        return new HclToken(kind, c.ToString(), start);
    }

    private void SkipSpaceAndComments()
    {
        while (Error is null)
        {
            scanner.TakeWhile(static c => c is ' ' or '\t' or '\r' or '\n' or '\ufeff');
            if (scanner.Current == '#' || (scanner.Current == '/' && scanner.Next == '/'))
            {
                scanner.TakeLine();
            }
            else if (scanner.Current == '/' && scanner.Next == '*')
            {
                SkipBlockComment();
            }
            else
            {
                return;
            }
        }
    }

    private void SkipBlockComment()
    {
        var end = scanner.Text.IndexOf("*/", scanner.Offset + 2, StringComparison.Ordinal);
        if (end < 0)
        {
            Fail("comment not terminated", "close it by */");
            return;
        }
        scanner.Offset = end + 2;
    }

    private HclToken ReadNumber(int start)
    {
        scanner.TryTake('-');
        if (scanner.Current == '0' && scanner.Next is 'x' or 'X')
        {
            scanner.Offset += 2;
            return scanner.TakeWhile(char.IsAsciiHexDigit).IsEmpty
                ? Fail("illegal hexadecimal number", "write hexadecimal digits after 0x")
                : Finish(HclKind.Number, start);
        }
        scanner.TakeWhile(char.IsAsciiDigit);
        var kind = HclKind.Number;
        if (scanner.TryTake('.'))
        {
            kind = HclKind.Float;
            scanner.TakeWhile(char.IsAsciiDigit);
        }
        if (scanner.TryTake('e') || scanner.TryTake('E'))
        {
            kind = HclKind.Float;
            _ = scanner.TryTake('+') || scanner.TryTake('-');
            if (scanner.TakeWhile(char.IsAsciiDigit).IsEmpty)
            {
                return Fail("illegal exponent", "write digits after the e");
            }
        }
        return Finish(kind, start);
    }

    private HclToken Finish(HclKind kind, int start) => new(kind, scanner.Text[start..scanner.Offset], start);

    private HclToken ReadString(int start)
    {
        scanner.Offset++;
        var text = new StringBuilder();
        // Inside ${ } quotes and line ends are part of the text: HCL leaves interpolation to whoever reads the value.
        var braces = 0;
        while (true)
        {
            if (scanner.AtEnd || (braces == 0 && scanner.Current == '\n'))
            {
                return Fail("literal not terminated", "close the string by a double quote on the same line");
            }
            var c = scanner.Current;
            if (braces == 0 && c == '"')
            {
                scanner.Offset++;
                return new HclToken(HclKind.String, text.ToString(), start);
            }
            braces = NextBraces(braces, c, scanner.Next);
            if (braces == 0 && c == '\\')
            {
                if (!TakeEscape(text))
                {
                    return new HclToken(HclKind.Eof, "", start);
                }
                continue;
            }
            text.Append(c);
            scanner.Offset++;
            if (c == '$' && scanner.Current == '{' && braces == 1)
            {
                text.Append('{');
                scanner.Offset++;
            }
        }
    }

    private static int NextBraces(int braces, char c, char next) => c switch
    {
        '$' when braces == 0 && next == '{' => 1,
        '{' when braces > 0 => braces + 1,
        '}' when braces > 0 => braces - 1,
        _ => braces,
    };

    private bool TakeEscape(StringBuilder text)
    {
        var c = scanner.Next;
        var simple = "abfnrtv\\\"".IndexOf(c);
        if (simple >= 0 && c != TextScanner.End)
        {
            text.Append("\a\b\f\n\r\t\v\\\""[simple]);
            scanner.Offset += 2;
            return true;
        }
        var (length, numberBase, skip) = c switch
        {
            'x' => (2, 16, 2),
            'u' => (4, 16, 2),
            'U' => (8, 16, 2),
            >= '0' and <= '7' => (3, 8, 1),
            _ => (0, 0, 0),
        };
        if (length == 0 || !TryReadCode(length, numberBase, skip, out var code))
        {
            scanner.Offset++;
            Fail("illegal char escape",
                "escapes are \\\\ \\\" \\a \\b \\f \\n \\r \\t \\v \\NNN \\xHH \\uHHHH \\UHHHHHHHH");
            return false;
        }
        text.Append(Rune.IsValid(code) ? new Rune((int)code).ToString() : "\ufffd");
        scanner.Offset += skip + length;
        return true;
    }

    private bool TryReadCode(int length, int numberBase, int skip, out uint code)
    {
        code = 0;
        var start = scanner.Offset + skip;
        if (start + length > scanner.Text.Length)
        {
            return false;
        }
        foreach (var digit in scanner.Text.AsSpan(start, length))
        {
            if (!char.IsAsciiHexDigit(digit) || (numberBase == 8 && digit > '7'))
            {
                return false;
            }
            code = (code * (uint)numberBase) + uint.Parse([digit], NumberStyles.AllowHexSpecifier, null);
        }
        return true;
    }

    private HclToken ReadHeredoc(int start)
    {
        const string Remedy = "write <<END, then the lines, then END alone on a line of its own";
        if (!scanner.TryTake("<<"))
        {
            return Fail("heredoc expected second '<', didn't see it", Remedy);
        }
        var indented = scanner.TryTake('-');
        var mark = scanner.TakeWhile(static c => IsLetter(c) || char.IsDigit(c)).ToString();
        scanner.TryTake('\r');
        if (mark.Length == 0 || scanner.Current != '\n')
        {
            return Fail("invalid characters in heredoc anchor", Remedy);
        }
        scanner.Offset++;
        var body = scanner.Offset;
        while (true)
        {
            var lineStart = scanner.Offset;
            var line = scanner.TakeLine();
            if (scanner.AtEnd)
            {
                return Fail("heredoc not terminated", Remedy);
            }
            scanner.Offset++;
            if (line.TrimEnd('\r').TrimStart(" \t\f\v\r").SequenceEqual(mark))
            {
                var margin = line[..line.IndexOf(mark)].ToString();
                var text = scanner.Text[body..lineStart];
                return new HclToken(HclKind.Heredoc, indented ? Unindent(text, margin) : text, start);
            }
        }
    }

    /// <summary>Takes the closing mark's indentation from every line, if every line has it.</summary>
    private static string Unindent(string text, string margin)
    {
        var lines = text.Split('\n');
        var all = lines[..^1].All(line => line.StartsWith(margin, StringComparison.Ordinal));
        return all ? string.Join('\n', lines.Select(line => line.Length == 0 ? line : line[margin.Length..])) : text;
    }

    private HclToken Fail(string what, string remedy)
    {
        Error ??= new LanguageError(scanner.Here, what, remedy);
        return new HclToken(HclKind.Eof, "", scanner.Offset);
    }
}
