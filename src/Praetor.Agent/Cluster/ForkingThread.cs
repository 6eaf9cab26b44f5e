using System.Collections.Concurrent;

namespace Praetor.Agent.Cluster;

/// <summary>A thread that starts processes which shall die with us.</summary>
/// <remarks>Linux sends the signal of a parent's death when the thread ends that made the child. Threads of the pool
/// come and go, so a child of theirs would be killed at some odd moment.</remarks>
internal sealed class ForkingThread : IDisposable
{
    private const int PendingMax = 4;

    private readonly BlockingCollection<Action> _pending = new(PendingMax);
    private readonly Thread _thread;

    public ForkingThread(string name)
    {
        _thread = new Thread(Run) { Name = name, IsBackground = true };
        _thread.Start();
    }

    /// <summary>Runs it on the thread.</summary>
    public Task<T> RunAsync<T>(Func<T> start)
    {
        var done = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        _pending.Add(() =>
        {
            try
            {
                done.SetResult(start());
            }
            catch (Exception failure)
            {
                // supervisor: it belongs to who asked, and the thread must go on.
                done.SetException(failure);
            }
        });
        return done.Task;
    }

    /// <summary>Ends the thread, and with it what it started.</summary>
    public void Dispose()
    {
        _pending.CompleteAdding();
        _thread.Join();
        _pending.Dispose();
    }

    private void Run()
    {
        foreach (var action in _pending.GetConsumingEnumerable())
        {
            action();
        }
    }
}
