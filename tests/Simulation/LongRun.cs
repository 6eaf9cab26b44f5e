using System.Diagnostics.CodeAnalysis;
using Xunit;

namespace Simulation;

/// <summary>What a long run (PRAETOR_LONG=1) does beyond what CI has time for.</summary>
internal static class LongRun
{
    public static bool IsWanted { get; } = Environment.GetEnvironmentVariable("PRAETOR_LONG") == "1";

    public static T Or<T>(T inLongRun, T inCi) => IsWanted ? inLongRun : inCi;

    public static void Require()
    {
        Assert.SkipUnless(IsWanted, "only in long runs: set PRAETOR_LONG=1");
    }

    /// <summary>Which parts of a run are to be done: those that PRAETOR_PARTS=FIRST-LAST names, else all.</summary>
    public static IReadOnlyList<int> Parts(int count)
    {
        var words = (Environment.GetEnvironmentVariable("PRAETOR_PARTS") ?? "").Split('-');
        return words.Length == 2 && int.TryParse(words[0], out var first) && int.TryParse(words[1], out var last)
            ? [.. Enumerable.Range(0, count).Where(part => part >= first && part <= last)]
            : [.. Enumerable.Range(0, count)];
    }
}
