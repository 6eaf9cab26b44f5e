namespace Gossip.Swim;

/// <summary>What bounds the memory of a member, whatever others send.</summary>
public static class SwimLimits
{
    /// <summary>Members known at once; claims of more are dropped. Three times the largest pools people run.</summary>
    public const int MembersMax = 131_072;

    /// <summary>Characters in a member's name. Consul's are at most 128.</summary>
    public const int NameCharsMax = 256;

    /// <summary>Bytes of a member's meta data: memberlist's own bound.</summary>
    public const int MetaBytesMax = 512;

    /// <summary>
    /// Indirect pings carried out for others at once; more are dropped, their askers have others to ask.
    /// </summary>
    public const int RelaysMax = 1_024;

    /// <summary>Exchanges over streams that this member has begun and that are not finished.</summary>
    public const int ExchangesMax = 64;

    /// <summary>Refused claims to the name of a member that still lives.</summary>
    public const int NameClaimsMax = 128;

    /// <summary>Failed members that are asked again; of more, some are dropped by chance.</summary>
    public const int LostMembersMax = 256;

    /// <summary>Broadcasts queued, at least; twice the number of members when that is more. serf's rule.</summary>
    public const int BroadcastsMax = 4_096;

    /// <summary>Messages in one packet: a compound message counts them in one byte.</summary>
    public const int PacketMessagesMax = 255;

    /// <summary>Members chosen at random at once, for gossip or as helpers.</summary>
    public const int ChosenMax = 16;

    /// <summary>
    /// How far a claim's incarnation may lie above what is known, beyond <see cref="IncarnationFirstMax"/>.
    /// </summary>
    /// <remarks>
    /// One refutation or change of meta data adds one, so honest numbers stay far below. Without a bound one message
    /// with the largest number would silence its victim for ever: nothing larger is left to refute with.
    /// </remarks>
    public const uint IncarnationJumpMax = 1 << 20;

    /// <summary>The largest incarnation that is believed whatever is known.</summary>
    public const uint IncarnationFirstMax = 1 << 30;
}
