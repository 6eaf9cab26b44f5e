using System.Text.Json;
using System.Text.Json.Serialization;

namespace Praetor.Server.Replication;

/// <summary>Who writes.</summary>
/// <param name="Epoch">The number of the leadership; each is taken once.</param>
/// <param name="Id">The server's node id.</param>
/// <param name="Name">The server's node name.</param>
/// <param name="Rpc">Where it takes calls of other agents, <c>ip:port</c>.</param>
/// <param name="MemberId">Its member of etcd.</param>
public sealed record LeaderRecord(ulong Epoch, string Id, string Name, string Rpc, ulong MemberId);

/// <summary>Which snapshot the log continues.</summary>
/// <param name="Sequence">The place in the log up to which it holds everything.</param>
/// <param name="LastIndex">The index of the last command in it; entries of the log up to that add nothing.</param>
/// <param name="Parts">How many parts it has.</param>
internal sealed record SnapshotPointer(ulong Sequence, ulong LastIndex, int Parts);

/// <summary>The small documents beside the log.</summary>
[JsonSerializable(typeof(LeaderRecord))]
[JsonSerializable(typeof(SnapshotPointer))]
internal sealed partial class ReplicationJson : JsonSerializerContext
{
    public static LeaderRecord? Leader(byte[] bytes) => JsonSerializer.Deserialize(bytes, Default.LeaderRecord);

    public static byte[] Bytes(LeaderRecord leader) =>
        JsonSerializer.SerializeToUtf8Bytes(leader, Default.LeaderRecord);

    public static SnapshotPointer? Pointer(byte[] bytes) =>
        JsonSerializer.Deserialize(bytes, Default.SnapshotPointer);

    public static byte[] Bytes(SnapshotPointer pointer) =>
        JsonSerializer.SerializeToUtf8Bytes(pointer, Default.SnapshotPointer);
}
