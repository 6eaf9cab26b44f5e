using System.Globalization;
using System.Text;

namespace Praetor.Agent.Logging;

/// <summary>Where the log file is and when a new one begins.</summary>
/// <param name="Path">The file, or a folder (ending in a slash): then the file in it is called praetor.log.</param>
public sealed record LogFileOptions(string Path)
{
    /// <summary>A file this large is followed by a new one. 0: size does not matter.</summary>
    public long RotateBytes { get; init; }

    /// <summary>A file this old is followed by a new one. Zero: age does not matter. Default one day.</summary>
    public TimeSpan RotateAfter { get; init; } = TimeSpan.FromDays(1);

    /// <summary>How many old files stay. 0: all of them; -1: none.</summary>
    public int FilesMax { get; init; }
}

/// <summary>A log file that is followed by a new one by size and age. Used by one thread.</summary>
/// <remarks>
/// The current file has a time in its name, <c>praetor-{unix nanoseconds}.log</c>, as Consul's have, so that rotating
/// is never a rename under the eyes of a reader.
/// </remarks>
internal sealed class LogFile(LogFileOptions options, TimeProvider time) : IDisposable
{
    private const string DefaultName = "praetor.log";

    private readonly string _folder = Path.GetDirectoryName(Path.GetFullPath(Full(options.Path)))!;
    private readonly string _name = Path.GetFileNameWithoutExtension(Full(options.Path));
    private readonly string _extension = Path.GetExtension(Full(options.Path)) is { Length: > 0 } e ? e : ".log";
    private FileStream? _file;
    private DateTimeOffset _opened;
    private long _bytes;

    /// <summary>Appends a line.</summary>
    /// <exception cref="IOException">It cannot be written.</exception>
    public void Write(string line)
    {
        var bytes = Encoding.UTF8.GetBytes(line + "\n");
        if (_file is null || IsDue(bytes.Length))
        {
            Rotate();
        }

        _file!.Write(bytes);
        _bytes += bytes.Length;
    }

    /// <summary>Hands what was written to the system.</summary>
    public void Flush() => _file?.Flush();

    public void Dispose() => _file?.Dispose();

    private static string Full(string path) =>
        path.EndsWith('/') || Directory.Exists(path) ? Path.Combine(path, DefaultName) : path;

    private bool IsDue(int more) =>
        (options.RotateBytes > 0 && _bytes > 0 && _bytes + more > options.RotateBytes)
        || (options.RotateAfter > TimeSpan.Zero && time.GetUtcNow() - _opened >= options.RotateAfter);

    private void Rotate()
    {
        _file?.Dispose();
        Directory.CreateDirectory(_folder);
        _opened = time.GetUtcNow();
        var stamp = (_opened - DateTimeOffset.UnixEpoch).Ticks * 100;
        var path = Path.Combine(_folder, $"{_name}-{stamp.ToString(CultureInfo.InvariantCulture)}{_extension}");
        var settings = new FileStreamOptions
        {
            Mode = FileMode.Append, Access = FileAccess.Write, Share = FileShare.Read,
        };
        if (!OperatingSystem.IsWindows())
        {
            settings.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead;
        }

        _file = new FileStream(path, settings);
        _bytes = _file.Length;
        Prune(path);
    }

    private void Prune(string current)
    {
        if (options.FilesMax == 0)
        {
            return;
        }

        var keep = options.FilesMax < 0 ? 0 : options.FilesMax;
        var old = Directory.GetFiles(_folder, $"{_name}-*{_extension}")
            .Where(file => file != current)
            .OrderDescending(StringComparer.Ordinal)
            .Skip(keep);
        foreach (var file in old)
        {
            File.Delete(file);
        }
    }
}
