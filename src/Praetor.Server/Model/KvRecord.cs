using System.Buffers.Binary;
using System.Text;
using System.Text.Json;
using Praetor.Server.State;

namespace Praetor.Server.Model;

/// <summary>A key and its value.</summary>
public sealed record KvRecord : StoredRecord
{
    // Session, flags and lock index stand before the value, so that a stored row is read without parsing.
    private const int FixedBytes = 8 + 8 + 2 + 2;

    /// <summary>How long a key may be: 8 KiB. A request line holds no more than twice that.</summary>
    public const int KeyBytesMax = 8 * 1024;

    /// <summary>Whether a key is too long.</summary>
    public static bool IsTooLong(string key) =>
        key.Length > KeyBytesMax || Encoding.UTF8.GetByteCount(key) > KeyBytesMax;

    /// <summary>The key.</summary>
    public required string Key { get; init; }

    /// <summary>The value. Must not be changed.</summary>
    public required byte[] Value { get; init; }

    /// <summary>A number for the client's own use.</summary>
    public ulong Flags { get; init; }

    /// <summary>How often the key was locked.</summary>
    public ulong LockIndex { get; init; }

    /// <summary>The session that holds the lock. Empty: none.</summary>
    public string Session { get; init; } = "";

    internal static byte[] Encode(KvRecord record)
    {
        var key = Encoding.UTF8.GetByteCount(record.Key);
        var session = Encoding.UTF8.GetByteCount(record.Session);
        var bytes = new byte[FixedBytes + key + session + record.Value.Length];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, record.Flags);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(8), record.LockIndex);
        BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(16), checked((ushort)key));
        BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(18), checked((ushort)session));
        Encoding.UTF8.GetBytes(record.Key, bytes.AsSpan(FixedBytes));
        Encoding.UTF8.GetBytes(record.Session, bytes.AsSpan(FixedBytes + key));
        record.Value.CopyTo(bytes.AsSpan(FixedBytes + key + session));
        return bytes;
    }

    internal static KvRecord Decode(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < FixedBytes)
        {
            throw new JsonException($"a key's row is {bytes.Length} bytes long, {FixedBytes} is the least");
        }

        int key = BinaryPrimitives.ReadUInt16LittleEndian(bytes[16..]);
        int session = BinaryPrimitives.ReadUInt16LittleEndian(bytes[18..]);
        if (FixedBytes + key + session > bytes.Length)
        {
            throw new JsonException($"a key's row announces {key + session} bytes of names and is {bytes.Length} long");
        }

        return new KvRecord
        {
            Flags = BinaryPrimitives.ReadUInt64LittleEndian(bytes),
            LockIndex = BinaryPrimitives.ReadUInt64LittleEndian(bytes[8..]),
            Key = Encoding.UTF8.GetString(bytes.Slice(FixedBytes, key)),
            Session = Encoding.UTF8.GetString(bytes.Slice(FixedBytes + key, session)),
            Value = bytes[(FixedBytes + key + session)..].ToArray(),
        };
    }
}
