using Praetor.Agent.Events;

namespace Unit.Events;

/// <summary>Takes events as gossip gives them.</summary>
/// <param name="name">The name as gossip carries it.</param>
/// <param name="payload">The event, encoded.</param>
/// <param name="lamportTime">When it was fired by gossip's clock.</param>
/// <returns>Whether the event is one for this agent.</returns>
internal delegate bool EventReceiver(string name, ReadOnlySpan<byte> payload, ulong lamportTime);

/// <summary>What an agent without others does: it is everybody.</summary>
internal sealed class LoneBroadcaster(Func<EventReceiver> receiver) : IEventBroadcaster
{
    // One less than what the first event gets in a fresh cluster, where word of the new leader comes before it.
    private long _clock = 1;

    public Task<string?> BroadcastAsync(string name, ReadOnlyMemory<byte> payload, CancellationToken stop)
    {
        receiver()(name, payload.Span, (ulong)Interlocked.Increment(ref _clock));
        return Task.FromResult<string?>(null);
    }
}
