using System.Globalization;
using System.Text.RegularExpressions;

namespace Languages.Filters;

/// <summary>
/// The fields of a type that filter expressions may name, each with the function that reads it. Made once per type and
/// kept; expressions are bound to it, so matching an item runs plain delegates: no reflection, no boxing.
/// </summary>
/// <example>
/// <code>
/// public static readonly FilterFields&lt;ServiceNode&gt; Fields = new FilterFields&lt;ServiceNode&gt;()
///     .Text("ServiceName", s => s.Name)
///     .Whole("ServicePort", s => s.Port)
///     .Texts("ServiceTags", s => s.Tags)
///     .TextMap("ServiceMeta", s => s.Meta)
///     .Object("ServiceWeights", s => s.Weights, WeightFields);
/// </code>
/// </example>
public sealed class FilterFields<T>
{
    private readonly Dictionary<string, FilterField<T>> _fields = new(StringComparer.Ordinal);

    /// <summary>A text. Null reads as empty.</summary>
    public FilterFields<T> Text(string name, Func<T, string?> read) =>
        Add(name, new ScalarField<T, string>(item => read(item) ?? "", Scalars.Text));

    /// <summary>A signed whole number.</summary>
    public FilterFields<T> Whole(string name, Func<T, long> read) =>
        Add(name, new ScalarField<T, long>(read, Scalars.Whole));

    /// <summary>An unsigned whole number.</summary>
    public FilterFields<T> Unsigned(string name, Func<T, ulong> read) =>
        Add(name, new ScalarField<T, ulong>(read, Scalars.Unsigned));

    /// <summary>A number with a fraction.</summary>
    public FilterFields<T> Real(string name, Func<T, double> read) =>
        Add(name, new ScalarField<T, double>(read, Scalars.Real));

    /// <summary>A bool.</summary>
    public FilterFields<T> Flag(string name, Func<T, bool> read) =>
        Add(name, new ScalarField<T, bool>(read, Scalars.Flag));

    /// <summary>A list of texts. Null reads as empty.</summary>
    public FilterFields<T> Texts(string name, Func<T, IReadOnlyList<string>?> read) =>
        Add(name, new TextsField<T>(read));

    /// <summary>A map of texts. Null reads as empty.</summary>
    public FilterFields<T> TextMap(string name, Func<T, IReadOnlyDictionary<string, string>?> read) =>
        Add(name, new MapField<T, string>(read, new ScalarField<string, string>(static text => text, Scalars.Text)));

    /// <summary>A nested object. Null matches nothing.</summary>
    public FilterFields<T> Object<TInner>(string name, Func<T, TInner?> read, FilterFields<TInner> fields)
        where TInner : class => Add(name, new ObjectField<T, TInner>(read, fields));

    /// <summary>A list of nested objects: a comparison holds when it holds for any of them.</summary>
    public FilterFields<T> Objects<TInner>(
        string name, Func<T, IReadOnlyList<TInner>?> read, FilterFields<TInner> fields)
        where TInner : class => Add(name, new ObjectsField<T, TInner>(read, fields));

    /// <summary>A map of nested objects.</summary>
    public FilterFields<T> ObjectMap<TInner>(
        string name, Func<T, IReadOnlyDictionary<string, TInner>?> read, FilterFields<TInner> fields)
        where TInner : class =>
        Add(name, new MapField<T, TInner>(read, new ObjectField<TInner, TInner>(static inner => inner, fields)));

    /// <summary>The names, for tests and reference pages.</summary>
    public IEnumerable<string> Names => _fields.Keys;

    internal Predicate<T> Bind(FilterSyntax.Match match, int at)
    {
        if (at >= match.Selector.Length)
        {
            throw FilterField.BadOperator(match);
        }
        return _fields.TryGetValue(match.Selector[at], out var field)
            ? field.Bind(match, at + 1)
            : throw FilterField.BadSelector(match, at);
    }

    private FilterFields<T> Add(string name, FilterField<T> field)
    {
        _fields.Add(name, field);
        return this;
    }
}

/// <summary>An expression names a field that is not there or asks what its kind cannot answer.</summary>
internal sealed class FilterBindException(string message) : Exception(message);

