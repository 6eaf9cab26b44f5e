using System.Buffers.Binary;

namespace Praetor.Proxy.Framing;

/// <summary>What a frame says. Numbers are on the wire: never change or reuse one.</summary>
internal enum FrameType : byte
{
    /// <summary>Client to server: the next connection begins; decide on it and reach the service.</summary>
    Open = 1,

    /// <summary>Server to client: the service is reached, bytes may come.</summary>
    Opened = 2,

    /// <summary>Server to client: policy says no.</summary>
    Denied = 3,

    /// <summary>Server to client: the service cannot be reached; another instance may do better.</summary>
    Unreachable = 4,

    /// <summary>Bytes of the carried connection follow.</summary>
    Data = 5,

    /// <summary>The sender's direction of the carried connection is over.</summary>
    End = 6,
}

/// <summary>What <see cref="FrameReader.Next"/> found.</summary>
internal enum FrameStep
{
    /// <summary>Not enough bytes for the next thing.</summary>
    More,

    /// <summary>A frame without bytes, of <see cref="FrameReader.Type"/>.</summary>
    Control,

    /// <summary>Bytes of the carried connection.</summary>
    Bytes,

    /// <summary>Not this protocol.</summary>
    Malformed,
}

/// <summary>The frames that let a mutual TLS connection between two proxies of ours carry one connection after
/// another.</summary>
/// <remarks>
/// A full handshake costs about a millisecond of processor time at each end; a carried connection costs a hundredth.
/// Frames have four bytes of head (type, then length in three bytes, most significant first) and only mark where a
/// carried connection begins and ends: one is carried at a time, so none waits for another. The client sends no
/// byte before <see cref="FrameType.Opened"/>, so a kept connection that has died meanwhile costs nothing: nothing of
/// the application's was sent, and the client takes another. Agreed by ALPN, so every other proxy never sees it.
/// </remarks>
internal static class FrameCodec
{
    /// <summary>Bytes before a frame's content.</summary>
    public const int HeadBytes = 4;

    /// <summary>The most bytes that a frame of ours carries.</summary>
    public const int MaxContentBytes = 1 << 20;

    /// <summary>The name both ends agree on by ALPN; a change of the frames needs another.</summary>
    public static ReadOnlySpan<byte> ProtocolName => "praetor-mesh/1"u8;

    /// <summary>Writes a head before content of this length.</summary>
    public static void WriteHead(Span<byte> to, FrameType type, int length) =>
        BinaryPrimitives.WriteUInt32BigEndian(to, ((uint)type << 24) | (uint)length);
}

/// <summary>Takes frames out of bytes as they come, in any pieces.</summary>
internal struct FrameReader
{
    private uint _head;
    private int _headBytes;
    private int _contentLeft;

    /// <summary>The type of the last frame.</summary>
    public FrameType Type { get; private set; }

    /// <summary>Takes the next thing from the front of the bytes.</summary>
    /// <param name="bytes">What came, not yet taken.</param>
    /// <param name="taken">How many bytes are done with; carried bytes are the last <paramref name="content"/> of
    /// them.</param>
    /// <param name="content">How many carried bytes there are.</param>
    public FrameStep Next(ReadOnlySpan<byte> bytes, out int taken, out int content)
    {
        taken = 0;
        content = 0;
        while (_contentLeft == 0 && taken < bytes.Length)
        {
            _head = (_head << 8) | bytes[taken++];
            if (++_headBytes < FrameCodec.HeadBytes)
            {
                continue;
            }

            _headBytes = 0;
            var length = (int)(_head & 0xFFFFFF);
            Type = (FrameType)(_head >> 24);
            if (Type != FrameType.Data)
            {
                return IsControl(Type) && length == 0 ? FrameStep.Control : FrameStep.Malformed;
            }

            if (length is 0 or > FrameCodec.MaxContentBytes)
            {
                return FrameStep.Malformed;
            }

            _contentLeft = length;
        }

        content = Math.Min(_contentLeft, bytes.Length - taken);
        _contentLeft -= content;
        taken += content;
        return content > 0 ? FrameStep.Bytes : FrameStep.More;
    }

    /// <summary>Gives back the last of the carried bytes that <see cref="Next"/> told of, since they found no
    /// taker.</summary>
    public void GiveBack(int bytes) => _contentLeft += bytes;

    private static bool IsControl(FrameType type) => type is FrameType.Open or FrameType.Opened
        or FrameType.Denied or FrameType.Unreachable or FrameType.End;
}
