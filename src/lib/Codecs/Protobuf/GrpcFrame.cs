using System.Buffers.Binary;

namespace Codecs.Protobuf;

/// <summary>What stands before each message of gRPC: a byte that says whether it is compressed, and its
/// length.</summary>
public static class GrpcFrame
{
    /// <summary>Bytes before each message.</summary>
    public const int HeaderBytes = 5;

    private const byte NotCompressed = 0;

    /// <summary>Writes what stands before a message that is not compressed.</summary>
    public static void WriteHeader(Span<byte> into, int messageBytes)
    {
        into[0] = NotCompressed;
        BinaryPrimitives.WriteUInt32BigEndian(into[1..], (uint)messageBytes);
    }

    /// <summary>Reads it from at least <see cref="HeaderBytes"/>.</summary>
    /// <param name="from">Where it begins.</param>
    /// <param name="messageBytes">The announced length, which nothing has checked.</param>
    /// <returns>Whether the message can be read; one that is compressed cannot.</returns>
    public static bool TryReadHeader(ReadOnlySpan<byte> from, out uint messageBytes)
    {
        messageBytes = 0;
        if (from.Length < HeaderBytes || from[0] != NotCompressed)
        {
            return false;
        }

        messageBytes = BinaryPrimitives.ReadUInt32BigEndian(from[1..]);
        return true;
    }
}
