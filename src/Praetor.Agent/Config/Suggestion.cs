namespace Praetor.Agent.Config;

/// <summary>Finds what somebody probably meant.</summary>
internal static class Suggestion
{
    /// <summary>"did you mean X?" or, when nothing is near, the other remedy.</summary>
    public static string For(string written, IEnumerable<string> known, string otherwise)
    {
        var near = Nearest(written, known);
        return near is null ? otherwise : $"did you mean \"{near}\"?";
    }

    private static string? Nearest(string written, IEnumerable<string> known)
    {
        // A third of the letters may be wrong; beyond that a suggestion confuses more than it helps.
        var limit = Math.Max(1, written.Length / 3);
        string? best = null;
        foreach (var name in known)
        {
            var distance = Distance(Plain(written), Plain(name), limit);
            if (distance <= limit)
            {
                best = name;
                limit = distance - 1;
            }
        }
        return best;
    }

    private static string Plain(string name) =>
        name.Replace("_", "", StringComparison.Ordinal).Replace("-", "", StringComparison.Ordinal).ToLowerInvariant();

    /// <summary>Insertions, deletions, replacements and swaps of neighbours that turn one word into the
    /// other.</summary>
    private static int Distance(string a, string b, int limit)
    {
        const int LengthMax = 64;
        if (Math.Abs(a.Length - b.Length) > limit || a.Length > LengthMax || b.Length > LengthMax)
        {
            return int.MaxValue;
        }
        var before = new int[b.Length + 1];
        var last = Enumerable.Range(0, b.Length + 1).ToArray();
        for (var i = 1; i <= a.Length; i++)
        {
            var row = new int[b.Length + 1];
            row[0] = i;
            for (var j = 1; j <= b.Length; j++)
            {
                var cost = a[i - 1] == b[j - 1] ? 0 : 1;
                row[j] = Math.Min(Math.Min(row[j - 1], last[j]) + 1, last[j - 1] + cost);
                if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                {
                    row[j] = Math.Min(row[j], before[j - 2] + 1);
                }
            }
            (before, last) = (last, row);
        }
        return last[b.Length];
    }
}
