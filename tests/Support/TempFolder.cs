namespace Support;

/// <summary>A folder that is there until it is disposed.</summary>
public sealed class TempFolder : IDisposable
{
    /// <summary>Makes the folder; the name says whose it is.</summary>
    public TempFolder(string name) => Path = Directory.CreateTempSubdirectory($"praetor-{name}-").FullName;

    /// <summary>Where it is.</summary>
    public string Path { get; }

    /// <summary>The path of a file in it.</summary>
    public string File(string name) => System.IO.Path.Combine(Path, name);

    /// <summary>Writes a file in it, making folders as needed; gives the file's path.</summary>
    public string Write(string name, string text)
    {
        var path = File(name);
        Directory.CreateDirectory(System.IO.Path.GetDirectoryName(path)!);
        System.IO.File.WriteAllText(path, text);
        return path;
    }

    /// <summary>Removes the folder and what is in it.</summary>
    public void Dispose()
    {
        try
        {
            Directory.Delete(Path, recursive: true);
        }
        catch (IOException)
        {
            // A process that was killed a moment ago may still be writing; the system's cleaner takes the rest.
        }
    }
}
