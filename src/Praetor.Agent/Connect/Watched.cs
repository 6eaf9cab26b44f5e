namespace Praetor.Agent.Connect;

/// <summary>A value and the index at which it became so.</summary>
public sealed record Versioned<T>(T Value, ulong Index);

/// <summary>A value that changes now and then, and readers that wait for the next one.</summary>
public sealed class Watched<T>(TimeProvider time)
    where T : class
{
    private readonly Lock _gate = new();
    private Versioned<T>? _current;
    private TaskCompletionSource _next = New();
    private int _waiting;

    /// <summary>The value now. Null: there is none yet.</summary>
    public Versioned<T>? Current => Volatile.Read(ref _current);

    /// <summary>How many readers wait.</summary>
    public int Waiting => Volatile.Read(ref _waiting);

    /// <summary>Sets the value and wakes all readers. The index always rises, also when the given one does
    /// not.</summary>
    public void Set(Func<ulong, T> make, ulong index)
    {
        TaskCompletionSource woken;
        lock (_gate)
        {
            index = Math.Max(index, (_current?.Index ?? 0) + 1);
            Volatile.Write(ref _current, new Versioned<T>(make(index), index));
            woken = _next;
            _next = New();
        }

        woken.SetResult();
    }

    /// <summary>The value once its index is above the given one, or whatever it is when the wait is over.</summary>
    public async Task<Versioned<T>?> ReadAsync(ulong index, TimeSpan wait, CancellationToken stop)
    {
        // A source's own timer may come late; one of ours would cancel what is disposed, and end the process by that.
        using var limit = new CancellationTokenSource(wait, time);
        using var end = CancellationTokenSource.CreateLinkedTokenSource(stop, limit.Token);
        Interlocked.Increment(ref _waiting);
        try
        {
            while (Next(index) is { } next)
            {
                await next.Task.WaitAsync(end.Token);
            }
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            // The wait is over; the reader gets what there is.
        }
        finally
        {
            Interlocked.Decrement(ref _waiting);
        }

        return Current;
    }

    private TaskCompletionSource? Next(ulong index)
    {
        lock (_gate)
        {
            return _current is { } current && current.Index > index ? null : _next;
        }
    }

    private static TaskCompletionSource New() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
