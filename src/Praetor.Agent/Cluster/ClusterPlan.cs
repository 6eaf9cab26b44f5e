using System.Text.Json;
using System.Text.Json.Serialization;
using Praetor.Agent.Local;
using Praetor.Server.Replication;

namespace Praetor.Agent.Cluster;

/// <summary>A server that takes part in replication.</summary>
/// <param name="Id">Its node id, which names its member of etcd, too.</param>
/// <param name="Name">Its node name.</param>
/// <param name="PeerUrl">Where other members reach its etcd.</param>
internal sealed record ClusterMember(string Id, string Name, string PeerUrl)
{
    /// <summary>Whether its etcd speaks TLS with others.</summary>
    [JsonIgnore]
    public bool HasTls => PeerUrl.StartsWith("https:", StringComparison.Ordinal);

    /// <summary>Whether everything is there: it may have come from anybody.</summary>
    [JsonIgnore]
    public bool IsSound => Id is { Length: > 0 } && Name is { Length: > 0 }
        && Uri.TryCreate(PeerUrl, UriKind.Absolute, out _);
}

/// <summary>Which cluster a server belongs to, or has promised to found.</summary>
/// <param name="Token">The cluster's name for itself; another founding has another one.</param>
/// <param name="Members">Who was in it when this server came to it.</param>
/// <param name="IsNew">Whether these servers found it. False: this one joined it.</param>
/// <param name="HasBegun">Whether all have promised, so that it exists.</param>
internal sealed record ClusterPlan(
    string Token, IReadOnlyList<ClusterMember> Members, bool IsNew, bool HasBegun)
{
    /// <summary>Whether this server's etcd may have run: without its data it is another member from now on.</summary>
    public bool HasRun { get; init; }

    /// <summary>Whether this server was taken out, or has lost its data: it waits to be let in again, and never founds
    /// a cluster.</summary>
    public bool IsOut { get; init; }

    /// <summary>Whether everything is there: it may have come from anybody.</summary>
    [JsonIgnore]
    public bool IsSound => Token is { Length: > 0 } && Members is { Count: > 0 }
        && Members.All(static member => member is { IsSound: true });

    /// <summary>The plan in a data folder. Null: there is none.</summary>
    /// <exception cref="IOException">It cannot be read.</exception>
    public static ClusterPlan? Load(string path)
    {
        try
        {
            return File.Exists(path)
                ? JsonSerializer.Deserialize(File.ReadAllBytes(path), ClusterJson.Default.ClusterPlan) : null;
        }
        catch (JsonException e)
        {
            throw new IOException(
                $"{path}: is broken ({e.Message}); restore it, or remove it with the folder etcd beside it", e);
        }
    }

    /// <summary>Keeps the plan, durably.</summary>
    public void Save(string path) =>
        DurableFile.Write(path, JsonSerializer.SerializeToUtf8Bytes(this, ClusterJson.Default.ClusterPlan));
}

/// <summary>What servers answer each other about founding a cluster.</summary>
/// <param name="Plan">What the asked one has. Null: nothing.</param>
/// <param name="IsAgreed">Whether it agrees to what was asked.</param>
internal sealed record ClusterReply(ClusterPlan? Plan, bool IsAgreed);

/// <summary>What the leader says about a server that asks whether it takes part.</summary>
/// <param name="Token">The cluster.</param>
/// <param name="IsMember">Whether it does.</param>
/// <param name="Leader">Who leads.</param>
internal sealed record ClusterStanding(string Token, bool IsMember, LeaderRecord? Leader);

[JsonSerializable(typeof(ClusterPlan))]
[JsonSerializable(typeof(ClusterStanding))]
[JsonSerializable(typeof(ServerReport))]
[JsonSerializable(typeof(UpkeepAsk))]
[JsonSerializable(typeof(UpkeepAnswer))]
[JsonSerializable(typeof(ClusterReply))]
[JsonSerializable(typeof(ClusterMember))]
internal sealed partial class ClusterJson : JsonSerializerContext;
