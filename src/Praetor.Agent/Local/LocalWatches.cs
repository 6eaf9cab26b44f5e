namespace Praetor.Agent.Local;

/// <summary>Wakes those who wait for a service of this agent to change.</summary>
public sealed class LocalWatches
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, TaskCompletionSource> _waiting = new(StringComparer.Ordinal);

    public LocalWatches(LocalState state) => state.Changed += OnChanged;

    /// <summary>Ends when the service changes, comes or goes. Take it before looking at the state.</summary>
    public Task NextAsync(string serviceId)
    {
        lock (_gate)
        {
            if (!_waiting.TryGetValue(serviceId, out var next))
            {
                next = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                _waiting.Add(serviceId, next);
            }

            return next.Task;
        }
    }

    private void OnChanged(LocalChange change)
    {
        var woken = new List<TaskCompletionSource>();
        lock (_gate)
        {
            foreach (var id in change.Services)
            {
                if (_waiting.Remove(id, out var next))
                {
                    woken.Add(next);
                }
            }
        }

        woken.ForEach(static next => next.TrySetResult());
    }
}
