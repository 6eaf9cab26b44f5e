using System.Globalization;

namespace Integration.Proxy;

/// <summary>Which TCP ports a process listens on, as /proc shows it.</summary>
internal static class Listening
{
    private const string ListenState = "0A";
    private const int LocalColumn = 1;
    private const int StateColumn = 3;
    private const int InodeColumn = 9;

    /// <summary>The ports; none when it has ended.</summary>
    public static HashSet<int> PortsOf(int process)
    {
        var descriptors = $"/proc/{process}/fd";
        if (!Directory.Exists(descriptors))
        {
            return [];
        }

        var sockets = Directory.EnumerateFiles(descriptors)
            .Select(static fd => new FileInfo(fd).LinkTarget)
            .ToHashSet(StringComparer.Ordinal);
        return File.ReadLines("/proc/net/tcp").Concat(File.ReadLines("/proc/net/tcp6"))
            .Select(static line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            .Where(row => row[StateColumn] == ListenState && sockets.Contains($"socket:[{row[InodeColumn]}]"))
            .Select(static row => int.Parse(row[LocalColumn].Split(':')[1], NumberStyles.HexNumber, null))
            .ToHashSet();
    }
}
