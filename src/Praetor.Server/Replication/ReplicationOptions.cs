namespace Praetor.Server.Replication;

/// <summary>Times and sizes of replication.</summary>
public sealed record ReplicationOptions
{
    private const int RequestRest = 16 * 1024;
    private const int RequestRestPart = 256;

    /// <summary>How often the leader shows that it lives when it has nothing to write.</summary>
    public TimeSpan Beat { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>How long the leader answers reads without asking anybody, from the sending of what proved it last.
    /// Shorter than <see cref="Silence"/>, so that nobody leads before it is over.</summary>
    public TimeSpan Lease { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>How long nothing may be heard of the leader until another server takes its place; up to a fifth is
    /// added by chance.</summary>
    public TimeSpan Silence { get; init; } = TimeSpan.FromMilliseconds(1500);

    /// <summary>How long one call to etcd may take. What takes longer is asked again.</summary>
    public TimeSpan CallTime { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>How long looking at the log and taking the lead may take at first: short, since what an etcd was
    /// sending to one that died is never answered, while another leads already. Longer after several for nothing
    /// (<see cref="LogPace"/>).</summary>
    public TimeSpan SeekTime { get; init; } = TimeSpan.FromMilliseconds(400);

    /// <summary>How long the outcome of a write is looked for; then it is told as unknown, and the leader steps
    /// down.</summary>
    public TimeSpan OutcomeTime { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>The same while no process of etcd runs that could tell.</summary>
    public TimeSpan OutcomeTimeWhenAbsent { get; init; } = TimeSpan.FromMilliseconds(1500);

    /// <summary>How long no snapshot is tried after one found no space, unless something is removed before.</summary>
    public TimeSpan SpacePause { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Pause before a call that failed is made again.</summary>
    public TimeSpan Pause { get; init; } = TimeSpan.FromMilliseconds(50);

    /// <summary>The same with more patience: for slow networks and machines.</summary>
    /// <param name="factor">How many times as long others wait; 1 changes nothing.</param>
    /// <remarks>The beat and the lease stay: then a server with more patience and one with less agree on when the
    /// leader's lease is over, and the setting may be changed on one server after the other.</remarks>
    public ReplicationOptions With(int factor) => this with
    {
        Silence = Silence * factor,
        CallTime = CallTime * factor,
        SeekTime = SeekTime * factor,
        OutcomeTime = OutcomeTime * factor,
    };

    /// <summary>The largest request that etcd takes (its <c>--max-request-bytes</c>). A command that needs a larger one
    /// is refused. Default 8 MiB, what a supervised etcd is told to take.</summary>
    public long RequestBytesMax { get; init; } = 8 * 1024 * 1024;

    /// <summary>How much of that is for the command: the rest is for what goes with it, keys and conditions, what etcd
    /// adds for its own log, and the little by which compression may make a part larger.</summary>
    public long CommandBytesMax => RequestBytesMax - RequestRest - (RequestBytesMax / RequestRestPart);

    /// <summary>How large an entry of the log grows, unless one command alone is larger.</summary>
    public int EntryBytes { get; init; } = 1024 * 1024;

    /// <summary>How large the log grows before a snapshot takes its place, at least; it may become as large as the last
    /// snapshot, so that snapshots cost no more than the log. Each entry counts for
    /// <see cref="ReplicatedEngine.EntryCost"/> more than its bytes.</summary>
    public long LogBytes { get; init; } = 32 * 1024 * 1024;

    /// <summary>How large the log grows at most, however large the last snapshot is.</summary>
    public long LogBytesMax { get; init; } = long.MaxValue;

    /// <summary>How many entries stay when a snapshot has taken their place, for those who are a little
    /// behind.</summary>
    public int EntriesKept { get; init; } = 1000;

    /// <summary>How long what was overwritten stays in etcd's history; zero: not at all.</summary>
    public TimeSpan HistoryKept { get; init; }

    /// <summary>How many bytes of records go into one part of a snapshot, before compression, unless one record alone
    /// is larger.</summary>
    public int PartBytes { get; init; } = 4 * 1024 * 1024;
}
