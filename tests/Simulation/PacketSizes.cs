using System.Net;
using Gossip.Wire;

namespace Simulation;

/// <summary>
/// About how many bytes messages take in memberlist's encoding: field names and values in MessagePack.
/// </summary>
internal static class PacketSizes
{
    /// <summary>What a packet costs beside its messages: checksum 5, encryption 29 (version, nonce, tag).</summary>
    public const int PerPacket = 34;

    private const int TypeAndMap = 2;
    private const int Number = 5;

    public static int Of(SwimMessage message) => TypeAndMap + message switch
    {
        Ping ping => Field("SeqNo", Number) + Field("Node", Text(ping.Node)) + Source(ping.Source, ping.SourceNode),
        IndirectPing ping => Field("SeqNo", Number) + Field("Target", Bytes(4)) + Field("Port", 3)
            + Field("Node", Text(ping.Node)) + Field("Nack", 1) + Source(ping.Source, ping.SourceNode),
        Ack ack => Field("SeqNo", Number) + Field("Payload", Bytes(ack.Payload.Length)),
        Nack => Field("SeqNo", Number),
        Suspect suspect => Claim(suspect.Node, suspect.From),
        Dead dead => Claim(dead.Node, dead.From),
        Alive alive => State(alive.Node, alive.Meta.Length),
        UserMessage user => user.Payload.Length - 1,
        PushPull pushPull => 30 + pushPull.UserState.Length
            + pushPull.Nodes.Sum(node => 1 + Field("State", 1) + State(node.Name, node.Meta.Length)),
        ErrorResponse error => Field("Error", Text(error.Error)),
        _ => throw new ArgumentException($"{message.GetType().Name} has no size yet: add it", nameof(message)),
    };

    public static int OfPacket(ReadOnlySpan<SwimMessage> messages)
    {
        var bytes = PerPacket + (messages.Length > 1 ? 2 : 0);
        foreach (var message in messages)
        {
            bytes += Of(message) + (messages.Length > 1 ? 2 : 0);
        }
        return bytes;
    }

    private static int Claim(string node, string from) =>
        Field("Incarnation", Number) + Field("Node", Text(node)) + Field("From", Text(from));

    private static int State(string node, int metaBytes) => Field("Incarnation", Number) + Field("Node", Text(node))
        + Field("Addr", Bytes(4)) + Field("Port", 3) + Field("Meta", Bytes(metaBytes)) + Field("Vsn", Bytes(6));

    private static int Source(IPEndPoint? source, string node) => source is null
        ? 0
        : Field("SourceAddr", Bytes(4)) + Field("SourcePort", 3) + Field("SourceNode", Text(node));

    private static int Field(string name, int valueBytes) => 1 + name.Length + valueBytes;

    private static int Text(string text) => (text.Length < 32 ? 1 : 2) + text.Length;

    private static int Bytes(int count) => (count < 32 ? 1 : 3) + count;
}
