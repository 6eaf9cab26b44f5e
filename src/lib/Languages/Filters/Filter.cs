namespace Languages.Filters;

/// <summary>A filter expression bound to a type: read once, asked for every item. Safe for many threads.</summary>
public sealed class Filter<T>
{
    private readonly Predicate<T>? _test;

    private Filter(Predicate<T>? test) => _test = test;

    /// <summary>True: there is no expression, every item matches.</summary>
    public bool IsEmpty => _test is null;

    /// <summary>Reads an expression. Null or empty text matches everything.</summary>
    /// <returns>The filter, or an error whose text is the one that Consul answers.</returns>
    public static Parsed<Filter<T>> Parse(string? text, FilterFields<T> fields)
    {
        if (string.IsNullOrEmpty(text))
        {
            return new Filter<T>(null);
        }
        var syntax = FilterParser.Parse(text);
        if (syntax.Error is { } unreadable)
        {
            return Refuse(unreadable.At, unreadable.What);
        }
        try
        {
            return new Filter<T>(Bind(syntax.Value!, fields));
        }
        catch (FilterBindException unbound)
        {
            return Refuse(new Position("filter", 1, 1), unbound.Message);
        }
    }

    /// <summary>Whether an item passes.</summary>
    public bool Matches(T item) => _test is null || _test(item);

    /// <summary>The items that pass, in their order.</summary>
    public IEnumerable<T> Apply(IEnumerable<T> items) => _test is null ? items : items.Where(item => _test(item));

    private static LanguageError Refuse(Position at, string what) =>
        new(at, $"Failed to create boolean expression evaluator: {what}");

    private static Predicate<T> Bind(FilterSyntax syntax, FilterFields<T> fields)
    {
        switch (syntax)
        {
            case FilterSyntax.Not not:
                var operand = Bind(not.Operand, fields);
                return item => !operand(item);
            case FilterSyntax.And:
                var all = Operands<FilterSyntax.And>(syntax, static and => (and.Left, and.Right), fields);
                return item => Array.TrueForAll(all, test => test(item));
            case FilterSyntax.Or:
                var any = Operands<FilterSyntax.Or>(syntax, static or => (or.Left, or.Right), fields);
                return item => Array.Exists(any, test => test(item));
            default:
                return fields.Bind((FilterSyntax.Match)syntax, 0);
        }
    }

    /// <summary>A chain "a and b and c" as one array: a thousand links must not nest a thousand calls.</summary>
    private static Predicate<T>[] Operands<TLink>(
        FilterSyntax syntax, Func<TLink, (FilterSyntax Left, FilterSyntax Right)> split, FilterFields<T> fields)
        where TLink : FilterSyntax
    {
        var links = new List<FilterSyntax>();
        while (syntax is TLink link)
        {
            (syntax, var right) = split(link);
            links.Add(right);
        }
        links.Add(syntax);
        links.Reverse();
        return links.ConvertAll(link => Bind(link, fields)).ToArray();
    }
}
