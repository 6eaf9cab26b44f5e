using System.Globalization;
using Languages;

namespace Praetor.Agent.Config;

/// <summary>Turns trees, flags and defaults into values by the rows of the table.</summary>
internal sealed class SettingReader
{
    private readonly DecodeContext _context = new(DecodeMode.File);
    private readonly List<SettingValue> _values = [];

    public IReadOnlyList<ConfigProblem> Problems => _context.Problems;

    public IReadOnlyList<SettingValue> Values => _values;

    /// <summary>The defaults of all rows.</summary>
    public static IEnumerable<SettingValue> Defaults()
    {
        var reader = new SettingReader();
        foreach (var row in Settings.ByKey.Values.Where(static row => row.Default is not null))
        {
            reader.ReadText(row, row.Default!, new Position("default", 0, 0));
        }
        return reader._values;
    }

    /// <summary>Reads a whole file.</summary>
    public void ReadTree(ConfigNode root) => ReadBranch(Settings.Tree, root, "");

    /// <summary>Reads the text of a flag or a default.</summary>
    public void ReadText(Setting row, string text, Position at)
    {
        var node = row.Kind switch
        {
            SettingKind.Flag when text is "true" or "false" => ConfigNode.OfBool(text == "true", at),
            SettingKind.Whole when GoNumber.TryParseLong(text, out var whole, out _) => ConfigNode.OfWhole(whole, at),
            SettingKind.Real when double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture,
                out var real) =>
                ConfigNode.OfNumber(real, at),
            SettingKind.Texts => ConfigNode.OfList([ConfigNode.OfString(text, at)], at),
            SettingKind.TextMap => PairOf(text, at),
            _ => ConfigNode.OfString(text, at),
        };
        Read(row, node, row.Key);
    }

    private static ConfigNode PairOf(string text, Position at)
    {
        var colon = text.IndexOf(':');
        var (name, value) = colon < 0 ? (text, "") : (text[..colon], text[(colon + 1)..]);
        return ConfigNode.OfObject([new ConfigMember(name, at, ConfigNode.OfString(value, at))], at);
    }

    private void ReadBranch(SettingTree branch, ConfigNode node, string path)
    {
        if (node.Kind == ConfigKind.Null || _context.Members(node, path) is not { } members)
        {
            return;
        }
        foreach (var member in members)
        {
            if (branch[member.Name] is not { } child)
            {
                _context.AddUnknown(member.At, path, member.Name, branch.Names);
                continue;
            }
            var inner = path.Length == 0 ? member.Name : $"{path}.{member.Name}";
            if (child.Row is { } row)
            {
                Read(row, member.Value, inner);
            }
            else
            {
                ReadBranch(child, member.Value, inner);
            }
        }
    }

    private void Read(Setting row, ConfigNode node, string path)
    {
        // JSON's null says "not set".
        if (node.Kind == ConfigKind.Null || ValueOf(row, node, path) is not { } value)
        {
            return;
        }
        if (row.Check?.Invoke(value) is { } problem)
        {
            _context.Add(node.At, row.Key, problem, row.Remedy);
            return;
        }
        _values.Add(new SettingValue(row, value, node.At));
    }

    private object? ValueOf(Setting row, ConfigNode node, string path) => row.Kind switch
    {
        SettingKind.Text => _context.Text(node, path),
        SettingKind.Flag => _context.Flag(node, path),
        SettingKind.Whole => _context.Whole(node, path),
        SettingKind.Real => _context.Real(node, path),
        SettingKind.Duration => _context.Duration(node, path),
        SettingKind.Texts => _context.Texts(node, path),
        SettingKind.TextMap => MapOf(node, path, _context.Text),
        SettingKind.DurationMap => MapOf(node, path, (inner, innerPath) => (object?)_context.Duration(inner,
            innerPath)) is { } map
            ? map.ToDictionary(static pair => pair.Key, static pair => (TimeSpan)pair.Value, StringComparer.Ordinal)
            : null,
        SettingKind.Blocks => BlocksOf(node, path),
        _ => _context.Members(node, path) is { } members ? ConfigNode.OfObject(members, node.At) : null,
    };

    private Dictionary<string, T>? MapOf<T>(ConfigNode node, string path, Func<ConfigNode, string, T?> read)
        where T : class
    {
        if (_context.Members(node, path) is not { } members)
        {
            return null;
        }
        var map = new Dictionary<string, T>(StringComparer.Ordinal);
        foreach (var member in members)
        {
            if (member.Value.Kind != ConfigKind.Null && read(member.Value, $"{path}.{member.Name}") is { } value)
            {
                map[member.Name] = value;
            }
        }
        return map;
    }

    private IReadOnlyList<ConfigNode>? BlocksOf(ConfigNode node, string path)
    {
        // "service" and "check" are one block; the plural names take several.
        var isSingle = path is "service" or "check";
        if (node.Kind == ConfigKind.Object)
        {
            return [node];
        }
        return isSingle
            ? _context.Members(node, path) is { } members ? [ConfigNode.OfObject(members, node.At)] : null
            : _context.Items(node, path, "slice");
    }
}
