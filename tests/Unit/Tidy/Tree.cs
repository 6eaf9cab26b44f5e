using Support;

namespace Unit.Tidy;

/// <summary>The files of the repository, without what is built, fetched or measured.</summary>
internal static class Tree
{
    private static readonly HashSet<string> Left = new(StringComparer.Ordinal)
    {
        ".git", "bin", "obj", "out", "node_modules", ".vs", "__pycache__",
    };

    /// <summary>Paths from the root, with slashes, in order.</summary>
    public static IEnumerable<string> Files() =>
        Below(Repository.Root)
            .Select(path => Path.GetRelativePath(Repository.Root, path).Replace('\\', '/'))
            .Where(path => !path.StartsWith("bench/results/", StringComparison.Ordinal))
            .Order(StringComparer.Ordinal);

    private static IEnumerable<string> Below(string folder)
    {
        var files = Directory.EnumerateFiles(folder).Where(path => Path.GetFileName(path) != ".git");
        var folders = Directory.EnumerateDirectories(folder)
            .Where(path => !Left.Contains(Path.GetFileName(path)) && File.ResolveLinkTarget(path, false) is null);
        return files.Concat(folders.SelectMany(Below));
    }
}
