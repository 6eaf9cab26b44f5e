using System.Buffers.Binary;

namespace Codecs.Http2;

/// <summary>What a frame of HTTP/2 is for (RFC 9113, section 6).</summary>
public enum Http2FrameType : byte
{
    /// <summary>A part of a body.</summary>
    Data = 0,

    /// <summary>The beginning of a request or an answer, or its trailers.</summary>
    Headers = 1,

    /// <summary>One stream is over at once.</summary>
    ResetStream = 3,

    /// <summary>How one end wants to be spoken to.</summary>
    Settings = 4,

    /// <summary>A promise of what was not asked for.</summary>
    PushPromise = 5,

    /// <summary>Asks for the same bytes back.</summary>
    Ping = 6,

    /// <summary>The connection takes no more streams.</summary>
    GoAway = 7,

    /// <summary>More bytes may be sent.</summary>
    WindowUpdate = 8,

    /// <summary>What did not fit into the frame of headers before it.</summary>
    Continuation = 9,
}

/// <summary>The nine bytes before what a frame of HTTP/2 carries.</summary>
/// <param name="Length">Bytes that follow; at most 2^24 - 1.</param>
/// <param name="Type">What it is for.</param>
/// <param name="Flags">See the constants; their meaning depends on the type.</param>
/// <param name="Stream">The stream; 0: the connection.</param>
public readonly record struct Http2Frame(int Length, Http2FrameType Type, byte Flags, int Stream)
{
    /// <summary>Bytes of a frame's header.</summary>
    public const int HeaderBytes = 9;

    /// <summary>The longest frame that may be sent to who has not allowed more.</summary>
    public const int PayloadBytesDefault = 16 * 1024;

    /// <summary>The window of a connection and of each stream before anything was said.</summary>
    public const int WindowDefault = 65_535;

    /// <summary>The largest window.</summary>
    public const int WindowMax = int.MaxValue;

    /// <summary>The stream ends with this frame (data, headers).</summary>
    public const byte EndStream = 0x1;

    /// <summary>It confirms (settings, ping).</summary>
    public const byte Ack = 0x1;

    /// <summary>The headers are complete (headers, continuation).</summary>
    public const byte EndHeaders = 0x4;

    /// <summary>The first byte says how many bytes at the end are filling (data, headers).</summary>
    public const byte Padded = 0x8;

    /// <summary>Five bytes about priority come first (headers).</summary>
    public const byte Priority = 0x20;

    private const int StreamMask = int.MaxValue;

    /// <summary>What a client says first.</summary>
    public static ReadOnlySpan<byte> Preface => "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8;

    /// <summary>Reads a header from at least <see cref="HeaderBytes"/>.</summary>
    public static Http2Frame Read(ReadOnlySpan<byte> from) => new(
        (from[0] << 16) | BinaryPrimitives.ReadUInt16BigEndian(from[1..]),
        (Http2FrameType)from[3],
        from[4],
        BinaryPrimitives.ReadInt32BigEndian(from[5..]) & StreamMask);

    /// <summary>Writes the header into at least <see cref="HeaderBytes"/>.</summary>
    public void Write(Span<byte> into)
    {
        into[0] = (byte)(Length >> 16);
        BinaryPrimitives.WriteUInt16BigEndian(into[1..], (ushort)Length);
        into[3] = (byte)Type;
        into[4] = Flags;
        BinaryPrimitives.WriteInt32BigEndian(into[5..], Stream);
    }

    /// <summary>What of a frame's bytes is data or headers, without filling and priority; false: they contradict
    /// each other.</summary>
    public bool TryStrip(ReadOnlySpan<byte> payload, out ReadOnlySpan<byte> content)
    {
        content = payload;
        var filling = 0;
        if ((Flags & Padded) != 0)
        {
            if (content.IsEmpty)
            {
                return false;
            }

            filling = content[0];
            content = content[1..];
        }

        const int PriorityBytes = 5;
        var skip = Type == Http2FrameType.Headers && (Flags & Priority) != 0 ? PriorityBytes : 0;
        if (skip + filling > content.Length)
        {
            return false;
        }

        content = content[skip..^filling];
        return true;
    }
}
