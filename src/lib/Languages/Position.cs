namespace Languages;

/// <summary>A place in a text. Lines and columns count from 1; line 0 means "nowhere in particular".</summary>
/// <param name="File">The file's path, or what stands for it: "-hcl flag", "request body".</param>
/// <param name="Line">The line, from 1.</param>
/// <param name="Column">The column in UTF-16 units, from 1.</param>
public readonly record struct Position(string File, int Line, int Column)
{
    /// <inheritdoc/>
    public override string ToString() => Line == 0 ? File : $"{File}:{Line}:{Column}";
}

/// <summary>What is wrong in a text, where, and what to do about it.</summary>
/// <param name="At">Where.</param>
/// <param name="What">What is wrong.</param>
/// <param name="Remedy">What to do; empty when nothing more can be said.</param>
public sealed record LanguageError(Position At, string What, string Remedy = "")
{
    /// <inheritdoc/>
    public override string ToString() => Remedy.Length == 0 ? $"{At}: {What}" : $"{At}: {What}; {Remedy}";
}

/// <summary>A value, or why there is none. Exactly one of the two is not null.</summary>
public readonly record struct Parsed<T>(T? Value, LanguageError? Error)
    where T : class
{
    /// <summary>True: <see cref="Value"/> is there.</summary>
    public bool IsOk => Error is null;

    /// <summary>A good result.</summary>
    public static implicit operator Parsed<T>(T value) => new(value, null);

    /// <summary>A bad one.</summary>
    public static implicit operator Parsed<T>(LanguageError error) => new(null, error);
}
