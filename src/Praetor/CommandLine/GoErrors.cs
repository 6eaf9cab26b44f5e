using System.Text.Json;

namespace Praetor.CommandLine;

/// <summary>Failures of files in the words of Go, which scripts and people know from Consul.</summary>
internal static class GoErrors
{
    public static string Open(string path, Exception failure) => $"open {path}: {Reason(failure)}";

    public static string Reason(Exception failure) => failure switch
    {
        FileNotFoundException or DirectoryNotFoundException => "no such file or directory",
        UnauthorizedAccessException => "permission denied",
        _ => failure.Message,
    };

    /// <summary>What is wrong with a JSON text.</summary>
    public static string Json(ReadOnlySpan<byte> text, JsonException failure)
    {
        if (failure.Message.Contains("could not be converted", StringComparison.Ordinal))
        {
            return $"json: cannot unmarshal what stands at {failure.Path} into the type that is wanted there";
        }

        var at = 0;
        for (long line = failure.LineNumber ?? 0; line > 0 && at < text.Length; at++)
        {
            line -= text[at] == '\n' ? 1 : 0;
        }

        at += (int)(failure.BytePositionInLine ?? 0);
        return at >= text.Length || text.IsEmpty
            ? "unexpected end of JSON input"
            : $"invalid character '{(char)text[at]}' looking for beginning of value";
    }
}