internal static class FilterField
{
    public static FilterBindException BadOperator(FilterSyntax.Match match) => new(
        $"Invalid match operator \"{match.OperatorName}\" for "
        + $"selector \"{match.SelectorText(match.Selector.Length)}\"");

    public static FilterBindException BadSelector(FilterSyntax.Match match, int at) => new(
        $"Selector \"{match.SelectorText(at + 1)}\" is not valid");

    public static FilterBindException BadValue(FilterSyntax.Match match, string problem) => new(
        $"Failed to coerce value \"{match.Value}\" for "
        + $"selector \"{match.SelectorText(match.Selector.Length)}\": {problem}");

    /// <summary>What a comparison with something absent says: it equals nothing, it is in nothing.</summary>
    public static bool WhenAbsent(FilterOperator asked) =>
        asked is not (FilterOperator.Equal or FilterOperator.IsNotEmpty or FilterOperator.In);

    public static Regex Regex(FilterSyntax.Match match) => GoRegex.TryCreate(match.Value, out var regex,
        out var problem)
        ? regex!
        : throw new FilterBindException($"Failed to compile regular expression \"{match.Value}\": {problem}");
}

/// <summary>One field: binds the rest of a selector and a comparison to a test of the owner.</summary>
internal abstract class FilterField<T>
{
    public abstract Predicate<T> Bind(FilterSyntax.Match match, int at);
}

/// <summary>Tests of single values.</summary>
internal static class Scalars
{
    public static Predicate<string> Text(FilterSyntax.Match match)
    {
        var value = match.Value;
        switch (match.Operator)
        {
            case FilterOperator.Equal:
                return text => string.Equals(text, value, StringComparison.Ordinal);
            case FilterOperator.NotEqual:
                return text => !string.Equals(text, value, StringComparison.Ordinal);
            case FilterOperator.In:
                return text => text.Contains(value, StringComparison.Ordinal);
            case FilterOperator.NotIn:
                return text => !text.Contains(value, StringComparison.Ordinal);
            case FilterOperator.Matches:
                var wanted = FilterField.Regex(match);
                return text => IsMatch(wanted, text);
            case FilterOperator.NotMatches:
                var unwanted = FilterField.Regex(match);
                return text => !IsMatch(unwanted, text);
            default:
                throw FilterField.BadOperator(match);
        }
    }

    public static Predicate<long> Whole(FilterSyntax.Match match) =>
        GoNumber.TryParseLong(match.Value, out var wanted, out var problem)
            ? Same(match, wanted)
            : throw NotANumber(match, "ParseInt", problem);

    public static Predicate<ulong> Unsigned(FilterSyntax.Match match) =>
        GoNumber.TryParseULong(match.Value, out var wanted, out var problem)
            ? Same(match, wanted)
            : throw NotANumber(match, "ParseUint", problem);

    public static Predicate<double> Real(FilterSyntax.Match match) =>
        double.TryParse(match.Value, NumberStyles.Float, CultureInfo.InvariantCulture, out var wanted)
            ? Same(match, wanted)
            : throw NotANumber(match, "ParseFloat", "invalid syntax");

    public static Predicate<bool> Flag(FilterSyntax.Match match) => match.Value switch
    {
        "1" or "t" or "T" or "true" or "TRUE" or "True" => Same(match, true),
        "0" or "f" or "F" or "false" or "FALSE" or "False" => Same(match, false),
        _ => throw NotANumber(match, "ParseBool", "invalid syntax"),
    };

    private static bool IsMatch(Regex regex, string text)
    {
        try
        {
            return regex.IsMatch(text);
        }
        catch (RegexMatchTimeoutException)
        {
            return false;
        }
    }

    private static Predicate<TValue> Same<TValue>(FilterSyntax.Match match, TValue wanted)
        where TValue : IEquatable<TValue> => match.Operator switch
        {
            FilterOperator.Equal => value => value.Equals(wanted),
            FilterOperator.NotEqual => value => !value.Equals(wanted),
            _ => throw FilterField.BadOperator(match),
        };

