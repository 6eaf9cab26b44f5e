namespace Praetor.Proxy.Plane;

/// <summary>The unfinished handshakes of a lane: whoever says nothing gives way to whoever comes.</summary>
/// <remarks>
/// Anybody who reaches the port can open connections and say nothing. So one source holds only a part of the places,
/// and at either limit the oldest that has not said a byte is the first to go. Used on the loop's thread only.
/// </remarks>
internal sealed class Handshakes<T>(int limit, int limitPerSource, Func<T, bool> isSilent)
    where T : class
{
    private readonly LinkedList<(T Link, ulong Source)> _oldestFirst = [];
    private readonly Dictionary<T, LinkedListNode<(T Link, ulong Source)>> _places = [];
    private readonly Dictionary<ulong, int> _bySource = [];

    /// <summary>How many there are.</summary>
    public int Count => _places.Count;

    /// <summary>Whether one more of a source fits.</summary>
    public bool HasRoom(ulong source) =>
        _places.Count < limit && _bySource.GetValueOrDefault(source) < limitPerSource;

    /// <summary>Who must go so that one more of a source fits; null when one fits already or nobody can go.</summary>
    public T? MakeRoom(ulong source)
    {
        if (HasRoom(source))
        {
            return null;
        }

        var isSourceFull = _bySource.GetValueOrDefault(source) >= limitPerSource;
        foreach (var place in _oldestFirst)
        {
            if ((!isSourceFull || place.Source == source) && isSilent(place.Link))
            {
                return place.Link;
            }
        }

        return null;
    }

    /// <summary>A handshake begins.</summary>
    public void Add(T link, ulong source)
    {
        _places[link] = _oldestFirst.AddLast((link, source));
        _bySource[source] = _bySource.GetValueOrDefault(source) + 1;
    }

    /// <summary>A handshake is over; nothing when it was before.</summary>
    public void Remove(T link)
    {
        if (!_places.Remove(link, out var place))
        {
            return;
        }

        var source = place.Value.Source;
        _oldestFirst.Remove(place);
        var left = _bySource[source] - 1;
        if (left == 0)
        {
            _bySource.Remove(source);
        }
        else
        {
            _bySource[source] = left;
        }
    }
}
