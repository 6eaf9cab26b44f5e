namespace Praetor.Agent.Events;

/// <summary>Brings a user event to every agent of the datacenter.</summary>
internal interface IEventBroadcaster
{
    /// <summary>Sends it on its way to everybody, this agent included.</summary>
    /// <param name="name">The event's name as gossip carries it.</param>
    /// <param name="payload">The event, encoded.</param>
    /// <param name="stop">Gives up.</param>
    /// <returns>Why not. Null: it is on its way.</returns>
    Task<string?> BroadcastAsync(string name, ReadOnlyMemory<byte> payload, CancellationToken stop);
}
