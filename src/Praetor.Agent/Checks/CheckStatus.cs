namespace Praetor.Agent.Checks;

/// <summary>How well a check says its target is, best first.</summary>
public enum CheckStatus
{
    Passing = 0,
    Warning = 1,
    Critical = 2,
}

/// <summary>The words that the API and the configuration use for <see cref="CheckStatus"/>.</summary>
public static class CheckStatusText
{
    /// <summary>The API's word for a status: <c>passing</c>, <c>warning</c> or <c>critical</c>.</summary>
    public static string Of(CheckStatus status) => status switch
    {
        CheckStatus.Passing => "passing",
        CheckStatus.Warning => "warning",
        _ => "critical",
    };

    /// <summary>Reads the API's word; false for any other text.</summary>
    public static bool TryParse(string? text, out CheckStatus status)
    {
        status = text switch
        {
            "passing" => CheckStatus.Passing,
            "warning" => CheckStatus.Warning,
            _ => CheckStatus.Critical,
        };
        return status != CheckStatus.Critical || text == "critical";
    }
}

/// <summary>What one run of a check found.</summary>
public readonly record struct CheckResult(CheckStatus Status, string Output)
{
    public static CheckResult Passing(string output) => new(CheckStatus.Passing, output);

    public static CheckResult Critical(string output) => new(CheckStatus.Critical, output);
}
