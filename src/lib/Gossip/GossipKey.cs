using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;

namespace Gossip;

/// <summary>A secret that the members of a cluster share: 16, 24 or 32 bytes, for AES-128, -192 or -256.</summary>
/// <remarks>Its text is shown only by <see cref="ToBase64"/>; logging it shows its length.</remarks>
public sealed class GossipKey : IEquatable<GossipKey>
{
    /// <summary>Bytes of a new key.</summary>
    public const int BytesDefault = 32;

    private readonly byte[] _bytes;

    private GossipKey(byte[] bytes) => _bytes = bytes;

    public ReadOnlySpan<byte> Bytes => _bytes;

    /// <summary>A new random key of 32 bytes.</summary>
    public static GossipKey Generate() => new(RandomNumberGenerator.GetBytes(BytesDefault));

    /// <param name="problem">What is wrong with the key; null when it is taken.</param>
    public static bool TryCreate(
        ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out GossipKey? key, [NotNullWhen(false)] out string? problem)
    {
        bool isSized = bytes.Length is 16 or 24 or 32;
        key = isSized ? new GossipKey(bytes.ToArray()) : null;
        problem = isSized ? null : "key size must be 16, 24 or 32 bytes";
        return isSized;
    }

    /// <summary>Takes a key as it is written in files and on command lines: standard base64.</summary>
    /// <param name="problem">What is wrong with the key; null when it is taken. Does not show the key.</param>
    public static bool TryParse(
        string text, [NotNullWhen(true)] out GossipKey? key, [NotNullWhen(false)] out string? problem)
    {
        // Longer than the longest key that is taken, so that a key of a wrong length is told its length's rule.
        const int DecodedBytesMax = 1024;
        Span<byte> bytes = stackalloc byte[DecodedBytesMax];
        if (Convert.TryFromBase64String(text, bytes, out int length))
        {
            return TryCreate(bytes[..length], out key, out problem);
        }
        key = null;
        problem = "key is not base64";
        return false;
    }

    public string ToBase64() => Convert.ToBase64String(_bytes);

    public bool Equals(GossipKey? other) =>
        other is not null && CryptographicOperations.FixedTimeEquals(_bytes, other._bytes);

    public override bool Equals(object? obj) => Equals(obj as GossipKey);

    public override int GetHashCode() => BitConverter.ToInt32(_bytes);

    public override string ToString() => $"key of {_bytes.Length} bytes";
}
