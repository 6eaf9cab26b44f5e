using Praetor.Server.Model;

namespace Praetor.Server.Catalog;

/// <summary>How many checks have which status; one with another word counts nowhere.</summary>
public readonly record struct CheckTally(int Passing, int Warning, int Critical)
{
    /// <summary>The worst that was counted; nothing counted is passing.</summary>
    public string Worst => Critical > 0 ? CheckStatuses.Critical
        : Warning > 0 ? CheckStatuses.Warning
        : CheckStatuses.Passing;

    /// <summary>The sum.</summary>
    public static CheckTally operator +(CheckTally a, CheckTally b) =>
        new(a.Passing + b.Passing, a.Warning + b.Warning, a.Critical + b.Critical);

    /// <summary>One more with a status.</summary>
    public CheckTally With(string status) => status switch
    {
        CheckStatuses.Passing => this with { Passing = Passing + 1 },
        CheckStatuses.Warning => this with { Warning = Warning + 1 },
        CheckStatuses.Critical => this with { Critical = Critical + 1 },
        _ => this,
    };

    /// <summary>The statuses of checks, counted.</summary>
    public static CheckTally Of(IEnumerable<CheckRecord> checks)
    {
        var tally = default(CheckTally);
        foreach (var check in checks)
        {
            tally = tally.With(check.Status);
        }

        return tally;
    }
}
