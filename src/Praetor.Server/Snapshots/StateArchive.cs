using Codecs.Snapshots;
using Praetor.Server.State;

namespace Praetor.Server.Snapshots;

/// <summary>Writes the state as an archive that we and Consul read.</summary>
public static class StateArchive
{
    /// <summary>Writes a state; it stays as it is meanwhile, whatever is changed.</summary>
    /// <param name="snapshot">The state.</param>
    /// <param name="to">Where it goes; left open.</param>
    /// <param name="time">The clock.</param>
    /// <param name="stop">Gives up.</param>
    public static Task<SnapshotMeta> WriteAsync(
        StateSnapshot snapshot, Stream to, TimeProvider time, CancellationToken stop)
    {
        var index = Math.Max(1, snapshot.Index);
        return new SnapshotWriter(to, time).WriteAsync(index, blocks => AddAll(snapshot, blocks), stop);
    }

    private static IEnumerable<bool> AddAll(StateSnapshot snapshot, SnapshotBlocks blocks)
    {
        var view = new ReadView(snapshot, tracks: false);
        foreach (var kind in RecordKinds.All)
        {
            foreach (var _ in kind.Write?.Invoke(view, blocks) ?? [])
            {
                yield return true;
            }
        }
    }
}
