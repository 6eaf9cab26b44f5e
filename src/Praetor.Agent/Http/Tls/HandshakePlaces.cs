namespace Praetor.Agent.Http.Tls;

/// <summary>The handshakes under way: when there are too many, the oldest gives way.</summary>
/// <remarks>
/// Whoever reaches the port can begin handshakes and not go on. What each of them holds is bounded by their number, and
/// one that comes is done in milliseconds, long before it is the oldest.
/// </remarks>
internal sealed class HandshakePlaces(int max)
{
    private readonly Lock _gate = new();
    private readonly LinkedList<CancellationTokenSource> _oldestFirst = [];

    /// <summary>How many there are.</summary>
    public int Count
    {
        get
        {
            lock (_gate)
            {
                return _oldestFirst.Count;
            }
        }
    }

    /// <summary>One begins; it ends at the latest when its source is cancelled.</summary>
    public LinkedListNode<CancellationTokenSource> Add(CancellationTokenSource handshake)
    {
        CancellationTokenSource? oldest = null;
        LinkedListNode<CancellationTokenSource> place;
        lock (_gate)
        {
            if (_oldestFirst.Count >= max)
            {
                oldest = _oldestFirst.First!.Value;
                _oldestFirst.RemoveFirst();
            }

            place = _oldestFirst.AddLast(handshake);
        }

        if (oldest is not null)
        {
            End(oldest);
        }

        return place;
    }

    /// <summary>It is over; nothing when it had to give way.</summary>
    public void Remove(LinkedListNode<CancellationTokenSource> place)
    {
        lock (_gate)
        {
            if (place.List is not null)
            {
                _oldestFirst.Remove(place);
            }
        }
    }

    private static void End(CancellationTokenSource handshake)
    {
        try
        {
            _ = handshake.CancelAsync();
        }
        catch (ObjectDisposedException)
        {
            // It was over just now.
        }
    }
}
