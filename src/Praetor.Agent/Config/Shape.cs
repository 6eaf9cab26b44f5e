using Languages;

namespace Praetor.Agent.Config;

/// <summary>
/// How a record is read from a tree: one row per field with its name and how the value is put into the record. Files
/// and request bodies are read by the same rows. A name matches whatever its case and underscores, so that
/// <c>enable_tag_override</c>, <c>EnableTagOverride</c> and <c>enabletagoverride</c> are one field.
/// </summary>
internal sealed class Shape<T>(Func<Position, T> create)
    where T : class
{
    private readonly Dictionary<string, Row> _rows = new(StringComparer.OrdinalIgnoreCase);
    private readonly List<string> _names = [];
    private Func<T, DecodeContext, string, T>? _finish;

    private sealed record Row(string Name, Func<T, ConfigNode, DecodeContext, string, T> Read);

    /// <summary>The fields' names in snake case.</summary>
    public IReadOnlyList<string> Names => _names;

    public Shape<T> Text(string name, Func<T, string, T> set) =>
        Add(name, (owner, node, context, path) => context.Text(node, path) is { } value ? set(owner, value) : owner);

    public Shape<T> Flag(string name, Func<T, bool, T> set) =>
        Add(name, (owner, node, context, path) => context.Flag(node, path) is { } value ? set(owner, value) : owner);

    public Shape<T> Whole(string name, Func<T, int, T> set) => Add(name, (owner, node, context, path) =>
        context.Whole(node, path) is { } value ? set(owner, (int)Math.Clamp(value, int.MinValue, int.MaxValue))
            : owner);

    public Shape<T> Duration(string name, Func<T, TimeSpan, T> set) =>
        Add(name, (owner, node, context, path) => context.Duration(node, path) is { } value ? set(owner, value)
            : owner);

    public Shape<T> Texts(string name, Func<T, IReadOnlyList<string>, T> set) =>
        Add(name, (owner, node, context, path) => context.Texts(node, path) is { } value ? set(owner, value) : owner);

    public Shape<T> TextMap(string name, Func<T, IReadOnlyDictionary<string, string>, T> set) =>
        Map(name, static (node, context, path) => context.Text(node, path), set);

    public Shape<T> TextsMap(string name, Func<T, IReadOnlyDictionary<string, IReadOnlyList<string>>, T> set) =>
        Map(name, static (node, context, path) => context.Texts(node, path), set);

    /// <summary>A value that is kept as it was written.</summary>
    public Shape<T> Opaque(string name, Func<T, ConfigNode, T> set) => Add(name, (owner, node, context, path) =>
        context.Members(node, path) is { } members ? set(owner, ConfigNode.OfObject(members, node.At)) : owner);

    /// <summary>A list whose items are kept as they were written.</summary>
    public Shape<T> OpaqueList(string name, Func<T, IReadOnlyList<ConfigNode>, T> set) => Add(
        name,
        (owner, node, context, path) => node.Kind == ConfigKind.Object && context.Mode == DecodeMode.File
            ? set(owner, [node])
            : context.Items(node, path, "[]struct") is { } items ? set(owner, items) : owner);

    public Shape<T> Object<TInner>(string name, Func<Shape<TInner>> shape, Func<T, TInner, T> set)
        where TInner : class => Add(name, (owner, node, context, path) =>
            shape().Decode(node, context, path) is { } value ? set(owner, value) : owner);

    public Shape<T> Objects<TInner>(
        string name, Func<Shape<TInner>> shape, string goType, Func<T, IReadOnlyList<TInner>, T> set)
        where TInner : class => Add(name, (owner, node, context, path) => set(owner, shape().DecodeAll(node, context,
            path, goType)));

    public Shape<T> ObjectMap<TInner>(
        string name, Func<Shape<TInner>> shape, Func<T, IReadOnlyDictionary<string, TInner>, T> set)
        where TInner : class => Map(name, (node, context, path) => shape().Decode(node, context, path), set);

    /// <summary>Another name for a field.</summary>
    public Shape<T> Alias(string alias, string name)
    {
        _rows.Add(Plain(alias), _rows[Plain(name)]);
        return this;
    }

    /// <summary>A last step after all rows.</summary>
    public Shape<T> Then(Func<T, DecodeContext, string, T> finish)
    {
        _finish = finish;
        return this;
    }

    /// <summary>Reads one record. Null: the node is no object, or JSON's null.</summary>
    public T? Decode(ConfigNode node, DecodeContext context, string path)
    {
        if (node.Kind == ConfigKind.Null || context.Members(node, path) is not { } members)
        {
            return null;
        }
        var owner = create(node.At);
        foreach (var member in members)
        {
            if (!_rows.TryGetValue(Plain(member.Name), out var row))
            {
                context.AddUnknown(member.At, path, member.Name, _names);
            }
            else if (member.Value.Kind != ConfigKind.Null)
            {
                owner = row.Read(owner, member.Value, context, path.Length == 0 ? member.Name
                    : $"{path}.{member.Name}");
            }
        }
        return _finish is null ? owner : _finish(owner, context, path);
    }

    /// <summary>Reads a list of records; in a file a single object stands for a list of one.</summary>
    public IReadOnlyList<T> DecodeAll(ConfigNode node, DecodeContext context, string path, string goType)
    {
        var isSingle = node.Kind == ConfigKind.Object && context.Mode == DecodeMode.File;
        var items = isSingle ? [node] : context.Items(node, path, goType) ?? [];
        var list = new List<T>(items.Count);
        for (var i = 0; i < items.Count; i++)
        {
            if (Decode(items[i], context, $"{path}[{i}]") is { } item)
            {
                list.Add(item);
            }
        }
        return list;
    }

    private static string Plain(string name) => name.Replace("_", "", StringComparison.Ordinal);

    private Shape<T> Map<TValue>(
        string name,
        Func<ConfigNode, DecodeContext, string, TValue?> read,
        Func<T, IReadOnlyDictionary<string, TValue>, T> set)
        where TValue : class => Add(name, (owner, node, context, path) =>
        {
            var map = new Dictionary<string, TValue>(StringComparer.Ordinal);
            foreach (var member in context.Members(node, path) ?? [])
            {
                if (member.Value.Kind != ConfigKind.Null
                    && read(member.Value, context, $"{path}[{member.Name}]") is { } value)
                {
                    map[member.Name] = value;
                }
            }
            return set(owner, map);
        });

    private Shape<T> Add(string name, Func<T, ConfigNode, DecodeContext, string, T> read)
    {
        _rows.Add(Plain(name), new Row(name, read));
        _names.Add(name);
        return this;
    }
}