    /// <summary>The operator is judged before the value, so a list test of a number complains about the
    /// operator.</summary>
    private static FilterBindException NotANumber(FilterSyntax.Match match, string function, string problem) =>
        match.Operator is FilterOperator.Equal or FilterOperator.NotEqual
            ? FilterField.BadValue(match, $"strconv.{function}: parsing \"{match.Value}\": {problem}")
            : FilterField.BadOperator(match);
}

internal sealed class ScalarField<T, TValue>(Func<T, TValue> read, Func<FilterSyntax.Match, Predicate<TValue>> bind)
    : FilterField<T>
{
    public override Predicate<T> Bind(FilterSyntax.Match match, int at)
    {
        if (at < match.Selector.Length)
        {
            throw FilterField.BadSelector(match, at);
        }
        var test = bind(match);
        return item => test(read(item));
    }
}

internal sealed class TextsField<T>(Func<T, IReadOnlyList<string>?> read) : FilterField<T>
{
    public override Predicate<T> Bind(FilterSyntax.Match match, int at)
    {
        if (at < match.Selector.Length)
        {
            throw FilterField.BadSelector(match, at);
        }
        var value = match.Value;
        return match.Operator switch
        {
            FilterOperator.IsEmpty => item => read(item) is not { Count: > 0 },
            FilterOperator.IsNotEmpty => item => read(item) is { Count: > 0 },
            FilterOperator.In => item => Contains(read(item), value),
            FilterOperator.NotIn => item => !Contains(read(item), value),
            _ => throw FilterField.BadOperator(match),
        };
    }

    private static bool Contains(IReadOnlyList<string>? list, string value)
    {
        for (var i = 0; i < (list?.Count ?? 0); i++)
        {
            if (string.Equals(list![i], value, StringComparison.Ordinal))
            {
                return true;
            }
        }
        return false;
    }
}

internal sealed class MapField<T, TValue>(
    Func<T, IReadOnlyDictionary<string, TValue>?> read, FilterField<TValue> values) : FilterField<T>
{
    public override Predicate<T> Bind(FilterSyntax.Match match, int at)
    {
        var value = match.Value;
        if (at < match.Selector.Length)
        {
            return BindValue(match, at);
        }
        return match.Operator switch
        {
            FilterOperator.IsEmpty => item => read(item) is not { Count: > 0 },
            FilterOperator.IsNotEmpty => item => read(item) is { Count: > 0 },
            FilterOperator.In => item => read(item)?.ContainsKey(value) ?? false,
            FilterOperator.NotIn => item => !(read(item)?.ContainsKey(value) ?? false),
            _ => throw FilterField.BadOperator(match),
        };
    }

    private Predicate<T> BindValue(FilterSyntax.Match match, int at)
    {
        var key = match.Selector[at];
        var test = values.Bind(match, at + 1);
        var whenAbsent = FilterField.WhenAbsent(match.Operator);
        return item =>
        {
            var map = read(item);
            return map is not null && map.TryGetValue(key, out var value) ? test(value) : whenAbsent;
        };
    }
}

internal sealed class ObjectField<T, TInner>(Func<T, TInner?> read, FilterFields<TInner> fields) : FilterField<T>
    where TInner : class
{
    public override Predicate<T> Bind(FilterSyntax.Match match, int at)
    {
        var test = fields.Bind(match, at);
        return item => read(item) is { } inner && test(inner);
    }
}

internal sealed class ObjectsField<T, TInner>(Func<T, IReadOnlyList<TInner>?> read, FilterFields<TInner> fields)
    : FilterField<T>
    where TInner : class
{
    public override Predicate<T> Bind(FilterSyntax.Match match, int at)
    {
        if (at < match.Selector.Length)
        {
            var test = fields.Bind(match, at);
            return item => AnyHolds(read(item), test);
        }
        return match.Operator switch
        {
            FilterOperator.IsEmpty => item => read(item) is not { Count: > 0 },
            FilterOperator.IsNotEmpty => item => read(item) is { Count: > 0 },
            _ => throw FilterField.BadOperator(match),
        };
    }

    private static bool AnyHolds(IReadOnlyList<TInner>? list, Predicate<TInner> test)
    {
        for (var i = 0; i < (list?.Count ?? 0); i++)
        {
            if (test(list![i]))
            {
                return true;
            }
        }
        return false;
    }
}
