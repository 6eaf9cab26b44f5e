using Languages;

namespace Praetor.Agent.Config;

/// <summary>One thing that is wrong or worth a word in the configuration.</summary>
/// <param name="At">The place: file, line and column; a flag or a default has no line.</param>
/// <param name="Key">The key's dotted path; empty when the whole text is meant.</param>
/// <param name="What">What is wrong, where possible in Consul's words.</param>
/// <param name="Remedy">What to do; may be empty.</param>
public sealed record ConfigProblem(Position At, string Key, string What, string Remedy = "")
{
    /// <inheritdoc/>
    public override string ToString()
    {
        var place = At.File is { Length: > 0 } ? $"{At}: " : "";
        // Many of Consul's sentences begin with the key themselves.
        var isNamed = What.StartsWith(Key, StringComparison.Ordinal) && What[Key.Length..] is [' ' or ':', ..];
        var key = Key.Length == 0 || isNamed ? "" : $"{Key}: ";
        var remedy = Remedy.Length == 0 ? "" : $"; {Remedy}";
        return $"{place}{key}{What}{remedy}";
    }

    internal static ConfigProblem Of(LanguageError error) => new(error.At, "", error.What, error.Remedy);
}
