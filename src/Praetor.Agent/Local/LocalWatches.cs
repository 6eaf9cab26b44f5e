namespace Praetor.Agent.Local;

/// <summary>Wakes those who wait for a service of this agent to change.</summary>
public sealed class LocalWatches
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, Entry> _waiting = new(StringComparer.Ordinal);

    public LocalWatches(LocalState state) => state.Changed += OnChanged;

    /// <summary>Services that somebody waits for.</summary>
    public int Count
    {
        get
        {
            lock (_gate)
            {
                return _waiting.Count;
            }
        }
    }

    /// <summary>Begins to wait for a service to change, come or go. Do so before looking at the state.</summary>
    public LocalWait Enter(string serviceId)
    {
        lock (_gate)
        {
            if (!_waiting.TryGetValue(serviceId, out var entry))
            {
                entry = new Entry();
                _waiting.Add(serviceId, entry);
            }

            entry.Waiters++;
            return new LocalWait(entry.Next.Task, () => Leave(serviceId, entry));
        }
    }

    private void Leave(string serviceId, Entry entry)
    {
        lock (_gate)
        {
            if (--entry.Waiters == 0 && _waiting.GetValueOrDefault(serviceId) == entry)
            {
                _waiting.Remove(serviceId);
            }
        }
    }

    private void OnChanged(LocalChange change)
    {
        var woken = new List<Entry>();
        lock (_gate)
        {
            foreach (var id in change.Services)
            {
                if (_waiting.Remove(id, out var entry))
                {
                    woken.Add(entry);
                }
            }
        }

        woken.ForEach(static entry => entry.Next.TrySetResult());
    }

    private sealed class Entry
    {
        public TaskCompletionSource Next { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public int Waiters { get; set; }
    }
}

/// <summary>One who waits; to be disposed when it waits no more, once.</summary>
public sealed class LocalWait(Task next, Action leave) : IDisposable
{
    /// <summary>Ends with the next change.</summary>
    public Task Next { get; } = next;

    public void Dispose() => leave();
}
