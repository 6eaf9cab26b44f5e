namespace Gossip.Wire;

/// <summary>What a message may be at most, so that nobody's bytes cost more than their worth.</summary>
public static class WireLimits
{
    /// <summary>How far a packet is filled: the Ethernet MTU less IP and UDP headers and some tunnels'.
    /// 1,400.</summary>
    public const int PacketBytesDefault = 1400;

    /// <summary>The largest datagram over IPv4, which a single message that is larger than the rest may fill.</summary>
    public const int DatagramBytesMax = 65_507;

    /// <summary>What a member may say about itself. 512 bytes, as everybody on the wire expects.</summary>
    public const int MetaBytesMax = 512;

    /// <summary>Messages in one packet: their number is one byte.</summary>
    public const int CompoundMessagesMax = 255;

    /// <summary>A label's length is one byte.</summary>
    public const int LabelBytesMax = 255;

    /// <summary>The largest exchange of state taken from or given to a stream. 20 MiB.</summary>
    public const int StreamBytesMax = 20 * 1024 * 1024;

    /// <summary>The largest exchange of state after expansion. 32 MiB.</summary>
    public const int InflatedBytesMax = 32 * 1024 * 1024;

    /// <summary>Members in one exchange of state. 131,072: three times the largest cluster ever reported.</summary>
    public const int StreamNodesMax = 131_072;

    /// <summary>
    /// Memory that reading may always take; beyond it, <see cref="MemoryPerByteMax"/> for each byte received.
    /// </summary>
    public const int MemoryFreeBytes = 1024 * 1024;

    /// <summary>Memory that reading may take for each byte received, beside <see cref="MemoryFreeBytes"/>.</summary>
    public const int MemoryPerByteMax = 16;

    /// <summary>
    /// How many times its size a compressed exchange of state may expand to, beyond <see cref="InflatedFreeBytes"/>.
    /// 64: members that differ in name and address only, as machines of one make do, shrink to a 40th or so.
    /// </summary>
    public const int ExpansionMax = 64;

    /// <summary>What any compressed exchange of state may expand to. 1 MiB.</summary>
    public const int InflatedFreeBytes = 1024 * 1024;

    /// <summary>
    /// Memory that reading a compressed exchange may take for each byte after expansion, the expanded bytes among it.
    /// 4: a member's record takes three times its bytes, at most.
    /// </summary>
    public const int MemoryPerInflatedByteMax = 4;
}
