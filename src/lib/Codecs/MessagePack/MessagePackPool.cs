using System.Buffers.Binary;
using System.Numerics;
using System.Text;

namespace Codecs.MessagePack;

/// <summary>Gives the same object for the same bytes, so that what many records say is in memory once.</summary>
/// <remarks>
/// A state says the same few names, statuses and tags a hundred thousand times. What is pooled must never be changed.
/// Each hash has one place, which the last who came has: nothing grows, and bytes that were made to collide cost no
/// more than none at all. Used by one thread.
/// </remarks>
public sealed class MessagePackPool
{
    // Longer ones are mostly unique.
    private const int TextBytesMax = 64;
    private const int ValueBytesMax = 256;
    private const int Texts = 4 * 1024;
    private const int Values = 512;

    private readonly string?[] _texts = new string?[Texts];
    private readonly (byte[] Bytes, object? Value)[] _values = new (byte[], object?)[Values];

    /// <summary>A text that must be UTF-8.</summary>
    public bool TryText(ReadOnlySpan<byte> utf8, out string text)
    {
        if (utf8.Length is 0 or > TextBytesMax)
        {
            return TryMake(utf8, out text);
        }

        ref var place = ref _texts[Hash(utf8) % Texts];
        if (place is { } known && Ascii.Equals(utf8, known))
        {
            text = known;
            return true;
        }

        var isText = TryMake(utf8, out text);
        place = isText ? text : place;
        return isText;
    }

    /// <summary>What was kept for these bytes. Null: nothing, or something else.</summary>
    public T? Find<T>(ReadOnlySpan<byte> bytes)
        where T : class
    {
        if (bytes.Length > ValueBytesMax)
        {
            return null;
        }

        var (known, value) = _values[Hash(bytes) % Values];
        return value is T wanted && bytes.SequenceEqual(known) ? wanted : null;
    }

    /// <summary>Keeps what was made of these bytes, unless they are many.</summary>
    public void Keep(ReadOnlySpan<byte> bytes, object value)
    {
        if (bytes.Length <= ValueBytesMax)
        {
            _values[Hash(bytes) % Values] = (bytes.ToArray(), value);
        }
    }

    private static bool TryMake(ReadOnlySpan<byte> utf8, out string text)
    {
        var isText = System.Text.Unicode.Utf8.IsValid(utf8);
        text = isText ? Encoding.UTF8.GetString(utf8) : "";
        return isText;
    }

    private static uint Hash(ReadOnlySpan<byte> bytes)
    {
        const ulong Odd = 0x9E37_79B9_7F4A_7C15;
        var hash = (ulong)bytes.Length * Odd;
        while (bytes.Length >= sizeof(ulong))
        {
            hash = (BitOperations.RotateLeft(hash, 5) ^ BinaryPrimitives.ReadUInt64LittleEndian(bytes)) * Odd;
            bytes = bytes[sizeof(ulong)..];
        }

        foreach (var one in bytes)
        {
            hash = (BitOperations.RotateLeft(hash, 5) ^ one) * Odd;
        }

        return (uint)(hash >> 32);
    }
}
