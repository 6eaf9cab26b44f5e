using System.Net;
using Praetor.Server.Storage.Etcd;

namespace Praetor.Agent.Cluster;

/// <summary>A member of the first cluster.</summary>
/// <param name="Name">Its <see cref="EtcdChildOptions.Name"/>.</param>
/// <param name="PeerUrl">Its <see cref="EtcdChildOptions.PeerUrl"/>.</param>
internal readonly record struct EtcdInitialMember(string Name, string PeerUrl);

/// <summary>How an etcd is run as a child of the agent.</summary>
internal sealed record EtcdChildOptions
{
    private const long SpaceBytesUsual = 2L * 1024 * 1024 * 1024;
    private const int RequestBytesUsual = 8 * 1024 * 1024;

    /// <summary>The executable. Null: <c>etcd</c> on the PATH.</summary>
    public string? Program { get; init; }

    /// <summary>Where all of its files are; made when it is not there. One folder for one member, ours alone.</summary>
    public required string Folder { get; init; }

    /// <summary>Whose data is in the folder: this agent's node id. Another's folder is refused.</summary>
    public required string NodeId { get; init; }

    /// <summary>Which cluster the data belongs to. Members with different tokens never talk to each other.</summary>
    public required string ClusterToken { get; init; }

    /// <summary>The member's name, unique in the cluster; without comma, equals sign and blank.</summary>
    public required string Name { get; init; }

    /// <summary>Where it listens for other members: scheme, IP address and port.</summary>
    public required string PeerListenUrl { get; init; }

    /// <summary>Where other members reach it.</summary>
    public required string PeerUrl { get; init; }

    /// <summary>Who is in the cluster when this member first starts, itself included. Without meaning once there is
    /// data.</summary>
    public required IReadOnlyList<EtcdInitialMember> InitialCluster { get; init; }

    /// <summary>Whether those members make a new cluster. False: this one joins them, and they have added it
    /// before.</summary>
    public required bool IsNewCluster { get; init; }

    /// <summary>TLS between members. Null: none.</summary>
    public EtcdPeerTls? PeerTls { get; init; }

    /// <summary>How often a leader tells that it is there. Default 50 ms.</summary>
    public TimeSpan HeartbeatInterval { get; init; } = TimeSpan.FromMilliseconds(50);

    /// <summary>After how much silence another is elected. Default 500 ms; ten times
    /// <see cref="HeartbeatInterval"/>, and at least five times (else etcd refuses).</summary>
    /// <remarks>With 500 ms a dead leader cost 0.67 s without a false election on two busy cores; with etcd's own
    /// 1,000 ms it was 1.3 to 1.6 s.</remarks>
    public TimeSpan ElectionTimeout { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>Operations in one transaction, at most. Default 2,048; etcd's own 128 are few for a batch.</summary>
    public int TxnOpsMax { get; init; } = 2048;

    /// <summary>Bytes of one request, at most. Default 8 MiB.</summary>
    public int RequestBytesMax { get; init; } = RequestBytesUsual;

    /// <summary>How large the member's file may be; then writes are refused. Default 2 GiB.</summary>
    public long SpaceBytesMax { get; init; } = SpaceBytesUsual;

    /// <summary>After how many commits etcd shortens the log that it keeps in memory, down to the last 5,000 of
    /// them. Default 2,000; its own 100,000 cost a gigabyte with commits of 10 KB.</summary>
    public int SnapshotCount { get; init; } = 2000;

    /// <summary>How long it may take to end before it is killed. Default 5 s: enough to pass leadership on.</summary>
    public TimeSpan StopLimit { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>What is wrong with these options, each with a remedy; empty when nothing is.</summary>
    public IEnumerable<string> Problems()
    {
        if (Name.Length == 0 || Name.AsSpan().IndexOfAny(", =") >= 0)
        {
            yield return $"'{Name}' cannot name a member of etcd: it must not be empty or have a comma, an equals sign "
                + "or a blank";
        }

        if (!Uri.TryCreate(PeerListenUrl, UriKind.Absolute, out var listen)
            || !IPAddress.TryParse(listen.Host.Trim('[', ']'), out _))
        {
            yield return $"etcd cannot listen for other members at '{PeerListenUrl}': give scheme, IP address and port";
        }

        if (InitialCluster.All(member => member != new EtcdInitialMember(Name, PeerUrl)))
        {
            yield return $"etcd's initial cluster lacks this member: {Name}={PeerUrl}";
        }

        if (ElectionTimeout < 5 * HeartbeatInterval)
        {
            yield return $"etcd's election timeout ({ElectionTimeout.TotalMilliseconds} ms) must be at least five "
                + $"times its heartbeat interval ({HeartbeatInterval.TotalMilliseconds} ms)";
        }
    }

    /// <summary>How to call the member that listens at a socket.</summary>
    internal EtcdClientOptions ClientOptions(string socket) =>
        new() { Endpoints = ["unix://" + socket], RequestBytesMax = RequestBytesMax };
}
