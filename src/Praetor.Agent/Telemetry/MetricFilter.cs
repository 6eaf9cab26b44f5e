namespace Praetor.Agent.Telemetry;

/// <summary>Which metrics are shown: the longest prefix that a rule names decides.</summary>
/// <param name="prefix">First part of every name.</param>
/// <param name="rules">Prefixes of full names, with + to show and - to leave out; of both for one prefix the latter
/// holds. What begins otherwise is no rule.</param>
/// <param name="shows">What holds where no rule does.</param>
internal sealed class MetricFilter(string prefix, IEnumerable<string> rules, bool shows)
{
    /// <summary>Shows everything.</summary>
    public static readonly MetricFilter None = new("", [], shows: true);

    private readonly (string Prefix, bool Shows)[] _longestFirst =
    [
        .. rules.Where(static rule => rule is ['+' or '-', ..])
            .Select(static rule => (Prefix: rule[1..], Shows: rule[0] == '+'))
            .OrderByDescending(static rule => rule.Prefix.Length)
            .ThenBy(static rule => rule.Shows),
    ];

    /// <summary>Whether a metric is shown.</summary>
    /// <param name="name">Its name without the first part.</param>
    public bool Shows(string name)
    {
        if (_longestFirst.Length == 0)
        {
            return shows;
        }

        var full = $"{prefix}.{name}";
        foreach (var rule in _longestFirst)
        {
            if (full.StartsWith(rule.Prefix, StringComparison.Ordinal))
            {
                return rule.Shows;
            }
        }

        return shows;
    }
}
