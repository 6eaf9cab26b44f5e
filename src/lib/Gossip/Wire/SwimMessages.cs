using System.Net;

namespace Gossip.Wire;

/// <summary>One message between members, as memberlist's protocol (versions 1 to 5) knows them.</summary>
public abstract record SwimMessage;

/// <summary>Asks a member for a sign of life.</summary>
/// <param name="SequenceNumber">Repeated by the answer.</param>
/// <param name="Node">Who is meant; somebody else who gets it does not answer. Empty: whoever gets it.</param>
/// <param name="Source">Where the answer goes; null: to where the packet came from (older senders).</param>
/// <param name="SourceNode">The name of the asking member; empty from older senders.</param>
public sealed record Ping(uint SequenceNumber, string Node, IPEndPoint? Source, string SourceNode) : SwimMessage;

/// <summary>Asks a third member to ping somebody whom the sender cannot reach.</summary>
/// <param name="WantsNack">Whether a <see cref="Nack"/> is wanted when the target stays silent.</param>
public sealed record IndirectPing(
    uint SequenceNumber, IPEndPoint Target, string Node, bool WantsNack, IPEndPoint? Source, string SourceNode)
    : SwimMessage;

/// <summary>A sign of life. The payload carries the answering member's network coordinate in serf; often
/// empty.</summary>
public sealed record Ack(uint SequenceNumber, ReadOnlyMemory<byte> Payload) : SwimMessage;

/// <summary>The answer of a member who was asked for an indirect ping and got no sign of life itself.</summary>
public sealed record Nack(uint SequenceNumber) : SwimMessage;

/// <summary>Says over a stream why a request was refused.</summary>
public sealed record ErrorResponse(string Error) : SwimMessage;

/// <summary>Claims that a member did not answer.</summary>
public sealed record Suspect(uint Incarnation, string Node, string From) : SwimMessage;

/// <summary>Claims that a member is there: its own word, or somebody's who passes it on.</summary>
/// <param name="Meta">Opaque here; serf's encoded tags. At most 512 bytes.</param>
public sealed record Alive(
    uint Incarnation, string Node, IPEndPoint Address, ReadOnlyMemory<byte> Meta, ProtocolVersions Versions)
    : SwimMessage;

/// <summary>Claims that a member is gone: failed, or, when it says so itself (From = Node), left.</summary>
public sealed record Dead(uint Incarnation, string Node, string From) : SwimMessage;

/// <summary>Bytes of the layer above (serf's messages), passed through.</summary>
public sealed record UserMessage(ReadOnlyMemory<byte> Payload) : SwimMessage;

/// <summary>One side of an exchange of everything known, over a stream.</summary>
/// <param name="Join">Whether the sender joins with this exchange.</param>
/// <param name="UserState">The layer above's own state (serf's push-pull message); may be empty.</param>
public sealed record PushPull(bool Join, IReadOnlyList<PushNodeState> Nodes, ReadOnlyMemory<byte> UserState)
    : SwimMessage;

/// <summary>What a member believes of another, in a <see cref="PushPull"/>.</summary>
public sealed record PushNodeState(
    string Name, IPEndPoint Address, ReadOnlyMemory<byte> Meta, uint Incarnation, MemberState State,
    ProtocolVersions Versions);

/// <summary>memberlist's states, with their numbers on the wire.</summary>
public enum MemberState
{
    Alive = 0,
    Suspect = 1,
    Dead = 2,
    Left = 3,
}

/// <summary>
/// The versions a member speaks: lowest, highest and current, of memberlist's protocol (Protocol*) and of the layer
/// above (Delegate*). Six bytes on the wire, in this order.
/// </summary>
public readonly record struct ProtocolVersions(
    byte ProtocolMin, byte ProtocolMax, byte ProtocolCurrent, byte DelegateMin, byte DelegateMax, byte DelegateCurrent)
{
    /// <summary>What today's members say: protocol 1 to 5 speaking 2, serf 2 to 5 speaking 4 (serf 0.9, Consul
    /// 1.8).</summary>
    public static ProtocolVersions Default => new(1, 5, 2, 2, 5, 4);
}
