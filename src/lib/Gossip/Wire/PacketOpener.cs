using System.Collections.Immutable;
using System.Security.Cryptography;

namespace Gossip.Wire;

/// <summary>Decrypts with whichever key of the keyring fits. One thread at a time; the ciphers' states are
/// kept.</summary>
/// <remarks>
/// The framework's own Decrypt throws when the tag is wrong, and an exception for each forged packet costs ten times
/// what the arithmetic does. GCM encrypts by XOR with a stream that only key and nonce determine: encrypting the
/// ciphertext gives the plain bytes, and encrypting those gives the tag that the sender must have had.
/// </remarks>
internal sealed class PacketOpener(Keyring keyring) : IDisposable
{
    private ImmutableArray<GossipKey> _keys = [];
    private AesGcm[] _ciphers = [];

    public bool HasKeys => !keyring.IsEmpty;

    /// <param name="also">What the sender had beside the encrypted bytes.</param>
    /// <param name="destination">At least as long as the source; holds nothing of worth after a refusal.</param>
    /// <param name="scratch">As long; holds nothing of worth afterwards.</param>
    /// <param name="length">Plain bytes, their padding taken off.</param>
    public bool TryOpen(
        ReadOnlySpan<byte> source, ReadOnlySpan<byte> also, Span<byte> destination, Span<byte> scratch,
        out int length)
    {
        length = 0;
        if (source.Length <= SealFormat.OverheadBytes || source[0] > SealFormat.VersionPlain)
        {
            return false;
        }
        ReadOnlySpan<byte> nonce = source.Slice(1, SealFormat.NonceBytes);
        ReadOnlySpan<byte> body = source[(1 + SealFormat.NonceBytes)..^SealFormat.TagBytes];
        ReadOnlySpan<byte> tag = source[^SealFormat.TagBytes..];
        Span<byte> plain = destination[..body.Length];
        foreach (AesGcm cipher in Ciphers())
        {
            if (TryDecrypt(cipher, nonce, body, tag, plain, also, scratch))
            {
                return TryUnpad(source[0], plain, out length);
            }
        }
        return false;
    }

    public void Dispose()
    {
        foreach (AesGcm cipher in _ciphers)
        {
            cipher.Dispose();
        }
    }

    private static bool TryDecrypt(
        AesGcm cipher, ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> body, ReadOnlySpan<byte> tag, Span<byte> plain,
        ReadOnlySpan<byte> also, Span<byte> scratch)
    {
        Span<byte> expected = stackalloc byte[SealFormat.TagBytes];
        cipher.Encrypt(nonce, body, plain, expected, also);
        cipher.Encrypt(nonce, plain, scratch[..body.Length], expected, also);
        return CryptographicOperations.FixedTimeEquals(expected, tag);
    }

    private static bool TryUnpad(byte version, ReadOnlySpan<byte> plain, out int length)
    {
        length = plain.Length;
        if (version == SealFormat.VersionPlain)
        {
            return true;
        }
        int padding = plain[^1];
        length -= padding;
        return padding is > 0 and <= SealFormat.BlockBytes && length > 0;
    }

    private AesGcm[] Ciphers()
    {
        ImmutableArray<GossipKey> keys = keyring.Keys;
        if (keys != _keys)
        {
            Dispose();
            _keys = keys;
            _ciphers = [.. keys.Select(key => new AesGcm(key.Bytes, SealFormat.TagBytes))];
        }
        return _ciphers;
    }
}
