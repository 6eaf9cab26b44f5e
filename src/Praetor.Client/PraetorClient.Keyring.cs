using System.Globalization;

namespace Praetor.Client;

/// <summary>The keys of one gossip pool.</summary>
public sealed record KeyringPool
{
    /// <summary>Whether it is the pool of all datacenters' servers.</summary>
    public bool WAN { get; init; }

    /// <summary>The datacenter.</summary>
    public string Datacenter { get; init; } = "";

    /// <summary>The network segment. Empty: the one there is.</summary>
    public string? Segment { get; init; }

    /// <summary>How many members have each key.</summary>
    public Dictionary<string, int>? Keys { get; init; }

    /// <summary>How many members send with each key.</summary>
    public Dictionary<string, int>? PrimaryKeys { get; init; }

    /// <summary>How many members there are.</summary>
    public int NumNodes { get; init; }
}

/// <summary>The body of a change to the keyring.</summary>
internal sealed record KeyringKey(string Key);

public sealed partial class PraetorClient
{
    private const string KeyringPath = "/v1/operator/keyring";

    /// <summary>The keys that gossip is encrypted with, by pool.</summary>
    /// <param name="relayFactor">Through how many other members each answer comes as well, at most 5.</param>
    /// <param name="localOnly">Ask this datacenter only.</param>
    /// <param name="stop">Gives up.</param>
    /// <exception cref="ApiException">Not every member answered well.</exception>
    public async Task<KeyringPool[]> KeyringListAsync(
        int relayFactor = 0, bool localOnly = false, CancellationToken stop = default)
    {
        var query = localOnly ? Relayed(relayFactor).With("local-only", "true") : Relayed(relayFactor);
        return (await GetAsync(KeyringPath, query, ClientJson.Default.KeyringPoolArray, stop)).Value ?? [];
    }

    /// <summary>Gives every member another key.</summary>
    /// <exception cref="ApiException">Not every member answered well.</exception>
    public Task KeyringInstallAsync(string key, int relayFactor = 0, CancellationToken stop = default) =>
        ChangeKeyringAsync(HttpMethod.Post, key, relayFactor, stop);

    /// <summary>Makes every member encrypt with a key that was installed.</summary>
    /// <exception cref="ApiException">Not every member answered well.</exception>
    public Task KeyringUseAsync(string key, int relayFactor = 0, CancellationToken stop = default) =>
        ChangeKeyringAsync(HttpMethod.Put, key, relayFactor, stop);

    /// <summary>Takes a key away from every member.</summary>
    /// <exception cref="ApiException">Not every member answered well.</exception>
    public Task KeyringRemoveAsync(string key, int relayFactor = 0, CancellationToken stop = default) =>
        ChangeKeyringAsync(HttpMethod.Delete, key, relayFactor, stop);

    private static QueryOptions Relayed(int factor) => factor == 0
        ? new QueryOptions()
        : new QueryOptions().With("relay-factor", factor.ToString(CultureInfo.InvariantCulture));

    private Task<string> ChangeKeyringAsync(HttpMethod method, string key, int relayFactor, CancellationToken stop) =>
        SendTextAsync(
            method, KeyringPath, Relayed(relayFactor), Json(new KeyringKey(key), ClientJson.Default.KeyringKey), stop);
}
