namespace Gossip.Wire;

/// <summary>The first byte of each message and wrapping. The numbers are the protocol's and never change.</summary>
internal enum SwimMessageType : byte
{
    Ping = 0,
    IndirectPing = 1,
    Ack = 2,
    Suspect = 3,
    Alive = 4,
    Dead = 5,
    PushPull = 6,
    Compound = 7,
    User = 8,
    Compressed = 9,
    Encrypted = 10,
    Nack = 11,
    Checksum = 12,
    Error = 13,
    Label = 244,
}
