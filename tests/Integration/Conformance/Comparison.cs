using System.Text.Json;

namespace Integration.Conformance;

/// <summary>Compares an answer with a recorded one: everything recorded must be there with the same type and value;
/// objects may have more keys, since today's answers are a superset of the recorded ones.</summary>
internal sealed class Comparison(bool isUnordered, Func<string, Allowance?> allowanceAt)
{
    private const int ShownMax = 160;
    private readonly List<string> _differences = [];

    /// <summary>Gives the differences of two JSON values, each as one line that begins with its path.</summary>
    public static IReadOnlyList<string> Of(
        JsonElement recorded, JsonElement actual, bool isUnordered, Func<string, Allowance?>? allowanceAt = null)
    {
        var comparison = new Comparison(isUnordered, allowanceAt ?? (_ => null));
        comparison.Compare("$", recorded, actual);
        return comparison._differences;
    }

    /// <summary>A value, short enough for a line.</summary>
    public static string Show(string text) => text.Length <= ShownMax ? text : text[..ShownMax] + "…";

    private void Compare(string path, JsonElement recorded, JsonElement? actual)
    {
        if (allowanceAt(path) is { } allowance)
        {
            if (allowance.LeftOutWhenEmpty ? actual is null && IsEmpty(recorded) : allowance.Is is null)
            {
                return;
            }

            recorded = allowance.Is ?? recorded;
        }

        if (actual is not { } value)
        {
            _differences.Add($"{path} is missing, recorded {Show(recorded.GetRawText())}");
            return;
        }

        if (recorded.ValueKind == JsonValueKind.String && TakesMask(path, recorded.GetString()!, value))
        {
            return;
        }

        if (recorded.ValueKind != value.ValueKind)
        {
            Differ(path, recorded, value);
            return;
        }

        CompareContents(path, recorded, value);
    }

    private static bool IsEmpty(JsonElement value) =>
        value.GetRawText() is "\"\"" or "0" or "null" or "false" or "{}" or "[]";

    private void CompareContents(string path, JsonElement recorded, JsonElement actual)
    {
        switch (recorded.ValueKind)
        {
            case JsonValueKind.Object:
                foreach (var member in recorded.EnumerateObject())
                {
                    JsonElement? other = actual.TryGetProperty(member.Name, out var found) ? found : null;
                    Compare($"{path}.{member.Name}", member.Value, other);
                }

                break;
            case JsonValueKind.Array:
                CompareLists(path, recorded, actual);
                break;
            default:
                if (!IsSameValue(recorded, actual))
                {
                    Differ(path, recorded, actual);
                }

                break;
        }
    }

    // The recorder writes fractions in its own way: 1e-05 is 0.00001.
    private static bool IsSameValue(JsonElement recorded, JsonElement actual) =>
        string.Equals(recorded.GetRawText(), actual.GetRawText(), StringComparison.Ordinal)
        || (recorded.ValueKind == JsonValueKind.Number
            && recorded.GetRawText().AsSpan().ContainsAny('.', 'e')
            && recorded.GetDouble().Equals(actual.GetDouble()));

    private void CompareLists(string path, JsonElement recorded, JsonElement actual)
    {
        if (recorded.GetArrayLength() != actual.GetArrayLength())
        {
            var lengths = $"length {actual.GetArrayLength()}, recorded {recorded.GetArrayLength()}";
            Differ($"{path} ({lengths})", recorded, actual);
            return;
        }

        var left = actual.EnumerateArray().ToList();
        var position = 0;
        foreach (var item in recorded.EnumerateArray())
        {
            var match = isUnordered ? left.FindIndex(other => Of(item, other, true, allowanceAt).Count == 0) : 0;
            Compare($"{path}[{position++}]", item, left[Math.Max(match, 0)]);
            left.RemoveAt(Math.Max(match, 0));
        }
    }

    /// <summary>Whether a masked string was dealt with, well or badly.</summary>
    private bool TakesMask(string path, string recorded, JsonElement actual)
    {
        var takes = actual.ValueKind switch
        {
            JsonValueKind.Number => Masks.TakesNumber(recorded, actual),
            JsonValueKind.String => Masks.Takes(recorded, actual.GetString()!),
            JsonValueKind.Array when recorded == "<list>" => true,
            _ => null,
        };
        if (takes == false)
        {
            _differences.Add($"{path} is {Show(actual.GetRawText())}, recorded {Show(recorded)}");
        }

        return takes is not null;
    }

    private void Differ(string path, JsonElement recorded, JsonElement actual) =>
        _differences.Add($"{path} is {Show(actual.GetRawText())}, recorded {Show(recorded.GetRawText())}");
}
