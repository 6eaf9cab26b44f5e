namespace Gossip.Serf.Wire;

/// <summary>The first byte of each message. The numbers are the protocol's and never change.</summary>
internal enum SerfMessageType : byte
{
    Leave = 0,
    Join = 1,
    PushPull = 2,
    UserEvent = 3,
    Query = 4,
    QueryResponse = 5,
    ConflictResponse = 6,
    KeyRequest = 7,
    KeyResponse = 8,
    Relay = 9,
}
