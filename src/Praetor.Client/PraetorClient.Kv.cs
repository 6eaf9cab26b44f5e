using System.Globalization;

namespace Praetor.Client;

/// <summary>A key with its value and bookkeeping.</summary>
public sealed record KvPair
{
    /// <summary>The whole key.</summary>
    public string Key { get; init; } = "";

    /// <summary>The value's bytes. Null: empty.</summary>
    public byte[]? Value { get; init; }

    /// <summary>A number for the application's own use.</summary>
    public ulong Flags { get; init; }

    /// <summary>The session that holds the key's lock. Null: nobody.</summary>
    public string? Session { get; init; }

    /// <summary>How often the lock was taken.</summary>
    public ulong LockIndex { get; init; }

    /// <summary>The index of the write that made the key.</summary>
    public ulong CreateIndex { get; init; }

    /// <summary>The index of the last write; give it back to write only if nobody else did meanwhile.</summary>
    public ulong ModifyIndex { get; init; }
}

/// <summary>How a value is written, beside the value.</summary>
public sealed record KvWrite
{
    /// <summary>A number stored with the value. Default 0.</summary>
    public ulong Flags { get; init; }

    /// <summary>Write only if the key's ModifyIndex is this one; 0: only if there is no such key. Null:
    /// always.</summary>
    public ulong? Cas { get; init; }

    /// <summary>Take the key's lock for this session. Null: no locking.</summary>
    public string? Acquire { get; init; }

    /// <summary>Give back the lock that this session holds. Null: no unlocking.</summary>
    public string? Release { get; init; }
}

public sealed partial class PraetorClient
{
    /// <summary>Reads one key; the answer's value is null when there is none.</summary>
    /// <exception cref="ApiException">The agent refused.</exception>
    public async Task<Answer<KvPair>> GetKeyAsync(
        string key, QueryOptions? query = null, CancellationToken stop = default)
    {
        var answer = await GetAsync(KvPath(key), query, ClientJson.Default.KvPairArray, stop);
        return new Answer<KvPair>(answer.Value is [var pair, ..] ? pair : null, answer.Meta);
    }

    /// <summary>Reads all keys below a prefix, in order; the answer's value is null when there are none.</summary>
    /// <exception cref="ApiException">The agent refused.</exception>
    public Task<Answer<KvPair[]>> ListKvAsync(
        string prefix, QueryOptions? query = null, CancellationToken stop = default) =>
        GetAsync(KvPath(prefix), (query ?? new()).With("recurse", ""), ClientJson.Default.KvPairArray, stop);

    /// <summary>Reads key names below a prefix, cut after the separator; null when there are none.</summary>
    /// <param name="prefix">Where names begin.</param>
    /// <param name="separator">Names are given up to and with this text. Empty: whole names.</param>
    /// <param name="query">Consistency, datacenter, blocking.</param>
    /// <param name="stop">Gives up.</param>
    /// <exception cref="ApiException">The agent refused.</exception>
    public Task<Answer<string[]>> ListKeysAsync(
        string prefix, string separator = "", QueryOptions? query = null, CancellationToken stop = default)
    {
        var wanted = (query ?? new()).With("keys", "");
        return GetAsync(
            KvPath(prefix),
            separator.Length == 0 ? wanted : wanted.With("separator", separator),
            ClientJson.Default.StringArray,
            stop);
    }

    /// <summary>Writes a value. False: the check-and-set or the lock did not come about, and nothing was
    /// written.</summary>
    /// <exception cref="ApiException">The agent refused.</exception>
    public async Task<bool> PutKeyAsync(
        string key, ReadOnlyMemory<byte> value, KvWrite? how = null, QueryOptions? query = null,
        CancellationToken stop = default)
    {
        var body = new ReadOnlyMemoryContent(value);
        body.Headers.ContentType = new("application/octet-stream");
        var text = await SendTextAsync(HttpMethod.Put, KvPath(key), WriteQuery(how ?? new(), query), body, stop);
        return IsTrue(text);
    }

    /// <summary>Removes a key. False: its index was another than <paramref name="cas"/>, and it is still
    /// there.</summary>
    /// <exception cref="ApiException">The agent refused.</exception>
    public async Task<bool> DeleteKeyAsync(
        string key, ulong? cas = null, QueryOptions? query = null, CancellationToken stop = default)
    {
        var wanted = cas is { } index ? (query ?? new()).With("cas", Number(index)) : query;
        return IsTrue(await SendTextAsync(HttpMethod.Delete, KvPath(key), wanted, null, stop));
    }

    /// <summary>Removes every key below a prefix.</summary>
    /// <exception cref="ApiException">The agent refused.</exception>
    public Task DeleteTreeAsync(string prefix, QueryOptions? query = null, CancellationToken stop = default) =>
        SendTextAsync(HttpMethod.Delete, KvPath(prefix), (query ?? new()).With("recurse", ""), null, stop);

    private static QueryOptions WriteQuery(KvWrite how, QueryOptions? query)
    {
        var wanted = query ?? new();
        if (how.Flags != 0)
        {
            wanted = wanted.With("flags", Number(how.Flags));
        }

        if (how.Cas is { } cas)
        {
            wanted = wanted.With("cas", Number(cas));
        }

        if (how.Acquire is { } acquire)
        {
            wanted = wanted.With("acquire", acquire);
        }

        return how.Release is { } release ? wanted.With("release", release) : wanted;
    }

    internal static string KvPath(string key) => "/v1/kv/" + EscapePath(key.StartsWith('/') ? key[1..] : key);

    private static string EscapePath(string path) =>
        string.Join('/', path.Split('/').Select(Uri.EscapeDataString));

    private static string Number(ulong value) => value.ToString(CultureInfo.InvariantCulture);

    private static bool IsTrue(string text) => text.AsSpan().Trim().SequenceEqual("true");
}
