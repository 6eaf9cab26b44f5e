namespace Praetor.Agent.RemoteExec;

/// <summary>The bounds of commands that are run for others.</summary>
internal static class ExecLimits
{
    /// <summary>Commands that run at once; who asks for more is not answered.</summary>
    public const int RunsAtOnce = 8;

    /// <summary>A command is killed after this time.</summary>
    public static readonly TimeSpan TimeMax = TimeSpan.FromHours(1);

    /// <summary>Output is passed on in pieces of this size, as in Consul.</summary>
    public const int ChunkBytes = 4096;

    /// <summary>A piece that is not full is passed on after this time.</summary>
    public static readonly TimeSpan ChunkWait = TimeSpan.FromMilliseconds(500);

    /// <summary>Pieces of output, each a key: 16 MB. A command that writes more is killed.</summary>
    public const int ChunksMax = 4096;

    /// <summary>Pieces that wait to be passed on; then the command waits.</summary>
    public const int PendingChunks = 16;

    /// <summary>The shortest time between two signs of life that may be asked for; each is a key.</summary>
    public static readonly TimeSpan HeartbeatMin = TimeSpan.FromSeconds(1);

    /// <summary>The exit code of what could not be run.</summary>
    public const int NotRun = 255;
}
