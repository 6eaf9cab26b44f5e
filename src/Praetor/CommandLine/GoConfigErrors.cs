using System.Globalization;
using Languages;
using Praetor.Agent.Config;

namespace Praetor.CommandLine;

/// <summary>What is wrong with configuration, as Consul says it: no remedies, and no more than it finds at
/// once.</summary>
/// <remarks>
/// Consul reads file by file and ends at the first that it does not understand: by values of a wrong kind, then by
/// keys that it does not know. Durations come next, all at once; then rules, of which the first broken one ends it.
/// </remarks>
internal static class GoConfigErrors
{
    private const string UnknownKey = "invalid config key ";
    private const string NotRead = "config: ";
    private const string BadDuration = "invalid duration: ";
    private static readonly string[] WrongKinds = ["expected type '", "expected a map", "source data must be"];

    /// <summary>The problems as one text.</summary>
    public static string Of(IReadOnlyList<ConfigProblem> problems)
    {
        if (problems.FirstOrDefault(IsOfReading) is not { } first)
        {
            var durations = problems.Where(static problem => StartsWith(problem, BadDuration)).ToList();
            return durations.Count > 0
                ? Several(durations.Select(static problem => $"{problem.Key}: {problem.What}"))
                : problems[0].What;
        }

        if (StartsWith(first, NotRead))
        {
            return first.What;
        }

        return $"failed to parse {first.At.File}: {OfFile([.. problems.Where(p => p.At.File == first.At.File)])}";
    }

    /// <summary>What is wrong with one file that was read.</summary>
    public static string OfFile(IReadOnlyList<ConfigProblem> problems)
    {
        if (problems.FirstOrDefault(IsOfText) is { } text)
        {
            return OfText(new LanguageError(text.At, text.What));
        }

        var kinds = problems.Where(IsOfKind).Select(WrongKind).Order(StringComparer.Ordinal).ToList();
        if (kinds.Count > 0)
        {
            return $"{Count(kinds.Count)} error(s) decoding:\n\n* {string.Join("\n* ", kinds)}";
        }

        var unknown = problems.Where(static problem => StartsWith(problem, UnknownKey)).ToList();
        return unknown.Count > 0 ? Several(unknown.Select(static problem => problem.What)) : problems[0].What;
    }

    /// <summary>Why a text is neither language.</summary>
    public static string OfText(LanguageError error)
    {
        if (IsJson(error.At.File))
        {
            return error.What;
        }

        // Its scanner counts the end as a letter.
        var column = error.At.Column + (error.What.EndsWith("got: EOF", StringComparison.Ordinal) ? 1 : 0);
        return string.Create(CultureInfo.InvariantCulture, $"At {error.At.Line}:{column}: {error.What}");
    }

    private static bool IsJson(string file) => file.EndsWith(".json", StringComparison.Ordinal);

    private static bool IsOfReading(ConfigProblem problem) =>
        IsOfText(problem) || IsOfKind(problem) || StartsWith(problem, UnknownKey) || StartsWith(problem, NotRead);

    private static bool IsOfText(ConfigProblem problem) => problem is { Key: "", At.Line: > 0 };

    private static bool IsOfKind(ConfigProblem problem) => WrongKinds.Any(kind => StartsWith(problem, kind));

    private static bool StartsWith(ConfigProblem problem, string text) =>
        problem.What.StartsWith(text, StringComparison.Ordinal);

    private static string WrongKind(ConfigProblem problem)
    {
        var between = StartsWith(problem, "source data") ? ":" : "";
        var what = problem.What
            .Replace("type 'map'", "type 'map[string]interface {}'", StringComparison.Ordinal)
            .Replace("type 'slice'", "type '[]interface {}'", StringComparison.Ordinal);
        return $"'{problem.Key}'{between} {what}";
    }

    private static string Several(IEnumerable<string> what)
    {
        var all = what.ToList();
        var head = all.Count == 1 ? "1 error occurred:" : $"{Count(all.Count)} errors occurred:";
        return $"{head}\n{string.Concat(all.Select(static text => $"\t* {text}\n"))}\n";
    }

    private static string Count(int number) => number.ToString(CultureInfo.InvariantCulture);
}
