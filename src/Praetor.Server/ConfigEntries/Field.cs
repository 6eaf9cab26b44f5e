namespace Praetor.Server.ConfigEntries;

/// <summary>What a member of an entry may hold.</summary>
internal enum FieldType
{
    Text,
    Boolean,
    Integer,
    Float,

    /// <summary>Kept as Go duration text.</summary>
    Duration,

    /// <summary>Free keys, text values.</summary>
    TextMap,

    /// <summary>Anything; kept as it is, keys and numbers too, but for the order of keys.</summary>
    Free,

    TextList,
    Object,
    ObjectList,

    /// <summary>Known and taken, but not kept: the server fills it.</summary>
    Ignored,
}

/// <summary>One member: its name, its type, and when it is written.</summary>
/// <param name="Name">The canonical name; clients may write it in any case, and with underscores.</param>
/// <param name="Type">What it may hold.</param>
/// <param name="Members">The members of an object, or of each object of a list.</param>
internal sealed record Field(string Name, FieldType Type, IReadOnlyList<Field>? Members = null)
{
    /// <summary>Written also when nothing was set, as Consul 1.8.7 does: <c>""</c>, <c>{}</c>, <c>null</c>.</summary>
    public bool IsAlwaysWritten { get; init; }

    /// <summary>Kept when it is zero or false, as that differs from not being set.</summary>
    public bool IsNullable { get; init; }

    /// <summary>The name without case, for matching.</summary>
    public string Plain { get; } = Name.ToLowerInvariant();
}

/// <summary>Short forms, so that a kind's members read as a table.</summary>
internal static class Fields
{
    public static Field Text(string name) => new(name, FieldType.Text);

    public static Field Boolean(string name) => new(name, FieldType.Boolean);

    public static Field Integer(string name) => new(name, FieldType.Integer);

    public static Field Float(string name) => new(name, FieldType.Float);

    public static Field Duration(string name) => new(name, FieldType.Duration);

    public static Field TextMap(string name) => new(name, FieldType.TextMap);

    public static Field Free(string name) => new(name, FieldType.Free);

    public static Field TextList(string name) => new(name, FieldType.TextList);

    public static Field Object(string name, params IReadOnlyList<Field> members) =>
        new(name, FieldType.Object, members);

    public static Field List(string name, params IReadOnlyList<Field> members) =>
        new(name, FieldType.ObjectList, members);

    public static Field Ignored(string name) => new(name, FieldType.Ignored);

    public static Field Always(this Field field) => field with { IsAlwaysWritten = true };

    public static Field Nullable(this Field field) => field with { IsNullable = true };
}
