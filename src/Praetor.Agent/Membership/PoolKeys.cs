using Gossip;
using Gossip.Serf;
using Praetor.Agent.Local;

namespace Praetor.Agent.Membership;

/// <summary>The keyring of a pool and its file.</summary>
internal sealed class PoolKeys : ISerfKeyring
{
    private readonly string? _path;

    private PoolKeys(Keyring ring, string? path) => (Ring, _path) = (ring, path);

    public Keyring Ring { get; }

    public IReadOnlyList<string> Keys => [.. Ring.Keys.Select(static key => key.ToBase64())];

    /// <summary>The keys to begin with: the file's, when there is one, else the configured one, else none.</summary>
    /// <param name="key">The configured one, base64. Empty: none.</param>
    /// <param name="path">The file. Null: keys are not kept.</param>
    /// <param name="ignored">Whether a file stands in the way of another configured key.</param>
    /// <exception cref="IOException">A key or the file is wrong, or the file cannot be written.</exception>
    public static PoolKeys Load(string key, string? path, out bool ignored)
    {
        GossipKey? configured = null;
        if (key.Length > 0 && !GossipKey.TryParse(key, out configured, out var problem))
        {
            throw new IOException($"encrypt: {problem}; make one by 'praetor keygen'");
        }

        ignored = false;
        if (path is not null && File.Exists(path))
        {
            if (!Keyring.TryParseFile(File.ReadAllBytes(path), out var kept, out var wrong))
            {
                throw new IOException($"{path}: {wrong}; mend it, or remove it and set 'encrypt'");
            }

            ignored = configured is not null && !kept.Keys.Contains(configured);
            return new PoolKeys(kept, path);
        }

        var keys = new PoolKeys(configured is null ? new Keyring() : new Keyring(configured), path);
        keys.Keep();
        return keys;
    }

    public string? Install(ReadOnlySpan<byte> key) =>
        Change(key, static (Keyring ring, GossipKey one, out string? problem) => ring.TryInstall(one, out problem));

    public string? Use(ReadOnlySpan<byte> key) =>
        Change(key, static (Keyring ring, GossipKey one, out string? problem) => ring.TryUse(one, out problem));

    public string? Remove(ReadOnlySpan<byte> key) =>
        Change(key, static (Keyring ring, GossipKey one, out string? problem) => ring.TryRemove(one, out problem));

    private delegate bool KeyChange(Keyring ring, GossipKey key, out string? problem);

    private string? Change(ReadOnlySpan<byte> bytes, KeyChange change)
    {
        if (!GossipKey.TryCreate(bytes, out var key, out var problem) || !change(Ring, key, out problem))
        {
            return problem;
        }

        try
        {
            Keep();
            return null;
        }
        catch (IOException e)
        {
            return $"the key is changed, but not kept over a restart: {e.Message}";
        }
    }

    private void Keep()
    {
        if (_path is null || Ring.IsEmpty)
        {
            return;
        }

        DurableFile.CreateFolder(Path.GetDirectoryName(_path)!);
        DurableFile.Write(_path, Ring.ToFile());
    }
}
