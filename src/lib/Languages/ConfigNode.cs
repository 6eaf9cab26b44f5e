using System.Globalization;
using System.Text;

namespace Languages;

/// <summary>The kinds of value that configuration texts have.</summary>
public enum ConfigKind
{
    /// <summary>JSON's null; HCL has none.</summary>
    Null,

    /// <summary>true or false.</summary>
    Bool,

    /// <summary>A number; see <see cref="ConfigNode.Number"/>.</summary>
    Number,

    /// <summary>A text.</summary>
    String,

    /// <summary>An ordered list.</summary>
    List,

    /// <summary>Ordered, uniquely named members.</summary>
    Object,
}

/// <summary>One member of an object, with the place of its name.</summary>
public sealed record ConfigMember(string Name, Position At, ConfigNode Value);

/// <summary>
/// A value of a configuration text with its place. HCL and JSON give the same tree: a block is an object, a block
/// written several times is a list of objects.
/// </summary>
public sealed class ConfigNode
{
    private ConfigNode(ConfigKind kind, Position at)
    {
        Kind = kind;
        At = at;
    }

    /// <summary>What it is; says which of the other properties hold something.</summary>
    public ConfigKind Kind { get; }

    /// <summary>Where it stands.</summary>
    public Position At { get; }

    /// <summary>The text of a string; the number as it was written.</summary>
    public string Text { get; private init; } = "";

    /// <summary>The value of a bool.</summary>
    public bool Flag { get; private init; }

    /// <summary>The value of a number. Whole ones beyond 2^53 are exact in <see cref="Whole"/> only.</summary>
    public double Number { get; private init; }

    /// <summary>The number without its fraction, as Go converts; null when out of range of 64 bits.</summary>
    public long? Whole { get; private init; }

    /// <summary>The items of a list.</summary>
    public IReadOnlyList<ConfigNode> Items { get; private init; } = [];

    /// <summary>The members of an object, in the order of the text.</summary>
    public IReadOnlyList<ConfigMember> Members { get; private init; } = [];

    /// <summary>JSON's null.</summary>
    public static ConfigNode OfNull(Position at) => new(ConfigKind.Null, at);

    /// <summary>A bool.</summary>
    public static ConfigNode OfBool(bool value, Position at) => new(ConfigKind.Bool, at) { Flag = value };

    /// <summary>A text.</summary>
    public static ConfigNode OfString(string value, Position at) => new(ConfigKind.String, at) { Text = value };

    /// <summary>A whole number.</summary>
    public static ConfigNode OfWhole(long value, Position at) => new(ConfigKind.Number, at)
    {
        Text = value.ToString(CultureInfo.InvariantCulture),
        Number = value,
        Whole = value,
    };

    /// <summary>A number with a fraction or an exponent.</summary>
    public static ConfigNode OfNumber(double value, Position at) => new(ConfigKind.Number, at)
    {
        Text = value.ToString("R", CultureInfo.InvariantCulture),
        Number = value,
        Whole = Math.Abs(value) < long.MaxValue ? (long)value : null,
    };

    /// <summary>A list.</summary>
    public static ConfigNode OfList(IReadOnlyList<ConfigNode> items, Position at) =>
        new(ConfigKind.List, at) { Items = items };

    /// <summary>An object. Names must be unique.</summary>
    public static ConfigNode OfObject(IReadOnlyList<ConfigMember> members, Position at) =>
        new(ConfigKind.Object, at) { Members = members };

    /// <summary>The member of that name, compared exactly. Null: there is none.</summary>
    public ConfigNode? this[string name]
    {
        get
        {
            foreach (var member in Members)
            {
                if (string.Equals(member.Name, name, StringComparison.Ordinal))
                {
                    return member.Value;
                }
            }
            return null;
        }
    }

    /// <summary>The value as compact JSON, members in their order: equal values give equal text.</summary>
    public string ToJson() => AppendJson(new StringBuilder(), this).ToString();

    /// <inheritdoc/>
    public override string ToString() => ToJson();

    private static StringBuilder AppendJson(StringBuilder text, ConfigNode node) => node.Kind switch
    {
        ConfigKind.Null => text.Append("null"),
        ConfigKind.Bool => text.Append(node.Flag ? "true" : "false"),
        ConfigKind.Number => AppendNumber(text, node),
        ConfigKind.String => AppendString(text, node.Text),
        ConfigKind.List => AppendList(text, node.Items),
        _ => AppendObject(text, node.Members),
    };

    private static StringBuilder AppendNumber(StringBuilder text, ConfigNode node) =>
        node.Whole is { } whole && whole == node.Number ? text.Append(whole) : text.Append(node.Text);

    private static StringBuilder AppendList(StringBuilder text, IReadOnlyList<ConfigNode> items)
    {
        text.Append('[');
        for (var i = 0; i < items.Count; i++)
        {
            AppendJson(i == 0 ? text : text.Append(','), items[i]);
        }
        return text.Append(']');
    }

    private static StringBuilder AppendObject(StringBuilder text, IReadOnlyList<ConfigMember> members)
    {
        text.Append('{');
        for (var i = 0; i < members.Count; i++)
        {
            AppendString(i == 0 ? text : text.Append(','), members[i].Name).Append(':');
            AppendJson(text, members[i].Value);
        }
        return text.Append('}');
    }

    private static StringBuilder AppendString(StringBuilder text, string value)
    {
        text.Append('"');
        foreach (var c in value)
        {
            _ = c switch
            {
                '"' => text.Append("\\\""),
                '\\' => text.Append("\\\\"),
                '\n' => text.Append("\\n"),
                '\r' => text.Append("\\r"),
                '\t' => text.Append("\\t"),
                < ' ' => text.Append("\\u").Append(((int)c).ToString("x4", CultureInfo.InvariantCulture)),
                _ => text.Append(c),
            };
        }
        return text.Append('"');
    }
}
