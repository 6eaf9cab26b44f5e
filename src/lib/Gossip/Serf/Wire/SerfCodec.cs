using System.Diagnostics.CodeAnalysis;

namespace Gossip.Serf.Wire;

/// <summary>Serf's messages to bytes, type byte first, and back.</summary>
public static class SerfCodec
{
    private const int FirstBufferBytes = 1024;

    /// <summary>The largest message written: it goes inside an exchange of state.</summary>
    private const int BytesMax = Gossip.Wire.WireLimits.StreamBytesMax;

    /// <exception cref="ArgumentException">It is larger than an exchange of state may be.</exception>
    public static byte[] Encode(SerfMessage message)
    {
        for (int size = FirstBufferBytes; ; size *= 2)
        {
            var buffer = new byte[size];
            if (SerfWriter.TryWrite(message, buffer, out int length))
            {
                return buffer[..length];
            }
            if (size > BytesMax)
            {
                throw new ArgumentException(
                    $"A {message.GetType().Name} has at most {BytesMax} bytes.", nameof(message));
            }
        }
    }

    /// <summary>Reads a message; never throws, whatever its bytes. The record owns its bytes.</summary>
    public static bool TryDecode(ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out SerfMessage? message) =>
        SerfReader.TryRead(bytes, out message);
}
