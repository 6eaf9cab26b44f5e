namespace Gossip.Wire;

/// <summary>
/// Messages to datagrams and back, with everything that is wrapped around them: from the inside out, several messages
/// to one (compound), compression, checksum, encryption, label.
/// </summary>
/// <remarks>
/// Its buffers and ciphers are kept between calls. One thread may write while another reads, no more than that.
/// Changes of the keyring count from the next packet on.
/// </remarks>
public sealed class PacketCodec : IDisposable
{
    private readonly PacketWriter _writer;
    private readonly PacketReader _reader;

    /// <param name="keyring">Empty: nothing is encrypted, until it gets a key.</param>
    public PacketCodec(WireOptions options, Keyring keyring)
    {
        var label = new WireLabel(options);
        _writer = new PacketWriter(options, label, keyring);
        _reader = new PacketReader(options, label, keyring);
    }

    /// <summary>Messages in the packet that is being filled.</summary>
    public int Count => _writer.Count;

    /// <summary>Bytes that another message may have; the room that its place in the packet takes is taken
    /// off.</summary>
    public int Room => _writer.Room;

    /// <summary>
    /// Adds a message to the packet that is being filled. The first one may be as large as a datagram can be; further
    /// ones only fill up what is left of <see cref="WireOptions.PacketBytes"/>.
    /// </summary>
    /// <returns>False when it does not fit; the packet is as it was.</returns>
    /// <exception cref="ArgumentException">The message goes over streams only.</exception>
    public bool TryAdd(SwimMessage message) => _writer.TryAdd(message);

    /// <summary>The same for a message that <see cref="Encode"/> made: broadcasts are sent many times.</summary>
    public bool TryAdd(ReadOnlySpan<byte> encoded) => _writer.TryAdd(encoded);

    /// <summary>Ends the packet and begins the next.</summary>
    /// <param name="checksum">Whether the receiver speaks protocol 5 or later, which checks packets' sums.</param>
    /// <returns>The datagram; valid until the next message is added. Empty when nothing was added.</returns>
    public ReadOnlyMemory<byte> Finish(bool checksum) => _writer.Finish(checksum);

    /// <summary>Forgets what was added.</summary>
    public void Reset() => _writer.Reset();

    /// <summary>One message alone, to be kept and added often.</summary>
    /// <exception cref="ArgumentException">It goes over streams only, or is larger than a datagram.</exception>
    public byte[] Encode(SwimMessage message) => _writer.Encode(message);

    /// <summary>Reads a datagram; never throws, whatever its bytes.</summary>
    /// <param name="messages">Gets what was understood. A broken message leaves out itself, not its neighbours.</param>
    /// <returns>What was wrong first; <see cref="WireError.None"/>: nothing.</returns>
    public WireError Decode(ReadOnlySpan<byte> datagram, ICollection<SwimMessage> messages) =>
        _reader.Read(datagram, messages);

    public void Dispose()
    {
        _writer.Dispose();
        _reader.Dispose();
    }
}
