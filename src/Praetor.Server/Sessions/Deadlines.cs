namespace Praetor.Server.Sessions;

/// <summary>Names and when they are due. Putting one off costs one look-up.</summary>
/// <remarks>Not thread-safe. Each name stands in the queue once; the time that counts is the dictionary's.</remarks>
internal sealed class Deadlines
{
    private readonly Dictionary<string, TimeSpan> _due = new(StringComparer.Ordinal);
    private readonly PriorityQueue<string, TimeSpan> _queue = new();

    public int Count => _due.Count;

    /// <summary>When the next look is worthwhile. Null: nothing is due ever.</summary>
    public TimeSpan? Next => _queue.TryPeek(out _, out var due) ? due : null;

    public bool Has(string name) => _due.ContainsKey(name);

    /// <summary>Sets when a name is due; later than before, if it was there.</summary>
    public void Set(string name, TimeSpan due)
    {
        if (!_due.ContainsKey(name))
        {
            _queue.Enqueue(name, due);
        }

        _due[name] = due;
    }

    /// <summary>Takes names out that are due.</summary>
    public List<string> TakeDue(TimeSpan now, int max)
    {
        var taken = new List<string>();
        while (taken.Count < max && _queue.TryPeek(out var name, out var queued) && queued <= now)
        {
            _queue.Dequeue();
            if (_due.TryGetValue(name, out var due) && due > now)
            {
                _queue.Enqueue(name, due);
            }
            else if (_due.Remove(name))
            {
                taken.Add(name);
            }
        }

        return taken;
    }

    /// <summary>Forgets all names but those that are to be kept.</summary>
    public void Keep(Func<string, bool> keeps)
    {
        var kept = _due.Where(d => keeps(d.Key)).ToList();
        Clear();
        foreach (var (name, due) in kept)
        {
            Set(name, due);
        }
    }

    public void Clear()
    {
        _due.Clear();
        _queue.Clear();
    }
}
