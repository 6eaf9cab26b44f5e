using System.Collections.Immutable;
using System.Security.Cryptography;

namespace Gossip.Wire;

/// <summary>
/// Encrypts with the keyring's primary key: version, nonce, ciphertext, tag. One thread at a time; what is costly to
/// make (the cipher's state, random bytes) is kept for the next call.
/// </summary>
internal sealed class PacketSealer(Keyring keyring, bool pads) : IDisposable
{
    // One draw for so many nonces: asking the system for 12 bytes costs as much as encrypting a packet.
    private const int NoncesPerDraw = 64;
    private readonly byte[] _nonces = new byte[NoncesPerDraw * SealFormat.NonceBytes];
    private int _used = NoncesPerDraw * SealFormat.NonceBytes;
    private GossipKey? _key;
    private AesGcm? _cipher;

    /// <summary>Whether there is a key to encrypt with.</summary>
    public bool HasKey => !keyring.IsEmpty;

    public int SealedLength(int plainLength) => SealFormat.SealedLength(plainLength, pads);

    /// <summary>Encrypts into a destination of <see cref="SealedLength"/> bytes.</summary>
    /// <param name="also">Not encrypted, not sent here, but must be the same for whoever decrypts.</param>
    /// <exception cref="InvalidOperationException">The keyring is empty.</exception>
    public void Seal(ReadOnlySpan<byte> plain, ReadOnlySpan<byte> also, Span<byte> destination)
    {
        AesGcm cipher = Cipher();
        destination[0] = pads ? SealFormat.VersionPadded : SealFormat.VersionPlain;
        Span<byte> nonce = destination.Slice(1, SealFormat.NonceBytes);
        DrawNonce(nonce);
        Span<byte> body = destination[(1 + SealFormat.NonceBytes)..^SealFormat.TagBytes];
        Span<byte> tag = destination[^SealFormat.TagBytes..];
        if (pads)
        {
            plain.CopyTo(body);
            body[plain.Length..].Fill((byte)(body.Length - plain.Length));
            cipher.Encrypt(nonce, body, body, tag, also);
            return;
        }
        cipher.Encrypt(nonce, plain, body, tag, also);
    }

    public void Dispose() => _cipher?.Dispose();

    private AesGcm Cipher()
    {
        ImmutableArray<GossipKey> keys = keyring.Keys;
        if (keys.IsEmpty)
        {
            throw new InvalidOperationException("The keyring is empty: there is no key to encrypt with.");
        }
        if (!ReferenceEquals(_key, keys[0]) || _cipher is null)
        {
            _cipher?.Dispose();
            _key = keys[0];
            _cipher = new AesGcm(_key.Bytes, SealFormat.TagBytes);
        }
        return _cipher;
    }

    private void DrawNonce(Span<byte> nonce)
    {
        if (_used == _nonces.Length)
        {
            RandomNumberGenerator.Fill(_nonces);
            _used = 0;
        }
        _nonces.AsSpan(_used, nonce.Length).CopyTo(nonce);
        _used += nonce.Length;
    }
}
