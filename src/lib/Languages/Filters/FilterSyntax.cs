namespace Languages.Filters;

/// <summary>What one comparison asks.</summary>
internal enum FilterOperator
{
    Equal,
    NotEqual,
    In,
    NotIn,
    IsEmpty,
    IsNotEmpty,
    Matches,
    NotMatches,
}

/// <summary>An expression as it was written, before it is bound to the fields of a type.</summary>
internal abstract record FilterSyntax
{
    public sealed record And(FilterSyntax Left, FilterSyntax Right) : FilterSyntax;

    public sealed record Or(FilterSyntax Left, FilterSyntax Right) : FilterSyntax;

    public sealed record Not(FilterSyntax Operand) : FilterSyntax;

    /// <summary>One comparison; <paramref name="Value"/> is empty where the operator takes none.</summary>
    public sealed record Match(string[] Selector, FilterOperator Operator, string Value) : FilterSyntax
    {
        /// <summary>The operator's name in error texts.</summary>
        public string OperatorName => Operator switch
        {
            FilterOperator.NotEqual => "Not Equal",
            FilterOperator.NotIn => "Not In",
            FilterOperator.IsEmpty => "Is Empty",
            FilterOperator.IsNotEmpty => "Is Not Empty",
            FilterOperator.NotMatches => "Not Matches",
            _ => Operator.ToString(),
        };

        /// <summary>The first names of the selector, as error texts show them.</summary>
        public string SelectorText(int names) => string.Join('.', Selector.Take(names));
    }
}
