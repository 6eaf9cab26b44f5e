using System.Buffers;
using System.Buffers.Binary;
using Codecs.Lzw;

namespace Gossip.Wire;

/// <summary>What came over a stream: the message, or why there is none.</summary>
/// <param name="Message">Null when there was an error.</param>
public readonly record struct StreamMessage(SwimMessage? Message, WireError Error);

/// <summary>
/// Messages to the bytes of a stream and back. Each side sends one message and reads one: the label goes in front of
/// the opening side's only, and counts for both.
/// </summary>
/// <remarks>Any number of threads may use it at once: exchanges are rare and large, so nothing is kept for
/// them.</remarks>
public sealed class StreamCodec
{
    private const int FirstBufferBytes = 16 * 1024;

    /// <summary>Messages larger than this are read one after the other, whoever sends them: together they would take
    /// many times the memory that each may. 64 KiB.</summary>
    private const int LargeBytes = 64 * 1024;

    private readonly SemaphoreSlim _large = new(1, 1);
    private readonly WireOptions _options;
    private readonly WireLabel _label;
    private readonly Keyring _keyring;

    /// <param name="keyring">Empty: nothing is encrypted, until it gets a key.</param>
    public StreamCodec(WireOptions options, Keyring keyring)
    {
        _options = options;
        _label = new WireLabel(options);
        _keyring = keyring;
    }

    /// <summary>The bytes to send.</summary>
    /// <param name="opens">Whether this side made the connection.</param>
    /// <exception cref="ArgumentException">The message goes in packets only, or is larger than 20 MiB.</exception>
    public byte[] Encode(SwimMessage message, bool opens)
    {
        ReadOnlySpan<byte> plain = Compressed(Written(message));
        ReadOnlySpan<byte> label = opens ? _label.Header : [];
        if (!_options.EncryptVerifyOutgoing || _keyring.IsEmpty)
        {
            return [.. label, .. plain];
        }
        using var sealer = new PacketSealer(_keyring, _options.PadEncrypted);
        int length = sealer.SealedLength(plain.Length);
        var bytes = new byte[label.Length + SealFormat.StreamHeadBytes + length];
        label.CopyTo(bytes);
        Span<byte> head = bytes.AsSpan(label.Length, SealFormat.StreamHeadBytes);
        head[0] = (byte)SwimMessageType.Encrypted;
        BinaryPrimitives.WriteUInt32BigEndian(head[1..], (uint)length);
        sealer.Seal(plain, [.. head, .. _label.Text], bytes.AsSpan(label.Length + SealFormat.StreamHeadBytes));
        return bytes;
    }

