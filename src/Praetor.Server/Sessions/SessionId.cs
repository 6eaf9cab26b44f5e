namespace Praetor.Server.Sessions;

/// <summary>The ids of sessions: UUIDs, as Consul reads them.</summary>
public static class SessionId
{
    private const int TextLength = 36;
    private const int DashesMax = 4;
    private const string Problem = "failed session lookup: index error: ";

    /// <summary>Reads an id.</summary>
    /// <param name="text">What was given.</param>
    /// <param name="id">The id as it is stored; it may be one that no session can have.</param>
    /// <param name="problem">Why it is none, in the words that clients get.</param>
    public static bool TryRead(string text, out string id, out string problem)
    {
        (id, problem) = ("", "");
        if (text.Length != TextLength)
        {
            problem = $"{Problem}UUID must be 36 characters";
            return false;
        }

        var dashes = text.AsSpan().Count('-');
        if (dashes > DashesMax)
        {
            problem = $"{Problem}UUID should have maximum of 4 \"-\"; got {dashes}";
            return false;
        }

        var digits = text.Replace("-", "", StringComparison.Ordinal);
        if (digits.Length % 2 != 0)
        {
            problem = $"{Problem}Input (without hyphens) must be even length";
            return false;
        }

        if (digits.AsSpan().IndexOfAnyExcept("0123456789abcdefABCDEF") is >= 0 and var at)
        {
            problem = $"{Problem}Invalid UUID: encoding/hex: invalid byte: {Quoted(digits[at])}";
            return false;
        }

        id = Guid.TryParseExact(digits, "N", out var uuid) ? uuid.ToString("D") : text.ToLowerInvariant();
        return true;
    }

    private static string Quoted(char letter) =>
        char.IsControl(letter) ? $"U+{(int)letter:X4}" : $"U+{(int)letter:X4} '{letter}'";
}
