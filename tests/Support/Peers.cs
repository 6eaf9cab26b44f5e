namespace Support;

/// <summary>Programs of others that tests run against, where somebody has unpacked them.</summary>
internal static class Peers
{
    /// <summary>The folder above them: <c>$PEERS</c>.</summary>
    public static string Folder { get; } =
        Environment.GetEnvironmentVariable("PEERS") is { Length: > 0 } set
            ? set
            : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".cache", "praetor-peers");
}
