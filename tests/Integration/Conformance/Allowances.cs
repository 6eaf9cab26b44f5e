using System.Text.Json;
using System.Text.RegularExpressions;
using Support;

namespace Integration.Conformance;

/// <summary>A difference from the recording that is wanted, declared in tests/conformance/differences.json.</summary>
/// <param name="Exchange">Which: <c>scenario/name</c>; a star stands for any text.</param>
/// <param name="At"><c>status</c>, <c>text</c>, <c>header:Name</c>, or a path such as
/// <c>$[*].Meta</c>, where a star stands for any text.</param>
/// <param name="Is">What is answered instead, masks allowed. Null: anything, or nothing.</param>
/// <param name="LeftOutWhenEmpty">The member may be missing where it was recorded empty; else it is as
/// recorded.</param>
/// <param name="Why">The reason.</param>
internal sealed record Allowance(string Exchange, string At, JsonElement? Is, bool LeftOutWhenEmpty, string Why);

/// <summary>All declared differences.</summary>
internal sealed class Allowances(IReadOnlyList<Allowance> all)
{
    private static readonly TimeSpan MatchLimit = TimeSpan.FromSeconds(1);
    private static readonly JsonSerializerOptions Web = new(JsonSerializerDefaults.Web)
    {
        ReadCommentHandling = JsonCommentHandling.Skip,
    };

    /// <summary>None: as for the real Consul.</summary>
    public static Allowances None { get; } = new([]);

    /// <summary>Each of them, in the file's order.</summary>
    public IReadOnlyList<Allowance> All => all;

    /// <summary>Reads the file.</summary>
    public static Allowances Load()
    {
        var text = File.ReadAllText(Repository.At("tests", "conformance", "differences.json"));
        return new Allowances(JsonSerializer.Deserialize<List<Allowance>>(text, Web)!);
    }

    /// <summary>What is declared for a place of an exchange. Null: nothing.</summary>
    public Allowance? Find(string scenario, string exchange, string at) =>
        all.FirstOrDefault(a => Matches(a.Exchange, $"{scenario}/{exchange}") && Matches(a.At, at));

    /// <summary>Whether a pattern with stars takes a text.</summary>
    public static bool Matches(string pattern, string text)
    {
        var expression = Regex.Escape(pattern).Replace(@"\*", ".*", StringComparison.Ordinal);
        return Regex.IsMatch(text, $@"\A{expression}\z", RegexOptions.None, MatchLimit);
    }
}
