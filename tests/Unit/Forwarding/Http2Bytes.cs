using Codecs.Http2;

namespace Unit.Forwarding;

/// <summary>Frames of HTTP/2 made by hand.</summary>
internal static class Http2Bytes
{
    public static byte[] Frame(Http2FrameType type, byte flags, byte[] payload, int stream)
    {
        var frame = new byte[Http2Frame.HeaderBytes + payload.Length];
        new Http2Frame(payload.Length, type, flags, stream).Write(frame);
        payload.CopyTo(frame, Http2Frame.HeaderBytes);
        return frame;
    }
}
