using System.Globalization;

namespace Languages;

/// <summary>
/// HCL 1: objects of items, an item being one or more names, then <c>= value</c> or <c>{ … }</c>. Several names nest
/// (<c>service "web" { }</c> is <c>service { web { } }</c>); items of one name gather into a list.
/// </summary>
internal sealed class HclParser
{
    private const string ItemRemedy = "an item is written name = value or name { … }";

    private readonly TextScanner _scanner;
    private readonly HclLexer _lexer;
    private HclToken _token;
    private LanguageError? _error;

    public HclParser(TextScanner scanner)
    {
        _scanner = scanner;
        _lexer = new HclLexer(scanner);
        _token = _lexer.Read();
    }

    private sealed record Item(List<HclToken> Names, ConfigNode Value);

    public Parsed<ConfigNode> ParseFile()
    {
        var at = _scanner.PositionAt(0);
        var value = ParseItems(HclKind.Eof, 0) is { } items ? Build(items, at) : null;
        return _lexer.Error is { } lexical ? lexical : _error is { } error ? error : value!;
    }

    private void Advance() => _token = _lexer.Read();

    private List<Item>? ParseItems(HclKind end, int depth)
    {
        var items = new List<Item>();
        while (_token.Kind != end)
        {
            if (_token.Kind == HclKind.Eof)
            {
                Fail("object expected closing RBRACE got: EOF", "an object is not closed: write }");
                return null;
            }
            if (ParseItem(depth) is not { } item)
            {
                return null;
            }
            items.Add(item);
            if (_token.Kind == HclKind.Comma)
            {
                Advance();
            }
        }
        return items;
    }

    private Item? ParseItem(int depth)
    {
        var names = new List<HclToken>();
        while (_token.Kind is HclKind.Ident or HclKind.String or HclKind.Bool && names.Count <= ConfigParser.DepthMax)
        {
            names.Add(_token);
            Advance();
        }
        if (names.Count == 0)
        {
            Fail($"expected: IDENT | STRING | ASSIGN | LBRACE got: {HclLexer.NameOf(_token.Kind)}",
                ItemRemedy);
            return null;
        }
        var value = _token.Kind switch
        {
            HclKind.Assign when names.Count > 1 => Fail("nested object expected: LBRACE got: ASSIGN", ItemRemedy),
            HclKind.Assign => ParseAssigned(depth),
            HclKind.LeftBrace => ParseValue(depth + names.Count),
            _ => Fail($"key '{names[0].Text}' expected start of object ('{{') or assignment ('=')", ItemRemedy),
        };
        return value is null ? null : new Item(names, value);
    }

    private ConfigNode? ParseAssigned(int depth)
    {
        Advance();
        return ParseValue(depth + 1);
    }

    private ConfigNode? ParseValue(int depth)
    {
        if (depth > ConfigParser.DepthMax)
        {
            return Fail($"nested deeper than {ConfigParser.DepthMax} levels", "flatten it");
        }
        var at = _scanner.PositionAt(_token.Offset);
        switch (_token.Kind)
        {
            case HclKind.LeftBrace:
                return ParseObject(depth, at);
            case HclKind.LeftBracket:
                return ParseList(depth, at);
            case HclKind.String or HclKind.Heredoc:
                return Take(ConfigNode.OfString(_token.Text, at));
            case HclKind.Bool:
                return Take(ConfigNode.OfBool(_token.Text == "true", at));
            case HclKind.Number or HclKind.Float:
                return ParseNumber(at);
            default:
                return Fail($"Unknown token: {HclLexer.NameOf(_token.Kind)} {_token.Text}".TrimEnd(),
                    "a value is a \"string\", a number, true, false, [list] or {object}; strings need double quotes");
        }
    }

    private ConfigNode Take(ConfigNode node)
    {
        Advance();
        return node;
    }

    private ConfigNode? ParseObject(int depth, Position at)
    {
        Advance();
        if (ParseItems(HclKind.RightBrace, depth) is not { } items)
        {
            return null;
        }
        Advance();
        return Build(items, at);
    }

