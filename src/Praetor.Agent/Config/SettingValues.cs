using System.Collections.Frozen;
using Languages;

namespace Praetor.Agent.Config;

/// <summary>One value of one key from one source.</summary>
/// <param name="Row">The key's row.</param>
/// <param name="Value">The value: what type it has follows from the row's kind.</param>
/// <param name="At">Where it was written.</param>
internal sealed record SettingValue(Setting Row, object Value, Position At);

/// <summary>
/// What all sources together say, by key. Sources are merged as Consul merges them: of single values the last wins,
/// lists grow, maps take the last value of each name.
/// </summary>
public sealed class SettingValues
{
    private readonly FrozenDictionary<string, SettingValue> _values;

    private SettingValues(Dictionary<string, SettingValue> values) => _values =
        values.ToFrozenDictionary(StringComparer.Ordinal);

    /// <summary>Whether any source, the defaults among them, gives the key a value.</summary>
    public bool Has(string key) => Find(key) is not null;

    /// <summary>A text; empty when nobody gives one.</summary>
    public string Text(string key) => Find(key)?.Value as string ?? "";

    /// <summary>A bool; false when nobody gives one.</summary>
    public bool Flag(string key) => Find(key)?.Value is true;

    /// <summary>A whole number; 0 when nobody gives one.</summary>
    public long Whole(string key) => Find(key)?.Value is long value ? value : 0;

    /// <summary>A whole number that fits an int; beyond it is the nearest.</summary>
    public int Count(string key) => (int)Math.Clamp(Whole(key), int.MinValue, int.MaxValue);

    /// <summary>A number; 0 when nobody gives one.</summary>
    public double Real(string key) => Find(key)?.Value is double value ? value : 0;

    /// <summary>A duration; zero when nobody gives one.</summary>
    public TimeSpan Duration(string key) => Find(key)?.Value is TimeSpan value ? value : TimeSpan.Zero;

    /// <summary>A list of texts; empty when nobody gives one.</summary>
    public IReadOnlyList<string> Texts(string key) => Find(key)?.Value as IReadOnlyList<string> ?? [];

    /// <summary>Names with texts; empty when nobody gives them.</summary>
    public IReadOnlyDictionary<string, string> TextMap(string key) =>
        Find(key)?.Value as IReadOnlyDictionary<string, string> ?? Empty.Map<string>();

    /// <summary>Names with durations; empty when nobody gives them.</summary>
    public IReadOnlyDictionary<string, TimeSpan> DurationMap(string key) =>
        Find(key)?.Value as IReadOnlyDictionary<string, TimeSpan> ?? Empty.Map<TimeSpan>();

    /// <summary>Blocks as written; empty when nobody gives them.</summary>
    public IReadOnlyList<ConfigNode> Blocks(string key) => Find(key)?.Value as IReadOnlyList<ConfigNode> ?? [];

    /// <summary>A free block as written. Null: nobody gives one.</summary>
    public ConfigNode? Free(string key) => Find(key)?.Value as ConfigNode;

    /// <summary>Where the value was written; of a list, its last part.</summary>
    public Position At(string key) => Find(key)?.At ?? default;

    /// <summary>The value as text, for comparing and showing. A secret shows as "hidden".</summary>
    public string Show(string key) => Find(key) is not { } value ? "" : value.Row.IsSecret ? "hidden"
        : Written(value.Value);

    internal static SettingValues Merge(IEnumerable<SettingValue> values)
    {
        var merged = new Dictionary<string, SettingValue>(StringComparer.Ordinal);
        foreach (var value in values)
        {
            merged[value.Row.Key] = merged.TryGetValue(value.Row.Key, out var old)
                ? value with { Value = Join(value.Row.Kind, old.Value, value.Value) }
                : value;
        }
        return new SettingValues(merged);
    }

    /// <summary>Whether two configurations give the key the same value.</summary>
    internal static bool AreSame(SettingValues a, SettingValues b, string key) =>
        string.Equals(Written(a.Find(key)?.Value), Written(b.Find(key)?.Value), StringComparison.Ordinal);

    private SettingValue? Find(string key) => _values.TryGetValue(key, out var value)
        ? value
        : Settings.ByKey.ContainsKey(key) ? null : throw new KeyNotFoundException($"no setting is called {key}");

    private static object Join(SettingKind kind, object old, object added) => kind switch
    {
        SettingKind.Texts => new List<string>([.. (IReadOnlyList<string>)old, .. (IReadOnlyList<string>)added]),
        SettingKind.Blocks =>
            new List<ConfigNode>([.. (IReadOnlyList<ConfigNode>)old, .. (IReadOnlyList<ConfigNode>)added]),
        SettingKind.TextMap => JoinMaps<string>(old, added),
        SettingKind.DurationMap => JoinMaps<TimeSpan>(old, added),
        SettingKind.Free => JoinFree((ConfigNode)old, (ConfigNode)added),
        _ => added,
    };

    private static Dictionary<string, T> JoinMaps<T>(object old, object added)
    {
        var joined = new Dictionary<string, T>((IReadOnlyDictionary<string, T>)old, StringComparer.Ordinal);
        foreach (var (name, value) in (IReadOnlyDictionary<string, T>)added)
        {
            joined[name] = value;
        }
        return joined;
    }

    private static ConfigNode JoinFree(ConfigNode old, ConfigNode added)
    {
        var kept = old.Members.Where(member => added[member.Name] is null);
        return ConfigNode.OfObject([.. kept, .. added.Members], added.At);
    }

    private static string Written(object? value) => value switch
    {
        null => "",
        bool flag => flag ? "true" : "false",
        TimeSpan duration => GoDuration.Format(duration),
        IReadOnlyList<string> texts => string.Join(", ", texts),
        IReadOnlyList<ConfigNode> blocks => string.Join(", ", blocks.Select(static block => block.ToJson())),
        ConfigNode node => node.ToJson(),
        IReadOnlyDictionary<string, string> map => Pairs(map.Select(static pair => $"{pair.Key}={pair.Value}")),
        IReadOnlyDictionary<string, TimeSpan> map =>
            Pairs(map.Select(static pair => $"{pair.Key}={GoDuration.Format(pair.Value)}")),
        IFormattable number => number.ToString(null, System.Globalization.CultureInfo.InvariantCulture),
        _ => value.ToString() ?? "",
    };

    private static string Pairs(IEnumerable<string> pairs) => string.Join(", ", pairs.Order(StringComparer.Ordinal));
}
