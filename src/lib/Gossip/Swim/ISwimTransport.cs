using System.Net;
using Gossip.Wire;

namespace Gossip.Swim;

/// <summary>The way out of <see cref="SwimCore"/>: sockets in the product, a simulated network in tests.</summary>
/// <remarks>Called by the core inside its own methods. Must return at once and must not call the core back.</remarks>
public interface ISwimTransport
{
    /// <summary>
    /// Bytes that messages may take in one packet: 1,400 less what label, checksum and encryption add.
    /// </summary>
    int PacketBytesMax { get; }

    /// <summary>The size of a message's encoding, with its type byte.</summary>
    int EncodedSize(SwimMessage message);

    /// <summary>Sends messages as one packet; loss is allowed. The span is valid during the call only.</summary>
    void SendPacket(IPEndPoint to, ReadOnlySpan<SwimMessage> messages);

    /// <summary>
    /// Opens a stream, sends the request (<see cref="Ping"/> or <see cref="PushPull"/>), reads one answer and reports
    /// it
    /// by <see cref="SwimCore.StreamAnswered"/>, or failure by <see cref="SwimCore.StreamFailed"/>.
    /// </summary>
    /// <param name="exchange">The number to report with.</param>
    /// <param name="timeout">When to give up.</param>
    void Exchange(long exchange, IPEndPoint to, SwimMessage request, TimeSpan timeout);
}
