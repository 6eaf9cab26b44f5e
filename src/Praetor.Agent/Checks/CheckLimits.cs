namespace Praetor.Agent.Checks;

/// <summary>The bounds of health checking. Values without a reason of their own are those Consul users know.</summary>
public static class CheckLimits
{
    /// <summary>A shorter interval is raised to this.</summary>
    public static readonly TimeSpan ShortestInterval = TimeSpan.FromSeconds(1);

    /// <summary>An eager check runs for the first time within this; later runs come after twice as long each.</summary>
    public static readonly TimeSpan EagerFirst = TimeSpan.FromMilliseconds(50);

    /// <summary>An eager check runs at least this often until it has passed or was eager long enough.</summary>
    public static readonly TimeSpan EagerInterval = TimeSpan.FromMilliseconds(500);

    /// <summary>Runs that did not pass after which an eager check keeps to its interval: about a minute.</summary>
    public const int EagerRunsMax = 120;

    /// <summary>The timeout of a network check that names none.</summary>
    public static readonly TimeSpan DefaultTimeout = TimeSpan.FromSeconds(10);

    /// <summary>The timeout of a check that starts a process and names none.</summary>
    public static readonly TimeSpan DefaultScriptTimeout = TimeSpan.FromSeconds(30);

    /// <summary>
    /// How long the output of a script that has ended is awaited; its background children may hold it.
    /// </summary>
    public static readonly TimeSpan OutputGrace = TimeSpan.FromMilliseconds(500);

    /// <summary>A shorter <see cref="CheckSpec.DeregisterCriticalServiceAfter"/> is raised to this.</summary>
    public static readonly TimeSpan ShortestDeregister = TimeSpan.FromMinutes(1);

    /// <summary>How often overdue critical services are looked for.</summary>
    public static readonly TimeSpan ReapInterval = TimeSpan.FromSeconds(30);

    /// <summary>Bytes of output kept of one run unless the check says otherwise.</summary>
    public const int DefaultOutputBytes = 4096;

    /// <summary>
    /// No check keeps more output than this: every byte of it is sent to the servers and stored there.
    /// </summary>
    public const int OutputBytesMax = 64 * 1024;

    /// <summary>Bytes of an HTTP body that are read before the connection is closed: a body may never end.</summary>
    public const int BodyBytesMax = 1024 * 1024;

    /// <summary>Redirects that one HTTP check follows, as many as Consul.</summary>
    public const int RedirectsMax = 10;

    /// <summary>
    /// Network checks in flight at once; each holds one socket, and hung targets must not starve the rest.
    /// </summary>
    public const int NetworkRunsMax = 512;

    /// <summary>Processes that checks run at once; the others wait their turn.</summary>
    public const int ProcessRunsMax = 64;
}
