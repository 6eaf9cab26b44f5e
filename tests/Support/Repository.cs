namespace Support;

/// <summary>The tree that the tests were built from.</summary>
public static class Repository
{
    /// <summary>The folder that holds Praetor.slnx.</summary>
    public static string Root { get; } = Find();

    /// <summary>A path below the root.</summary>
    public static string At(params string[] parts) => Path.Combine([Root, .. parts]);

    private static string Find()
    {
        for (var folder = AppContext.BaseDirectory; folder is not null; folder = Path.GetDirectoryName(folder))
        {
            if (File.Exists(Path.Combine(folder, "Praetor.slnx")))
            {
                return folder;
            }
        }

        throw new InvalidOperationException($"no Praetor.slnx above {AppContext.BaseDirectory}");
    }
}
