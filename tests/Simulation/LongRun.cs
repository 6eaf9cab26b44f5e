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
}