    /// <summary>
    /// Reads the other side's message, which is all that it sends. Memory follows what arrives, not what is
    /// announced; how long
    /// to wait is the caller's to say by <paramref name="stop"/>.
    /// </summary>
    /// <param name="opened">Whether the other side made the connection.</param>
    /// <exception cref="IOException">The connection broke. Its orderly end is an error of the result.</exception>
    public async ValueTask<StreamMessage> ReadAsync(Stream stream, bool opened, CancellationToken stop)
    {
        var frame = new StreamFrame(opened);
        byte[] buffer = ArrayPool<byte>.Shared.Rent(FirstBufferBytes);
        try
        {
            int length = 0;
            WireError error;
            while (!frame.IsWhole(buffer.AsSpan(0, length), out error))
            {
                if (error != WireError.None)
                {
                    return new StreamMessage(null, error);
                }
                if (length == buffer.Length)
                {
                    buffer = Grown(buffer);
                }
                int read = await stream.ReadAsync(buffer.AsMemory(length), stop);
                if (read == 0)
                {
                    return new StreamMessage(null, length == 0 ? WireError.Empty : WireError.Malformed);
                }
                length += read;
            }
            return length > LargeBytes
                ? await DecodeAloneAsync(buffer.AsMemory(0, length), opened, stop)
                : Decoded(buffer.AsSpan(0, length), opened);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>Reads a whole message; never throws, whatever its bytes.</summary>
    /// <param name="opened">Whether the other side made the connection.</param>
    public WireError Decode(ReadOnlySpan<byte> bytes, bool opened, out SwimMessage? message)
    {
        message = null;
        int label = 0;
        WireError error = opened ? _label.Remove(bytes, out label) : WireError.None;
        if (error != WireError.None)
        {
            return error;
        }
        ReadOnlySpan<byte> inside = bytes[label..];
        if (inside.IsEmpty)
        {
            return WireError.Empty;
        }
        if (bytes.Length > StreamFrame.BytesMax)
        {
            return WireError.TooLarge;
        }
        long memory = WireLimits.MemoryFreeBytes + (long)bytes.Length * WireLimits.MemoryPerByteMax;
        if (inside[0] == (byte)SwimMessageType.Encrypted)
        {
            return DecodeSealed(inside, memory, out message);
        }
        return _options.EncryptVerifyIncoming && !_keyring.IsEmpty
            ? WireError.NotEncrypted
            : DecodePlain(inside, memory, out message);
    }

    private StreamMessage Decoded(ReadOnlySpan<byte> bytes, bool opened)
    {
        WireError error = Decode(bytes, opened, out SwimMessage? message);
        return new StreamMessage(message, error);
    }

    private async ValueTask<StreamMessage> DecodeAloneAsync(
        ReadOnlyMemory<byte> bytes, bool opened, CancellationToken stop)
    {
        await _large.WaitAsync(stop);
        try
        {
            return Decoded(bytes.Span, opened);
        }
        finally
        {
            _large.Release();
        }
    }

    private WireError DecodeSealed(ReadOnlySpan<byte> bytes, long memory, out SwimMessage? message)
    {
        message = null;
        if (_keyring.IsEmpty)
        {
            return WireError.NoKeyring;
        }
        if (bytes.Length < SealFormat.StreamHeadBytes)
        {
            return WireError.Malformed;
        }
        uint length = BinaryPrimitives.ReadUInt32BigEndian(bytes[1..]);
        if (length > (uint)(bytes.Length - SealFormat.StreamHeadBytes))
        {
            return WireError.Malformed;
        }
        ReadOnlySpan<byte> body = bytes.Slice(SealFormat.StreamHeadBytes, (int)length);
        byte[] plain = ArrayPool<byte>.Shared.Rent(2 * body.Length);
        try
        {
            using var opener = new PacketOpener(_keyring);
            byte[] also = [.. bytes[..SealFormat.StreamHeadBytes], .. _label.Text];
            return opener.TryOpen(
                body, also, plain.AsSpan(0, body.Length), plain.AsSpan(body.Length), out int plainLength)
                ? DecodePlain(plain.AsSpan(0, plainLength), memory - plain.Length, out message)
                : WireError.NotDecryptable;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(plain);
        }
    }

    private WireError DecodePlain(ReadOnlySpan<byte> bytes, long memory, out SwimMessage? message)
    {
        message = null;
        if (bytes[0] != (byte)SwimMessageType.Compressed)
        {
            return SwimReader.ReadStreamMessage(bytes, _options.DefaultPort, memory, out message);
        }
        WireError error = Compression.Codes(bytes, out ReadOnlySpan<byte> codes);
        if (error != WireError.None)
        {
            return error;
        }
        error = Inflate(codes, out byte[] inflated, out int length);
        if (error != WireError.None)
        {
            return error;
        }
        // What it bought by its size on the wire, or by its size now, whichever is more: much alike shrinks much.
        memory = Math.Max(memory, (long)WireLimits.MemoryPerInflatedByteMax * length) - inflated.Length;
        ReadOnlySpan<byte> inside = inflated.AsSpan(0, length);
        return inside.IsEmpty ? WireError.Empty
            : inside[0] == (byte)SwimMessageType.Compressed ? WireError.Nested
            : SwimReader.ReadStreamMessage(inside, _options.DefaultPort, memory, out message);
    }

    // How long it gets is known at the end only, and a bomb is not believed: so first what honest states need, which
    // shrink to a quarter or so, then more in steps.
    private static WireError Inflate(ReadOnlySpan<byte> codes, out byte[] inflated, out int length)
    {
        const int UsualRatio = 6;
        const int Step = 2;
        long bought = WireLimits.InflatedFreeBytes + (long)WireLimits.ExpansionMax * codes.Length;
        int most = (int)Math.Min(bought, WireLimits.InflatedBytesMax);
        int size = (int)Math.Min(most, FirstBufferBytes + (long)UsualRatio * codes.Length);
        while (true)
        {
            inflated = GC.AllocateUninitializedArray<byte>(size);
            WireError error = Compression.Inflate(codes, inflated, out length);
            if (error != WireError.TooLarge || size == most)
            {
                return error;
            }
            size = (int)Math.Min(most, (long)Step * size);
        }
    }

    private static byte[] Written(SwimMessage message)
    {
        const int RoomOfOthers = 1024;
        const int RoomOfNode = 256;
        int size = FirstBufferBytes + (message as PushPull)?.Nodes.Count * RoomOfNode ?? RoomOfOthers;
        while (true)
        {
            var buffer = new byte[size];
            if (SwimWriter.TryWriteStreamMessage(message, buffer, out int length))
            {
                return buffer[..length];
            }
            if (size == WireLimits.StreamBytesMax)
            {
                throw new ArgumentException(
                    $"A {message.GetType().Name} of more than {size} bytes does not go over a stream.",
                    nameof(message));
            }
            size = (int)Math.Min(WireLimits.StreamBytesMax, 2L * size);
        }
    }

    private ReadOnlySpan<byte> Compressed(byte[] message)
    {
        if (!_options.Compress)
        {
            return message;
        }
        var packed = new byte[message.Length];
        var codes = new byte[message.Length];
        return Compression.TryWrap(new LzwEncoder(), message, codes, packed, out int length)
            ? packed.AsSpan(0, length)
            : message;
    }

    private static byte[] Grown(byte[] buffer)
    {
        byte[] larger = ArrayPool<byte>.Shared.Rent(2 * buffer.Length);
        buffer.CopyTo(larger, 0);
        ArrayPool<byte>.Shared.Return(buffer);
        return larger;
    }
}
