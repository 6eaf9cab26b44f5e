namespace Praetor.Agent.Watches;

/// <summary>The bounds of watches with handlers.</summary>
internal static class WatchLimits
{
    /// <summary>A handler is not started again within this time of its last start; what changes meanwhile comes as one,
    /// so that something that changes all the time does not start a process a millisecond.</summary>
    public static readonly TimeSpan HandlerSpacing = TimeSpan.FromMilliseconds(100);

    /// <summary>A script handler is killed after this time. Consul lets it run for ever, and its watch with it sees
    /// nothing any more.</summary>
    public static readonly TimeSpan ScriptTimeMax = TimeSpan.FromHours(1);

    /// <summary>The timeout of an HTTP handler that names none, as in Consul.</summary>
    public static readonly TimeSpan HttpTimeout = TimeSpan.FromSeconds(10);

    /// <summary>Handlers that run at once; the others wait their turn.</summary>
    public const int HandlersAtOnce = 32;

    /// <summary>Bytes of a handler's output that are logged.</summary>
    public const int OutputBytesMax = 4096;

    /// <summary>Bytes of the answer to an HTTP handler that are read before the connection is closed.</summary>
    public const int AnswerBytesMax = 1024 * 1024;
}
