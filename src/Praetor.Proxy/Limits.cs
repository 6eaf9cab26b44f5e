namespace Praetor.Proxy;

/// <summary>Every bound of the proxy, with its reason.</summary>
internal static class Limits
{
    /// <summary>One read. Four TLS records: bulk needs few system calls, and one buffer per thread costs
    /// nothing.</summary>
    public const int ScratchBytes = 64 * 1024;

    /// <summary>Waiting, not yet accepted connections of a listener; the kernel's own usual cap.</summary>
    public const int Backlog = 4096;

    /// <summary>Connections accepted before others get their turn.</summary>
    public const int AcceptsPerTurn = 64;

    /// <summary>Reads of one direction before others get their turn: at most a mebibyte.</summary>
    public const int ReadsPerTurn = 16;

    /// <summary>Connections of one listener at a time, unless <c>max_connections</c> says otherwise.</summary>
    public const int ConnectionsPerListener = 10_000;

    /// <summary>Handshakes of one public listener that are not finished yet: strangers can hold no more than
    /// these.</summary>
    public const int HandshakesPerListener = 1_024;

    /// <summary>Unfinished handshakes of one source address (of one IPv6 /64): half, so that no single stranger takes
    /// all, and a busy host behind one address still gets through.</summary>
    public const int HandshakesPerSource = HandshakesPerListener / 2;

    /// <summary>Former listeners of a proxy whose connections live on; beyond, the oldest ones' connections
    /// end.</summary>
    public const int RetiredListeners = 8;

    /// <summary>Host names of an upstream's instances that are looked up at a time.</summary>
    public const int Lookups = 16;

    /// <summary>Work handed to a loop by other threads that it has not done yet.</summary>
    public const int PostedActions = 65_536;

    /// <summary>Events fetched by one wait.</summary>
    public const int EventsPerWait = 256;

    /// <summary>Instances tried for one connection; the next one after five dead ones is dead as well.</summary>
    public const int ConnectAttempts = 5;

    /// <summary>Kept, idle connections to one instance in each loop.</summary>
    public const int KeptPerTarget = 128;

    /// <summary>Source services counted on their own; others share one row, so that metrics stay bounded.</summary>
    public const int CountedEdges = 1_024;

    /// <summary>Questions to the agent about one connection each, in flight at a time.</summary>
    public const int AuthorizeCalls = 64;

    /// <summary>Event loops at most: one moves several gigabits, and each costs a thread and a buffer.</summary>
    public const int Loops = 4;

    /// <summary>How long a TLS handshake may take, unless <c>handshake_timeout_ms</c> says otherwise.</summary>
    public static readonly TimeSpan HandshakeTimeout = TimeSpan.FromSeconds(10);

    /// <summary>How long connecting to another proxy may take, unless <c>connect_timeout_ms</c> says
    /// otherwise.</summary>
    public static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(10);

    /// <summary>How long connecting to the local service may take (<c>local_connect_timeout_ms</c>).</summary>
    public static readonly TimeSpan LocalConnectTimeout = TimeSpan.FromSeconds(1);

    /// <summary>How long a kept connection to another proxy of ours stays open unused.</summary>
    public static readonly TimeSpan KeptIdle = TimeSpan.FromSeconds(60);

    /// <summary>How long a connection that one side has ended may stay silent; ten times any sane answer.</summary>
    public static readonly TimeSpan HalfClosedIdle = TimeSpan.FromHours(1);

    /// <summary>How long accepting pauses when the process has no file descriptor left.</summary>
    public static readonly TimeSpan AcceptPause = TimeSpan.FromMilliseconds(100);

    /// <summary>How long an instance that could not be reached is left out while there are others.</summary>
    public static readonly TimeSpan FailedInstancePause = TimeSpan.FromSeconds(3);

    /// <summary>How long looking up the host names of an upstream's instances may take altogether.</summary>
    public static readonly TimeSpan LookupTimeout = TimeSpan.FromSeconds(5);

    /// <summary>How often a former listener is asked whether its last connection is over.</summary>
    public static readonly TimeSpan DrainInterval = TimeSpan.FromSeconds(1);

    /// <summary>The first pause of a watch after a failure; doubled each time, half of it by chance.</summary>
    public static readonly TimeSpan WatchBackoff = TimeSpan.FromMilliseconds(250);

    /// <summary>The longest pause of a watch after failures.</summary>
    public static readonly TimeSpan WatchBackoffLimit = TimeSpan.FromSeconds(10);

    /// <summary>How long one blocking read waits at the agent.</summary>
    public static readonly TimeSpan WatchWait = TimeSpan.FromMinutes(5);

    /// <summary>How often prepared queries run, as the agent cannot watch them.</summary>
    public static readonly TimeSpan QueryInterval = TimeSpan.FromSeconds(5);

    /// <summary>How often policy is asked where it cannot be watched: a deny must act within a second.</summary>
    public static readonly TimeSpan PolicyInterval = TimeSpan.FromMilliseconds(700);

    /// <summary>How long a stand-in keeps the place free for who asked as a proxy asks first, but as people may too.
    /// A proxy that means it asks for more at once.</summary>
    public static readonly TimeSpan LookClaim = TimeSpan.FromSeconds(3);

    /// <summary>How long a stand-in keeps the place free for who went on to ask what only proxies ask: its certificate
    /// may take a while.</summary>
    public static readonly TimeSpan FollowerClaim = TimeSpan.FromSeconds(10);

    /// <summary>How long a stand-in does not believe looks after one that came to nothing.</summary>
    public static readonly TimeSpan FalseClaimPause = TimeSpan.FromMinutes(1);

    /// <summary>How often a stand-in that made room looks whether who asked for the place has come.</summary>
    public static readonly TimeSpan ArrivalInterval = TimeSpan.FromMilliseconds(100);

    /// <summary>How often a stand-in that made room looks whether the place is free again.</summary>
    public static readonly TimeSpan StandInInterval = TimeSpan.FromSeconds(1);

    /// <summary>How long who asks for the place waits until the stand-in has closed its listeners, which takes
    /// milliseconds.</summary>
    public static readonly TimeSpan MakeRoom = TimeSpan.FromSeconds(2);
}
