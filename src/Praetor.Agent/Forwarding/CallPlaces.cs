using System.Diagnostics.CodeAnalysis;

namespace Praetor.Agent.Forwarding;

/// <summary>How many calls of one connection may be under way, and of how many bytes together. One
/// thread takes places; whoever is done gives them back.</summary>
/// <param name="callsMax">How many calls.</param>
/// <param name="bytesMax">How many bytes; a call larger than that has its turn when no other is under way.</param>
internal sealed class CallPlaces(int callsMax, int bytesMax)
{
    private readonly Lock _gate = new();
    private TaskCompletionSource? _freed;
    private int _calls;
    private long _bytes;

    /// <summary>Takes the place of a call, when there is one.</summary>
    /// <param name="bytes">The length of the call.</param>
    /// <param name="stop">Ends the wait.</param>
    public async ValueTask TakeAsync(int bytes, CancellationToken stop)
    {
        while (!TryTake(bytes, out var freed))
        {
            await freed.WaitAsync(stop);
        }
    }

    /// <summary>Gives back the place of a call of that length.</summary>
    public void Release(int bytes)
    {
        TaskCompletionSource? freed;
        lock (_gate)
        {
            (_calls, _bytes) = (_calls - 1, _bytes - bytes);
            (freed, _freed) = (_freed, null);
        }

        freed?.TrySetResult();
    }

    private bool TryTake(int bytes, [NotNullWhen(false)] out Task? freed)
    {
        lock (_gate)
        {
            if (_calls < callsMax && (_bytes + bytes <= bytesMax || _calls == 0))
            {
                (_calls, _bytes, freed) = (_calls + 1, _bytes + bytes, null);
                return true;
            }

            _freed ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            freed = _freed.Task;
            return false;
        }
    }
}
