namespace Gossip.Wire;

/// <summary>The sizes and numbers of encrypted bytes.</summary>
internal static class SealFormat
{
    /// <summary>The plain bytes are filled up to whole blocks; only protocol version 1 writes this.</summary>
    public const byte VersionPadded = 0;
    public const byte VersionPlain = 1;
    public const int NonceBytes = 12;
    public const int TagBytes = 16;
    public const int BlockBytes = 16;
    public const int OverheadBytes = 1 + NonceBytes + TagBytes;

    /// <summary>Before an encrypted message in a stream: its type byte and its length.</summary>
    public const int StreamHeadBytes = 1 + sizeof(uint);

    public static int SealedLength(int plainLength, bool pads) =>
        OverheadBytes + plainLength + (pads ? BlockBytes - plainLength % BlockBytes : 0);
}
