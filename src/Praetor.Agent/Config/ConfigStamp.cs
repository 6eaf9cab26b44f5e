using System.Globalization;
using System.Text;

namespace Praetor.Agent.Config;

/// <summary>What files and folders looked like: while the text stays the same, nothing was changed.</summary>
/// <param name="Paths">The files and folders.</param>
/// <param name="Text">For each file its name, size and time of change.</param>
public sealed record ConfigStamp(IReadOnlyList<string> Paths, string Text)
{
    /// <summary>As they look now. What cannot be looked at, or is not there, looks like that too.</summary>
    public static ConfigStamp Of(IReadOnlyList<string> paths)
    {
        var text = new StringBuilder();
        foreach (var path in paths)
        {
            text.Append(TargetOf(path)).Append('\n');
            foreach (var file in FilesOf(path))
            {
                Describe(file, text);
            }
        }

        return new ConfigStamp(paths, text.ToString());
    }

    /// <summary>As the same files and folders look now.</summary>
    public ConfigStamp Again() => Of(Paths);

    // All of a folder, whatever its name: -config-format makes every file one of configuration.
    private static string[] FilesOf(string path)
    {
        try
        {
            return Directory.Exists(path) ? [.. Directory.GetFiles(path).Order(StringComparer.Ordinal)] : [path];
        }
        catch (Exception hidden) when (hidden is IOException or UnauthorizedAccessException)
        {
            return [path];
        }
    }

    private static string TargetOf(string path)
    {
        try
        {
            return Directory.ResolveLinkTarget(path, returnFinalTarget: true)?.FullName ?? path;
        }
        catch (Exception hidden) when (hidden is IOException or UnauthorizedAccessException)
        {
            return path;
        }
    }

    // Of what a link leads to, for files are also changed by leading their link elsewhere, as Kubernetes does.
    private static void Describe(string path, StringBuilder text)
    {
        text.Append(path).Append('\0');
        try
        {
            var file = File.ResolveLinkTarget(path, returnFinalTarget: true) as FileInfo ?? new FileInfo(path);
            if (file.Exists)
            {
                var (size, changed) = (file.Length, file.LastWriteTimeUtc.Ticks);
                text.Append(CultureInfo.InvariantCulture, $"{file.FullName}\0{size}\0{changed}");
            }
        }
        catch (Exception hidden) when (hidden is IOException or UnauthorizedAccessException)
        {
            text.Append('?');
        }

        text.Append('\n');
    }
}
