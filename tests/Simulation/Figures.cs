using System.Globalization;
using Xunit;

namespace Simulation;

/// <summary>Prints what was measured, for docs/internals/gossip.md.</summary>
internal static class Figures
{
    public static void Print(FormattableString text) =>
        TestContext.Current.TestOutputHelper?.WriteLine(text.ToString(CultureInfo.InvariantCulture));

    /// <summary>The value below which this share of the values lies; of few values the next one above.</summary>
    public static double Percentile(List<double> values, double share)
    {
        values.Sort();
        return values[Math.Min(values.Count - 1, (int)Math.Ceiling(share * values.Count) - 1)];
    }
}
