namespace Gossip.Wire;

/// <summary>How this member writes and what it takes; the whole cluster must agree on the label and the keys.</summary>
public sealed record WireOptions
{
    /// <summary>How far packets are filled. Default 1,400 bytes.</summary>
    public int PacketBytes { get; init; } = WireLimits.PacketBytesDefault;

    /// <summary>
    /// Keeps clusters apart that share a network: whoever has another label is not understood. Default empty: none.
    /// At most 255 bytes. Members before memberlist 0.3 do not know labels.
    /// </summary>
    public string Label { get; init; } = "";

    /// <summary>Takes packets without a label although this member sends one: for the time of a change. Default
    /// no.</summary>
    public bool SkipInboundLabelCheck { get; init; }

    /// <summary>Whether what gets shorter by it is compressed. Default yes; everybody understands both.</summary>
    public bool Compress { get; init; } = true;

    /// <summary>Refuses what is not encrypted, when there is a keyring. Default yes; no only while keys are rolled
    /// out.</summary>
    public bool EncryptVerifyIncoming { get; init; } = true;

    /// <summary>Encrypts what is sent, when there is a keyring. Default yes; no only while keys are rolled
    /// out.</summary>
    public bool EncryptVerifyOutgoing { get; init; } = true;

    /// <summary>
    /// Protocol version 1 knows only the older encryption, which pads; later ones know both. Default no.
    /// </summary>
    public bool PadEncrypted { get; init; }

    /// <summary>The port of members who do not name theirs (protocol 1). Default 7946, serf's; Consul's is
    /// 8301.</summary>
    public ushort DefaultPort { get; init; } = 7946;
}
