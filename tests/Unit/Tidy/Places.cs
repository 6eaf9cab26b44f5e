using Xunit;

namespace Unit.Tidy;

/// <summary>What a rule found, for people: one place a line.</summary>
internal static class Places
{
    /// <summary>Fails with the list when it is not empty.</summary>
    public static void ShouldBeNone(IEnumerable<string> places)
    {
        var found = places.ToList();
        if (found.Count > 0)
        {
            Assert.Fail($"{found.Count} places:\n{string.Join('\n', found)}");
        }
    }
}
