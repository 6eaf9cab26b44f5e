using System.Globalization;

namespace Praetor.CommandLine;

/// <summary>A file with this process's id, for as long as it runs.</summary>
internal sealed class PidFile : IDisposable
{
    private readonly string _path;

    private PidFile(string path) => _path = path;

    /// <summary>Writes the file. An empty path writes none.</summary>
    /// <exception cref="IOException">It cannot be written.</exception>
    public static PidFile? Write(string path)
    {
        if (path.Length == 0)
        {
            return null;
        }

        try
        {
            File.WriteAllText(path, Environment.ProcessId.ToString(CultureInfo.InvariantCulture));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new IOException($"the pid file {path} cannot be written: {e.Message}; see to pid_file", e);
        }

        return new PidFile(path);
    }

    public void Dispose() => File.Delete(_path);
}
