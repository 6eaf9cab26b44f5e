using Gossip.Coordinates;
using Praetor.Server.State;

namespace Praetor.Server.Coordinates;

/// <summary>Gathers what nodes say of their place and writes it down in batches.</summary>
/// <remarks>
/// Every node of a cluster tells its place again and again, and only the last word counts. Writing each down would cost
/// as much as the catalog itself; so each period only the newest of each node is written, and of very many only some:
/// the others tell it again soon.
/// </remarks>
/// <param name="store">Where they go.</param>
/// <param name="period">How long updates gather. Consul's is 5 s.</param>
/// <param name="time">The clock.</param>
public sealed class CoordinateCollector(StateStore store, TimeSpan period, TimeProvider time)
{
    /// <summary>How many go into one command.</summary>
    public const int BatchSize = 128;

    /// <summary>How many commands a period makes at most.</summary>
    public const int BatchesPerPeriod = 5;

    /// <summary>How many nodes may wait for the period's end; more cannot be written in it anyway, and a sender
    /// must not fill the memory with names.</summary>
    public const int PendingMax = 4 * BatchSize * BatchesPerPeriod;

    private readonly Lock _gate = new();
    private readonly SemaphoreSlim _told = new(0, 1);
    private Dictionary<(string Node, string Segment), Coordinate> _pending = [];

    /// <summary>Takes an update in.</summary>
    /// <returns>Why not, in the words that clients get. Null: it was taken.</returns>
    public Refusal? Add(CoordinateUpdate update)
    {
        if (!update.Where.IsValid)
        {
            return Refusal.Failed("invalid coordinate");
        }

        if (!update.Where.IsCompatibleWith(Coordinate.Origin))
        {
            return Refusal.Failed("incompatible coordinate");
        }

        lock (_gate)
        {
            if (_pending.Count < PendingMax || _pending.ContainsKey((update.Node, update.Segment)))
            {
                _pending[(update.Node, update.Segment)] = update.Where;
            }

            if (_told.CurrentCount == 0)
            {
                _told.Release();
            }
        }

        return null;
    }

    /// <summary>Writes down what has gathered; the rest of very many is dropped.</summary>
    /// <returns>How many were dropped.</returns>
    public async Task<int> FlushAsync()
    {
        Dictionary<(string Node, string Segment), Coordinate> pending;
        lock (_gate)
        {
            (pending, _pending) = (_pending, []);
        }

        var kept = pending.Take(BatchSize * BatchesPerPeriod)
            .Select(static p => new CoordinateUpdate(p.Key.Node, p.Key.Segment, p.Value));
        foreach (var batch in kept.Chunk(BatchSize))
        {
            await store.SubmitAsync(new UpdateCoordinates(batch));
        }

        return Math.Max(0, pending.Count - (BatchSize * BatchesPerPeriod));
    }

    /// <summary>Writes down every period, until stopped.</summary>
    public async Task RunAsync(CancellationToken stop)
    {
        while (true)
        {
            // While nobody tells anything there is nothing to wake for.
            await _told.WaitAsync(stop);
            await Task.Delay(period, time, stop);
            await FlushAsync();
        }
    }
}