    private ConfigNode? ParseList(int depth, Position at)
    {
        Advance();
        var items = new List<ConfigNode>();
        var needsComma = false;
        while (_token.Kind != HclKind.RightBracket)
        {
            if (_token.Kind == HclKind.Comma)
            {
                needsComma = false;
                Advance();
                continue;
            }
            if (needsComma)
            {
                return Fail($"error parsing list, expected comma or list end, got: {HclLexer.NameOf(_token.Kind)}",
                    "separate items by commas, close the list by ]");
            }
            if (ParseValue(depth + 1) is not { } item)
            {
                return null;
            }
            items.Add(item);
            needsComma = true;
        }
        Advance();
        return ConfigNode.OfList(items, at);
    }

    private ConfigNode? ParseNumber(Position at)
    {
        var text = _token.Text;
        if (_token.Kind == HclKind.Float)
        {
            var isNumber = double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var value);
            return isNumber && double.IsFinite(value)
                ? Take(ConfigNode.OfNumber(value, at))
                : Fail($"number {text} out of range", "use a smaller one");
        }
        return GoNumber.TryParseLong(text, out var whole, out var problem)
            ? Take(ConfigNode.OfWhole(whole, at))
            : Fail($"strconv.ParseInt: parsing \"{text}\": {problem}",
                "a number with a leading 0 is octal, with 0x hexadecimal");
    }

    private ConfigNode? Build(List<Item> items, Position at)
    {
        var members = new List<ConfigMember>();
        var places = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var item in items)
        {
            var name = item.Names[0].Text;
            var value = item.Names.Count > 1 ? Nest(item) : item.Value;
            var hasOld = places.TryGetValue(name, out var place);
            var joined = hasOld ? Join(members[place].Value, value) : value;
            if (joined is null)
            {
                return null;
            }
            var member = new ConfigMember(name, hasOld ? members[place].At : PositionOf(item), joined);
            if (hasOld)
            {
                members[place] = member;
            }
            else
            {
                places[name] = members.Count;
                members.Add(member);
            }
        }
        return ConfigNode.OfObject(members, at);
    }

    private Position PositionOf(Item item) => _scanner.PositionAt(item.Names[0].Offset);

    private ConfigNode Nest(Item item)
    {
        var value = item.Value;
        for (var i = item.Names.Count - 1; i > 0; i--)
        {
            var at = _scanner.PositionAt(item.Names[i].Offset);
            value = ConfigNode.OfObject([new ConfigMember(item.Names[i].Text, at, value)], at);
        }
        return value;
    }

    private ConfigNode? Join(ConfigNode old, ConfigNode added) => (old.Kind, added.Kind) switch
    {
        (ConfigKind.List, ConfigKind.List) => Grow(old, added.Items),
        (ConfigKind.List, ConfigKind.Object) => Grow(old, [added]),
        (ConfigKind.Object, ConfigKind.Object) => ConfigNode.OfList(new List<ConfigNode> { old, added }, old.At),
        (ConfigKind.Object, ConfigKind.List) => Grow(ConfigNode.OfList(new List<ConfigNode> { old }, old.At),
            added.Items),
        (ConfigKind.List or ConfigKind.Object, _) or (_, ConfigKind.List or ConfigKind.Object) =>
            FailAt(added.At, $"the same name was a {Name(old)} before and is a {Name(added)} here",
                "give it one kind of value"),
        _ => added,
    };

    /// <summary>Adds to a list that this parser made, so that a thousand blocks of one name cost a thousand
    /// steps.</summary>
    private static ConfigNode Grow(ConfigNode list, IReadOnlyList<ConfigNode> added)
    {
        var items = (List<ConfigNode>)list.Items;
        items.AddRange(added);
        return list;
    }

    private static string Name(ConfigNode node) => node.Kind.ToString().ToLowerInvariant();

    private ConfigNode? Fail(string what, string remedy) => FailAt(_scanner.PositionAt(_token.Offset), what, remedy);

    private ConfigNode? FailAt(Position at, string what, string remedy)
    {
        _error ??= new LanguageError(at, what, remedy);
        return null;
    }
}
