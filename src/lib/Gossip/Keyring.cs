using System.Buffers;
using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Text.Json;

namespace Gossip;

/// <summary>
/// The keys a member knows, the primary one first: it encrypts, all of them decrypt. So a cluster changes its key
/// while it runs: install the new one everywhere, use it everywhere, remove the old one.
/// </summary>
/// <remarks>Any thread may read and change it; whoever encrypts takes the keys of the moment.</remarks>
public sealed class Keyring
{
    // Every packet that cannot be decrypted is tried with all of them.
    private const int KeysMax = 64;
    private const int FileBytesMax = 64 * 1024;
    private readonly Lock _changing = new();
    private ImmutableArray<GossipKey> _keys;

    /// <param name="keys">The primary key first; none: nothing is encrypted. Repeated ones count once.</param>
    /// <exception cref="ArgumentOutOfRangeException">They are more than 64.</exception>
    public Keyring(params IEnumerable<GossipKey> keys)
    {
        _keys = [.. keys.Distinct()];
        ArgumentOutOfRangeException.ThrowIfGreaterThan(_keys.Length, KeysMax, nameof(keys));
    }

    /// <summary>The keys of the moment, the primary one first; empty: nothing is encrypted.</summary>
    public ImmutableArray<GossipKey> Keys
    {
        get
        {
            lock (_changing)
            {
                return _keys;
            }
        }
    }

    public bool IsEmpty => Keys.IsEmpty;

    /// <summary>Takes one more key to decrypt with; known ones are fine. The first one becomes primary.</summary>
    /// <param name="problem">Why not; null when it is there now.</param>
    public bool TryInstall(GossipKey key, [NotNullWhen(false)] out string? problem)
    {
        lock (_changing)
        {
            problem = null;
            if (_keys.Contains(key))
            {
                return true;
            }
            if (_keys.Length == KeysMax)
            {
                problem = $"the keyring is full: it holds at most {KeysMax} keys; remove one first";
                return false;
            }
            _keys = _keys.Add(key);
            return true;
        }
    }

    /// <summary>Encrypts with this key from now on.</summary>
    /// <param name="problem">Why not; null when it is primary now.</param>
    public bool TryUse(GossipKey key, [NotNullWhen(false)] out string? problem)
    {
        lock (_changing)
        {
            bool isKnown = _keys.Contains(key);
            problem = isKnown ? null : "requested key is not in the keyring";
            _keys = isKnown ? _keys.Remove(key).Insert(0, key) : _keys;
            return isKnown;
        }
    }

    /// <summary>Forgets a key; unknown ones are fine.</summary>
    /// <param name="problem">Why not; null when it is not there any more.</param>
    public bool TryRemove(GossipKey key, [NotNullWhen(false)] out string? problem)
    {
        lock (_changing)
        {
            bool isPrimary = !_keys.IsEmpty && _keys[0].Equals(key);
            problem = isPrimary ? "removing the primary key is not allowed" : null;
            _keys = isPrimary ? _keys : _keys.Remove(key);
            return !isPrimary;
        }
    }

    /// <summary>Reads a keyring file: a JSON array of keys in base64, the primary one first.</summary>
    /// <param name="problem">What is wrong with it, without showing keys; null when it is taken.</param>
    public static bool TryParseFile(
        ReadOnlySpan<byte> json, [NotNullWhen(true)] out Keyring? keyring, [NotNullWhen(false)] out string? problem)
    {
        keyring = null;
        if (json.Length > FileBytesMax)
        {
            problem = $"a keyring file has at most {FileBytesMax} bytes";
            return false;
        }
        if (!TryReadStrings(json, out List<string> texts))
        {
            problem = "a keyring file is a JSON array of base64 strings";
            return false;
        }
        var keys = new List<GossipKey>();
        foreach (string text in texts)
        {
            if (!GossipKey.TryParse(text, out GossipKey? key, out problem))
            {
                problem = $"key {keys.Count + 1} of the keyring file: {problem}";
                return false;
            }
            keys.Add(key);
        }
        bool hasKeys = keys.Count is > 0 and <= KeysMax;
        keyring = hasKeys ? new Keyring(keys) : null;
        problem = hasKeys ? null : $"a keyring file holds 1 to {KeysMax} keys, not {keys.Count}";
        return hasKeys;
    }

    /// <summary>The bytes of a keyring file. Whoever writes it lets nobody else read it (0600).</summary>
    public byte[] ToFile()
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer, new JsonWriterOptions { Indented = true }))
        {
            writer.WriteStartArray();
            foreach (GossipKey key in Keys)
            {
                writer.WriteBase64StringValue(key.Bytes);
            }
            writer.WriteEndArray();
        }
        return buffer.WrittenSpan.ToArray();
    }

    private static bool TryReadStrings(ReadOnlySpan<byte> json, out List<string> texts)
    {
        texts = [];
        try
        {
            var reader = new Utf8JsonReader(json);
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartArray)
            {
                return false;
            }
            while (reader.Read() && reader.TokenType == JsonTokenType.String)
            {
                texts.Add(reader.GetString()!);
            }
            return reader.TokenType == JsonTokenType.EndArray && !reader.Read();
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return false; // not JSON, or text that is not Unicode
        }
    }
}
