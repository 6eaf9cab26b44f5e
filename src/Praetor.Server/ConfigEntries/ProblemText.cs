namespace Praetor.Server.ConfigEntries;

/// <summary>Several problems in one text.</summary>
public static class ProblemText
{
    /// <summary>The text, laid out as Consul does: scripts and people know it.</summary>
    public static string List(IReadOnlyList<string> problems)
    {
        var head = problems.Count == 1 ? "1 error occurred:" : $"{problems.Count} errors occurred:";
        return $"{head}\n\t* {string.Join("\n\t* ", problems)}\n\n";
    }
}
