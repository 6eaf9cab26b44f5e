namespace Praetor.Agent.Cluster;

/// <summary>What is wrong with this server's etcd, for those whose writes are refused.</summary>
internal static class EtcdTrouble
{
    /// <summary>What a system call, and etcd after it, says of a disk without room.</summary>
    public const string NoSpace = "no space left on device";

    /// <summary>With less than this a disk counts as full: etcd cannot write an entry of the log any more.</summary>
    public const long FullBelowBytes = 1L << 20;

    // Also while it is tried again and again.
    private static readonly TimeSpan EndLasts = TimeSpan.FromSeconds(10);

    /// <summary>Says it; null: nothing is known.</summary>
    /// <param name="status">How it is.</param>
    /// <param name="sinceEnd">How long ago it ended the last time.</param>
    /// <param name="said">The last bad thing that it logged since it was started.</param>
    /// <param name="freeBytes">The room on its disk. Null: not known.</param>
    /// <remarks>The disk comes first: without room a member ends, hangs or loses its lead, and each of those looks like
    /// something else.</remarks>
    public static string? Of(EtcdChildStatus status, TimeSpan sinceEnd, string said, long? freeBytes)
    {
        var ended = status.Ends > 0 && sinceEnd < EndLasts ? $"etcd ended with {status.LastEnd}" : null;
        if (ended?.Contains(NoSpace, StringComparison.Ordinal) == true)
        {
            return ended;
        }

        if (said.Contains(NoSpace, StringComparison.Ordinal))
        {
            return $"etcd says: {said}";
        }

        return freeBytes < FullBelowBytes
            ? $"etcd's disk is full ({NoSpace}, {freeBytes} bytes are free)" + (ended is null ? "" : $"; {ended}")
            : ended;
    }
}

/// <summary>The room on a disk.</summary>
internal static class DiskSpace
{
    /// <summary>How much of it is free to this process where a folder is. Null: it cannot be told.</summary>
    public static long? FreeBytes(string folder)
    {
        try
        {
            return new DriveInfo(folder).AvailableFreeSpace;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return null;
        }
    }
}
